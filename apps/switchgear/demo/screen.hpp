// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "tally.hpp"

#include <chrono>
#include <cstdio>
#include <string>
#include <string_view>

namespace switchgear::demo {

enum class colour { plain, dim, bold, red, green, yellow };

/// What the demonstration shows while it runs and at its end. Never wider than 80 columns. Colours on a terminal
/// alone, and none when NO_COLOR is set.
class screen {
 public:
  /// `seconds`: the longest time that will be shown.
  screen(std::FILE* to, double seconds);

  void line(std::string_view text = {}, colour c = colour::plain);
  /// `at` seconds since the start; a long text goes on under its own beginning.
  void note(double at, std::string_view text, colour c = colour::plain);
  void row_heading();
  /// Calls per second of the last `period`, up to `at`.
  void row(double at, const tallies& t, double period);

 private:
  void put(std::string_view text, colour c);
  void put_time(double at);

  std::FILE* out_;
  bool coloured_;
  std::size_t time_columns_;
};

/// Three digits and a unit: `1.84 µs`, `501 ms`, `12.3 s`.
[[nodiscard]] std::string short_time(std::chrono::nanoseconds d);

/// Fills up with blanks to `columns`, each character of UTF-8 counted as one.
[[nodiscard]] std::string right(std::string_view text, std::size_t columns);
[[nodiscard]] std::string left(std::string_view text, std::size_t columns);

/// printf into a string, for one number.
[[nodiscard]] std::string number(const char* format, double value);

}  // namespace switchgear::demo
