// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "switchgear/config.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace switchgear::inline v1 {

/// What became of reading one value: the value, or one sentence that says why not.
/// The sentence never repeats the text that was read, which may be a secret that stands in the wrong place.
template <class T>
struct reading {
  std::optional<T> value;
  std::string error;

  explicit operator bool() const noexcept { return value.has_value(); }
};

/// A value as it was written, before anyone asks what it is for.
struct raw_value {
  enum class form {
    boolean,  ///< `true` or `false` of a typed format
    integer,  ///< a whole number of a typed format, however long
    real,     ///< a number with a decimal point or an exponent
    text,     ///< a string of a typed format; a number in quotes is not a number
    untyped,  ///< from the environment or a command line, where everything is text
    other     ///< anything no key takes; `spelling` says what, "a list"
  };

  form kind = form::untyped;
  std::string spelling;  ///< as it was written, or the shortest decimal that reads back identically

  static raw_value boolean(bool v);
  static raw_value integer(std::int64_t v);
  static raw_value integer(std::uint64_t v);
  static raw_value real(double v);
  static raw_value text(std::string_view v);
  static raw_value untyped(std::string_view v);
  static raw_value other(std::string_view what);

  friend bool operator==(const raw_value&, const raw_value&) = default;
};

/// One decimal number and one unit (`ns`, `us`, `ms`, `s`, `m`, `h`), or a plain number of seconds: `500ms`, `1.5m`,
/// `30`. Exact: what is finer than a nanosecond, negative, or above about 292 years is refused, never rounded. No sign,
/// no exponent, no white space, no second unit. Reads everything that format_duration() writes for a duration >= 0.
[[nodiscard]] reading<std::chrono::nanoseconds> parse_duration(std::string_view text);

/// A window: a plain whole number is calls, a number with a unit is a duration.
[[nodiscard]] reading<window_size> parse_window(std::string_view text);

/// `true` or `false`.
[[nodiscard]] reading<bool> read_bool(const raw_value& raw);

/// A whole number. Ranges are not judged here: that is what config::validate() does.
[[nodiscard]] reading<std::int64_t> read_count(const raw_value& raw);

/// A decimal number.
[[nodiscard]] reading<double> read_number(const raw_value& raw);

/// A duration; a number of a typed format is seconds. 0.1 is exactly 100 ms; a real number that is finer than a
/// nanosecond is rounded to one, but never to zero.
[[nodiscard]] reading<std::chrono::nanoseconds> read_duration(const raw_value& raw);

/// A window; see parse_window().
[[nodiscard]] reading<window_size> read_window(const raw_value& raw);

}  // namespace switchgear::inline v1
