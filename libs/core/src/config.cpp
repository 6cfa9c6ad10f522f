// SPDX-License-Identifier: Apache-2.0
#include "switchgear/config.hpp"

#include <array>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <limits>
#include <utility>

namespace switchgear::inline v1 {
namespace {

using std::chrono::nanoseconds;

constexpr std::int64_t largest_count = std::int64_t{1} << 20;
constexpr std::int64_t largest_count_window = 10'000;
constexpr nanoseconds shortest_window = std::chrono::milliseconds(100);
constexpr nanoseconds one_day = std::chrono::hours(24);
constexpr std::size_t longest_name = 200;
constexpr std::size_t longest_shown = 200;

/// One code point of UTF-8, or `bytes` = 0 where the text is not UTF-8 (overlong forms and surrogates included).
struct code_point {
  char32_t value = 0;
  std::size_t bytes = 0;
};

code_point decode(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(0);
  if (first < 0x80) return {first, 1};
  std::size_t length = 0;
  char32_t value = 0;
  char32_t smallest = 0;
  if ((first & 0xE0U) == 0xC0) {
    length = 2, value = first & 0x1FU, smallest = 0x80;
  } else if ((first & 0xF0U) == 0xE0) {
    length = 3, value = first & 0x0FU, smallest = 0x800;
  } else if ((first & 0xF8U) == 0xF0) {
    length = 4, value = first & 0x07U, smallest = 0x10000;
  } else {
    return {};
  }
  if (text.size() < length) return {};
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0U) != 0x80) return {};
    value = (value << 6U) | (byte(i) & 0x3FU);
  }
  const bool surrogate = value >= 0xD800 && value <= 0xDFFF;
  if (value < smallest || value > 0x10FFFF || surrogate) return {};
  return {value, length};
}

constexpr bool is_control(char32_t c) { return c < 0x20 || (c >= 0x7F && c <= 0x9F); }

/// What a terminal or a log may show of text that came from outside: no control character, nothing that is not UTF-8,
/// and of a value not more than a line or two.
std::string shown(std::string_view text, std::size_t limit) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string out;
  while (!text.empty()) {
    if (out.size() >= limit) return out + "…";
    const code_point c = decode(text);
    if (c.bytes == 0 || is_control(c.value)) {
      for (std::size_t i = 0; i < (c.bytes == 0 ? 1 : c.bytes); ++i) {
        const auto b = static_cast<unsigned char>(text[i]);
        out += {'\\', 'x', digits[b >> 4U], digits[b & 15U]};
      }
      text.remove_prefix(c.bytes == 0 ? 1 : c.bytes);
    } else {
      out += text.substr(0, c.bytes);
      text.remove_prefix(c.bytes);
    }
  }
  return out;
}

std::string format_number(double v) {
  std::array<char, 32> buffer{};
  const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), v);
  return {buffer.data(), end.ptr};
}

/// Collects the problems of one configuration; every check names its key, so that a caller can tell them apart.
class problem_list {
 public:
  void add(std::string_view key, std::string value, std::string_view allowed, std::string message) {
    list_.push_back({std::string(key), std::move(value), std::string(allowed), std::move(message)});
  }

  bool count(std::string_view key, std::int64_t v, std::int64_t low, std::int64_t high, std::string_view allowed) {
    if (v >= low && v <= high) return true;
    add(key, std::to_string(v), allowed, "out of range");
    return false;
  }

  bool duration(std::string_view key, nanoseconds v, nanoseconds high, std::string_view allowed) {
    if (v >= nanoseconds{0} && v <= high) return true;
    add(key, format_duration(v), allowed, v < nanoseconds{0} ? "a duration cannot be negative" : "out of range");
    return false;
  }

  /// `good` decides; written so that NaN, for which every comparison is false, is refused.
  bool number(std::string_view key, double v, bool good, std::string_view allowed) {
    if (good) return true;
    add(key, format_number(v), allowed, std::isnan(v) ? "not a number" : "out of range");
    return false;
  }

  std::vector<problem> take() { return std::move(list_); }

 private:
  std::vector<problem> list_;
};

/// A share above 0 and at most 1 that is still above 0 when held in millionths.
bool is_rate(double v) { return v > 0.0 && v <= 1.0 && std::llround(v * 1e6) >= 1; }

bool check_window(const config& c, problem_list& problems) {
  constexpr std::string_view allowed = "calls 1 … 10000, or a duration 100ms … 24h";
  if (c.window.timed) {
    if (c.window.duration >= shortest_window && c.window.duration <= one_day) return true;
    problems.add("window", format_duration(c.window.duration), allowed, "out of range");
    return false;
  }
  return problems.count("window", c.window.calls, 1, largest_count_window, allowed);
}

void check_minimum_calls(const config& c, bool window_is_good, problem_list& problems) {
  constexpr std::string_view allowed = "1 … 1048576, not above a count window";
  if (!c.minimum_calls) return;
  if (!problems.count("minimum_calls", *c.minimum_calls, 1, largest_count, allowed)) return;
  if (window_is_good && !c.window.timed && *c.minimum_calls > c.window.calls) {
    problems.add("minimum_calls", std::to_string(*c.minimum_calls), allowed,
                 "above the window of " + std::to_string(c.window.calls) + " calls, so no rate would ever be judged");
  }
}

void check_slow_rate(const config& c, problem_list& problems) {
  constexpr std::string_view allowed = "above 0, at most 1; only with slow_call_duration";
  if (!c.slow_call_rate_threshold) return;
  const double rate = *c.slow_call_rate_threshold;
  if (!problems.number("slow_call_rate_threshold", rate, is_rate(rate), allowed)) return;
  if (c.slow_call_duration == nanoseconds{0}) {
    problems.add("slow_call_rate_threshold", format_number(rate), allowed,
                 "set without slow_call_duration, so no call would ever be slow");
  }
}

}  // namespace

std::vector<problem> config::validate() const {
  problem_list problems;
  constexpr nanoseconds any = nanoseconds::max();

  // A rule is off when its key is exactly 0. A key that is out of range is reported for itself; that it switches no
  // rule on would only be a consequence of it.
  constexpr std::string_view threshold_allowed = "0 … 1048576, 0 = off";
  const bool no_rule = failure_threshold == 0 && failure_rate_threshold == 0.0 && failure_count_threshold == 0 &&
                       slow_call_duration == nanoseconds{0};
  if (no_rule) {
    problems.add("failure_threshold", "0", threshold_allowed,
                 "no rule is on, so the circuit could never open; set this, failure_rate_threshold, "
                 "failure_count_threshold or slow_call_duration");
  } else {
    problems.count("failure_threshold", failure_threshold, 0, largest_count, threshold_allowed);
  }

  const bool window_is_good = check_window(*this, problems);
  problems.count("window_buckets", window_buckets, 1, 60, "1 … 60");
  check_minimum_calls(*this, window_is_good, problems);
  problems.number("failure_rate_threshold", failure_rate_threshold,
                  failure_rate_threshold == 0.0 || is_rate(failure_rate_threshold), "above 0, at most 1; 0 = off");
  problems.count("failure_count_threshold", failure_count_threshold, 0, largest_count, "0 … 1048576, 0 = off");
  problems.duration("slow_call_duration", slow_call_duration, any, "0s or longer, 0 = off");
  check_slow_rate(*this, problems);

  const bool open_is_good = problems.duration("open_duration", open_duration, one_day, "0s … 24h");
  problems.number("open_duration_multiplier", open_duration_multiplier,
                  open_duration_multiplier >= 1.0 && open_duration_multiplier <= 10.0, "1 … 10");
  if (max_open_duration) {
    constexpr std::string_view allowed = "open_duration or longer";
    const bool good = problems.duration("max_open_duration", *max_open_duration, any, allowed);
    if (good && open_is_good && *max_open_duration < open_duration) {
      problems.add("max_open_duration", format_duration(*max_open_duration), allowed,
                   "shorter than open_duration, which is " + format_duration(open_duration));
    }
  }
  problems.number("jitter", jitter, jitter >= 0.0 && jitter <= 1.0, "0 … 1");
  problems.duration("min_reset_interval", min_reset_interval, any, "0s or longer");

  problems.count("half_open_max_calls", half_open_max_calls, 1, 1'000, "1 … 1000");
  problems.count("success_threshold", success_threshold, 1, 1'000, "1 … 1000");
  if (probe_timeout) problems.duration("probe_timeout", *probe_timeout, any, "0s or longer, 0 = never");
  problems.duration("call_timeout", call_timeout, any, "0s or longer, 0 = off");
  problems.count("state_history", state_history, 0, 100'000, "0 … 100000");
  return problems.take();
}

std::optional<problem> validate_name(std::string_view name) {
  const auto refuse = [&](std::string message) {
    return problem{"name", std::string(name), "1 … 200 bytes of UTF-8 without control characters", std::move(message)};
  };
  if (name.empty()) return refuse("a circuit breaker needs a name");
  if (name.size() > longest_name) return refuse("the name has " + std::to_string(name.size()) + " bytes");
  for (std::size_t at = 0; at < name.size();) {
    const code_point c = decode(name.substr(at));
    if (c.bytes == 0) return refuse("not valid UTF-8 at byte " + std::to_string(at + 1));
    if (is_control(c.value)) return refuse("a control character at byte " + std::to_string(at + 1));
    at += c.bytes;
  }
  return std::nullopt;
}

std::string to_string(const problem& p) {
  std::string out = shown(p.key, longest_shown);
  if (!p.value.empty()) out += " = " + shown(p.value, longest_shown);
  out += ": " + shown(p.message, std::string::npos);  // names files and tables, whose names come from outside too
  if (!p.allowed.empty()) out += " (allowed: " + p.allowed + ")";
  return out;
}

std::string format_duration(nanoseconds d) {
  struct unit {
    std::string_view name;
    std::uint64_t length;
  };
  // Largest first: of two spellings that are equally short, the larger unit is the one people would write.
  constexpr std::array units{unit{"h", 3'600'000'000'000}, unit{"m", 60'000'000'000}, unit{"s", 1'000'000'000},
                             unit{"ms", 1'000'000},        unit{"us", 1'000},         unit{"ns", 1}};
  if (d == nanoseconds{0}) return "0s";
  const bool negative = d < nanoseconds{0};
  // Unsigned, because the most negative duration has no positive counterpart.
  const auto bits = static_cast<std::uint64_t>(d.count());
  const std::uint64_t magnitude = negative ? ~bits + 1 : bits;

  std::string best;
  for (const unit& u : units) {
    if (magnitude < u.length) continue;  // 500ms, not 0.5s
    std::string text = std::to_string(magnitude / u.length);
    std::uint64_t rest = magnitude % u.length;
    if (rest != 0) text += '.';
    // Minutes and hours have spellings that never end (100s = 1.666…m); such a unit is passed over.
    for (int digits = 0; rest != 0 && digits < 13; ++digits) {
      rest *= 10;
      text += static_cast<char>('0' + rest / u.length);
      rest %= u.length;
    }
    if (rest != 0) continue;
    text += u.name;
    if (best.empty() || text.size() < best.size()) best = std::move(text);
  }
  return negative ? "-" + best : best;
}

}  // namespace switchgear::inline v1
