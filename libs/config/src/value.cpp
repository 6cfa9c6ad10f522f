// SPDX-License-Identifier: Apache-2.0
#include "switchgear/config/value.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>

namespace switchgear::inline v1 {
namespace {

using std::chrono::nanoseconds;
using form = raw_value::form;

// 19 digits times the nanoseconds of an hour: more than 64 bits hold, far less than 128.
__extension__ typedef unsigned __int128 wide;

enum class rounding { refused, to_nearest };

constexpr std::string_view expected_duration =
    "cannot be read as a duration; write one decimal number and one unit (ns, us, ms, s, m, h) such as 500ms, 30s or "
    "1.5m, or a plain number of seconds";
constexpr std::string_view too_fine = "finer than a nanosecond";
constexpr std::string_view too_long = "too long; a duration can be up to about 292 years";
constexpr std::string_view negative_duration = "a duration cannot be negative";

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool all_digits(std::string_view s) { return !s.empty() && std::all_of(s.begin(), s.end(), is_digit); }

template <class T>
reading<T> refuse(std::string_view why) {
  return {std::nullopt, std::string(why)};
}

/// The digits before and after the decimal point, and what follows them.
struct decimal {
  std::string_view whole;
  std::string_view fraction;
  std::string_view rest;
};

/// Digits, and if there is a point, digits after it too.
std::optional<decimal> split_decimal(std::string_view text) {
  const auto digits = [](std::string_view s) {
    return static_cast<std::size_t>(std::find_if_not(s.begin(), s.end(), is_digit) - s.begin());
  };
  decimal d;
  d.whole = text.substr(0, digits(text));
  d.rest = text.substr(d.whole.size());
  if (d.whole.empty()) return std::nullopt;
  if (d.rest.starts_with('.')) {
    d.rest.remove_prefix(1);
    d.fraction = d.rest.substr(0, digits(d.rest));
    d.rest.remove_prefix(d.fraction.size());
    if (d.fraction.empty()) return std::nullopt;
  }
  return d;
}

std::uint64_t nanoseconds_of(std::string_view unit) {
  if (unit == "ns") return 1;
  if (unit == "us") return 1'000;
  if (unit == "ms") return 1'000'000;
  if (unit == "s") return 1'000'000'000;
  if (unit == "m") return 60'000'000'000;
  if (unit == "h") return 3'600'000'000'000;
  return 0;
}

reading<nanoseconds> scale(decimal d, std::uint64_t unit, rounding how) {
  while (d.whole.starts_with('0')) d.whole.remove_prefix(1);
  while (d.fraction.ends_with('0')) d.fraction.remove_suffix(1);
  if (d.whole.size() > 19) return refuse<nanoseconds>(too_long);
  // No unit has a nanosecond beyond its 13th decimal (an hour is 2^13 5^11 9 of them), so more digits are too fine in
  // any case, and for rounding they no longer matter.
  if (d.fraction.size() > 18) {
    if (how == rounding::refused) return refuse<nanoseconds>(too_fine);
    d.fraction = d.fraction.substr(0, 18);
  }
  wide whole = 0;
  for (const char c : d.whole) whole = whole * 10 + static_cast<unsigned>(c - '0');
  wide fraction = 0;
  wide divisor = 1;
  for (const char c : d.fraction) {
    fraction = fraction * 10 + static_cast<unsigned>(c - '0');
    divisor *= 10;
  }
  fraction *= unit;
  if (fraction % divisor != 0) {
    if (how == rounding::refused) return refuse<nanoseconds>(too_fine);
    fraction += divisor / 2;
  }
  const bool was_zero = d.whole.empty() && d.fraction.empty();
  const wide total = whole * unit + fraction / divisor;
  if (total > static_cast<wide>(std::numeric_limits<std::int64_t>::max())) return refuse<nanoseconds>(too_long);
  // Zero means "off" or "never": nothing may become it by being small.
  if (total == 0 && !was_zero) return refuse<nanoseconds>(too_fine);
  return {nanoseconds(static_cast<std::int64_t>(total)), {}};
}

reading<std::int64_t> parse_integer(std::string_view text) {
  std::string_view digits = text;
  if (digits.starts_with('-')) digits.remove_prefix(1);
  if (!all_digits(digits)) return refuse<std::int64_t>("cannot be read as a whole number");
  std::int64_t v = 0;
  const auto end = std::from_chars(text.data(), text.data() + text.size(), v);
  if (end.ec != std::errc()) return refuse<std::int64_t>("out of range");
  return {v, {}};
}

double to_double(std::string_view text) {
  double v = std::numeric_limits<double>::quiet_NaN();
  const auto end = std::from_chars(text.data(), text.data() + text.size(), v);
  // Text that is a number but not one a double can hold is certainly out of every range.
  if (end.ec == std::errc::result_out_of_range) return std::numeric_limits<double>::quiet_NaN();
  return v;
}

reading<nanoseconds> seconds_of(double v) {
  if (!std::isfinite(v)) return refuse<nanoseconds>("not a number");
  if (v < 0) return refuse<nanoseconds>(negative_duration);
  // The shortest decimal that stands for this double is what was written, up to 15 digits: 0.1 is 100 ms and not a hair
  // more.
  std::array<char, 400> buffer{};
  const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), std::fabs(v), std::chars_format::fixed);
  const auto d = split_decimal({buffer.data(), end.ptr});
  return d ? scale(*d, 1'000'000'000, rounding::to_nearest) : refuse<nanoseconds>(expected_duration);
}

template <class T>
reading<T> wrong_type(const raw_value& raw, std::string_view wanted) {
  std::string found = "text";
  if (raw.kind == form::boolean) found = "true or false";
  if (raw.kind == form::integer) found = "a number";
  if (raw.kind == form::real) found = "a number with a decimal point or exponent";
  if (raw.kind == form::other) found = raw.spelling;
  return {std::nullopt, "has to be " + std::string(wanted) + ", not " + found};
}

}  // namespace

raw_value raw_value::boolean(bool v) { return {form::boolean, v ? "true" : "false"}; }
raw_value raw_value::integer(std::int64_t v) { return {form::integer, std::to_string(v)}; }
raw_value raw_value::integer(std::uint64_t v) { return {form::integer, std::to_string(v)}; }
raw_value raw_value::text(std::string_view v) { return {form::text, std::string(v)}; }
raw_value raw_value::untyped(std::string_view v) { return {form::untyped, std::string(v)}; }
raw_value raw_value::other(std::string_view what) { return {form::other, std::string(what)}; }

raw_value raw_value::real(double v) {
  std::array<char, 32> buffer{};
  const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), v);
  return {form::real, std::string(buffer.data(), end.ptr)};
}

reading<nanoseconds> parse_duration(std::string_view text) {
  if (text.empty()) return refuse<nanoseconds>("is empty");
  if (text.starts_with('-') && split_decimal(text.substr(1))) return refuse<nanoseconds>(negative_duration);
  const auto d = split_decimal(text);
  if (!d) return refuse<nanoseconds>(expected_duration);
  const std::uint64_t unit = d->rest.empty() ? nanoseconds_of("s") : nanoseconds_of(d->rest);
  if (unit == 0) return refuse<nanoseconds>(expected_duration);
  return scale(*d, unit, rounding::refused);
}

reading<window_size> parse_window(std::string_view text) {
  if (text.empty()) return refuse<window_size>("is empty");
  const std::string_view digits = text.starts_with('-') ? text.substr(1) : text;
  if (all_digits(digits)) {
    const auto n = parse_integer(text);
    return n ? reading<window_size>{calls(*n.value), {}} : refuse<window_size>(n.error);
  }
  const auto d = split_decimal(digits);
  if (d && d->rest.empty()) {
    return refuse<window_size>(
        "a plain number is calls and has to be whole; for a duration write the unit, such as 60s");
  }
  if (!d || nanoseconds_of(d->rest) == 0) {
    return refuse<window_size>(
        "cannot be read as a window; write a whole number of calls such as 100, or a duration with "
        "its unit such as 60s");
  }
  const auto duration = parse_duration(text);
  return duration ? reading<window_size>{last(*duration.value), {}} : refuse<window_size>(duration.error);
}

reading<bool> read_bool(const raw_value& raw) {
  if (raw.kind != form::boolean && raw.kind != form::untyped) return wrong_type<bool>(raw, "true or false");
  if (raw.spelling == "true") return {true, {}};
  if (raw.spelling == "false") return {false, {}};
  return refuse<bool>(raw.spelling.empty() ? "is empty" : "has to be true or false");
}

reading<std::int64_t> read_count(const raw_value& raw) {
  if (raw.kind != form::integer && raw.kind != form::untyped) return wrong_type<std::int64_t>(raw, "a whole number");
  if (raw.spelling.empty()) return refuse<std::int64_t>("is empty");
  return parse_integer(raw.spelling);
}

reading<double> read_number(const raw_value& raw) {
  if (raw.kind == form::integer || raw.kind == form::real) return {to_double(raw.spelling), {}};
  if (raw.kind != form::untyped) return wrong_type<double>(raw, "a number");
  std::string_view digits = raw.spelling;
  if (digits.empty()) return refuse<double>("is empty");
  if (digits.starts_with('-')) digits.remove_prefix(1);
  const auto d = split_decimal(digits);
  if (!d || !d->rest.empty()) return refuse<double>("cannot be read as a decimal number such as 0.5");
  return {to_double(raw.spelling), {}};
}

reading<nanoseconds> read_duration(const raw_value& raw) {
  if (raw.kind == form::boolean || raw.kind == form::other) {
    return wrong_type<nanoseconds>(raw, "a duration such as \"30s\", or a number of seconds");
  }
  if (raw.kind == form::real) return seconds_of(to_double(raw.spelling));
  return parse_duration(raw.spelling);
}

reading<window_size> read_window(const raw_value& raw) {
  if (raw.kind == form::boolean || raw.kind == form::other || raw.kind == form::real) {
    return wrong_type<window_size>(raw, "a whole number of calls such as 100, or a duration such as \"60s\"");
  }
  return parse_window(raw.spelling);
}

}  // namespace switchgear::inline v1
