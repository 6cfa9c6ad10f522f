// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <switchgear/host/state_file.hpp>

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

/// A length of time as people say it: `820ms`, `4.2s`, `5m03s`, `2h05m`, `3d04h`.
[[nodiscard]] std::string spoken(std::chrono::nanoseconds d);

/// Local time: `14:05:00` when it is today, else `2026-01-18 14:05:00`.
[[nodiscard]] std::string local_time(std::chrono::system_clock::time_point t);

/// `circuit NAME closed → open: 5 consecutive failures (threshold 5)`.
[[nodiscard]] std::string line_of(std::string_view circuit, const switchgear::host::change& c);

/// The text with its control characters as spaces: what comes from elsewhere must neither break lines nor steer a terminal.
[[nodiscard]] std::string printable(std::string_view text);

/// The SGR code in which a state is shown: "32".
[[nodiscard]] const char* colour_of(switchgear::state s);

/// How many columns a text takes on a terminal, counting one for each character.
[[nodiscard]] std::size_t columns_of(std::string_view text);

/// The text cut to that many columns.
[[nodiscard]] std::string cut(std::string_view text, std::size_t columns);

/// Rows under aligned headings, two spaces between columns.
class table {
 public:
  struct cell {
    std::string text;
    const char* colour = "";  ///< an SGR code such as "31", or nothing
  };

  struct heading {
    std::string text;
    int dispensable = 0;  ///< where it is narrow, the columns with the highest number go first; 0 = stays
  };

  explicit table(std::vector<heading> headings);
  void add(std::vector<cell> row);

  /// One string for each line, the headings first. `width` 0 = as wide as it is; else columns are left out until the rest fits,
  /// and what is still too long is cut.
  [[nodiscard]] std::vector<std::string> lines(bool coloured, std::size_t width = 0) const;

 private:
  [[nodiscard]] std::vector<bool> columns_that_fit(const std::vector<std::size_t>& widths, std::size_t width) const;

  std::vector<int> dispensable_;
  std::vector<std::vector<cell>> rows_;
};

/// Whether standard output is a terminal, and one that wants colours (NO_COLOR, TERM=dumb).
[[nodiscard]] bool output_is_terminal();
[[nodiscard]] bool output_wants_colour();
