// SPDX-License-Identifier: Apache-2.0
#include "switchgear/config/keys.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <vector>

namespace switchgear::inline v1 {
namespace {

using std::chrono::nanoseconds;

// How each type of member is read and spelled; an optional is its value once it is set.
reading<bool> read(const raw_value& raw, bool) { return read_bool(raw); }
reading<std::int64_t> read(const raw_value& raw, std::int64_t) { return read_count(raw); }
reading<double> read(const raw_value& raw, double) { return read_number(raw); }
reading<nanoseconds> read(const raw_value& raw, nanoseconds) { return read_duration(raw); }
reading<window_size> read(const raw_value& raw, window_size) { return read_window(raw); }
template <class T>
reading<T> read(const raw_value& raw, const std::optional<T>&) {
  return read(raw, T{});
}

std::optional<raw_value> spell(bool v) { return raw_value::boolean(v); }
std::optional<raw_value> spell(std::int64_t v) { return raw_value::integer(v); }
std::optional<raw_value> spell(double v) { return raw_value::real(v); }
std::optional<raw_value> spell(nanoseconds v) { return raw_value::text(format_duration(v)); }
std::optional<raw_value> spell(window_size v) { return v.timed ? spell(v.duration) : spell(v.calls); }
template <class T>
std::optional<raw_value> spell(const std::optional<T>& v) {
  return v ? spell(*v) : std::nullopt;
}

template <auto Member>
std::string assign(config& c, const raw_value& raw) {
  auto result = read(raw, c.*Member);
  if (!result) return std::move(result.error);
  c.*Member = *result.value;
  return {};
}

template <auto Member>
std::optional<raw_value> value_of(const config& c) {
  return spell(c.*Member);
}

template <auto Member>
void default_of(config& c) {
  c.*Member = config{}.*Member;
}

/// A rule that could not be read was meant to be on.
template <auto Member>
void one(config& c) {
  c.*Member = std::remove_reference_t<decltype(c.*Member)>{1};
}

void widest_window(config& c) { c.window = last(std::chrono::hours(24)); }

void shortest_open_duration(config& c) { c.open_duration = nanoseconds{0}; }

template <auto Member>
constexpr key_info row(std::string_view key, std::string_view alias, value_kind kind, std::string_view default_value,
                       std::string_view allowed, std::string_view meaning,
                       void (*stand_in)(config&) = default_of<Member>) {
  return {key, alias, kind, default_value, allowed, meaning, assign<Member>, value_of<Member>, stand_in};
}

using enum value_kind;

constexpr std::array table{
    row<&config::enabled>("enabled", "", boolean, "true", "true or false", "a pass-through when false"),
    row<&config::shadow>("shadow", "", boolean, "false", "true or false", "judge and report, but admit every call"),
    row<&config::failure_threshold>("failure_threshold", "", count, "5", "0 … 1048576, 0 = off",
                                    "open after this many failures in a row", one<&config::failure_threshold>),
    row<&config::window>("window", "sliding_window_size", window, "100", "calls 1 … 10000, or a duration 100ms … 24h",
                         "what the rules about rates and counts look at: a number of calls, or a duration",
                         widest_window),
    row<&config::window_buckets>("window_buckets", "", count, "10", "1 … 60", "how finely a time window slides"),
    row<&config::minimum_calls>("minimum_calls", "", count, "10, or the count window if that is smaller",
                                "1 … 1048576, not above a count window",
                                "rates are not judged before the window holds this many calls"),
    row<&config::failure_rate_threshold>("failure_rate_threshold", "", number, "0 = off", "above 0, at most 1; 0 = off",
                                         "open when this share of the window failed",
                                         one<&config::failure_rate_threshold>),
    row<&config::failure_count_threshold>("failure_count_threshold", "", count, "0 = off", "0 … 1048576, 0 = off",
                                          "open when the window holds this many failures",
                                          one<&config::failure_count_threshold>),
    row<&config::slow_call_duration>("slow_call_duration", "", duration, "0 = off", "0s or longer, 0 = off",
                                     "a call that takes this long is slow", one<&config::slow_call_duration>),
    row<&config::slow_call_rate_threshold>("slow_call_rate_threshold", "", number, "1.0",
                                           "above 0, at most 1; only with slow_call_duration",
                                           "open when this share of the window was slow"),
    row<&config::open_duration>("open_duration", "recovery_timeout", duration, "60s", "0s … 24h",
                                "how long an open circuit rejects before it lets a probe through",
                                shortest_open_duration),
    row<&config::open_duration_multiplier>("open_duration_multiplier", "", number, "1.0", "1 … 10",
                                           "each failed recovery multiplies the open duration by this"),
    row<&config::max_open_duration>("max_open_duration", "", duration, "10m, or open_duration if that is longer",
                                    "open_duration or longer", "the longest the multiplier can make it"),
    row<&config::jitter>("jitter", "", number, "0", "0 … 1",
                         "up to this share of the open duration is added at random"),
    row<&config::min_reset_interval>("min_reset_interval", "", duration, "0", "0s or longer",
                                     "the least time from an opening to the next probe"),
    row<&config::half_open_max_calls>("half_open_max_calls", "", count, "1", "1 … 1000",
                                      "probes in flight at a time while half-open"),
    row<&config::success_threshold>("success_threshold", "half_open_success_threshold", count, "2", "1 … 1000",
                                    "probe successes that close the circuit"),
    row<&config::probe_timeout>("probe_timeout", "", duration, "open_duration, at least 1s", "0s or longer, 0 = never",
                                "a probe without a verdict loses its slot after this"),
    row<&config::call_timeout>("call_timeout", "", duration, "0 = off", "0s or longer, 0 = off",
                               "a call that takes longer has failed"),
    row<&config::state_history>("state_history", "", count, "1000", "0 … 100000", "how many transitions are kept"),
};

/// Typing errors between two names: letters missing, extra, wrong, or two swapped.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before(b.size() + 1), above(b.size() + 1), row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) above[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      row[j] = std::min({above[j] + 1, row[j - 1] + 1, above[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1)});
      const bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
      if (swapped) row[j] = std::min(row[j], before[j - 2] + 1);
    }
    std::swap(before, above);
    std::swap(above, row);
  }
  return above[b.size()];
}

}  // namespace

std::span<const key_info> config_keys() { return table; }

key_match find_key(std::string_view name) {
  if (name.empty()) return {};
  for (const key_info& info : table) {
    if (info.key == name) return {&info, false};
    if (info.alias == name) return {&info, true};
  }
  return {};
}

std::optional<std::pair<std::string_view, std::string_view>> ambiguous_key(std::string_view name) {
  if (name == "timeout_seconds") return std::pair{std::string_view("open_duration"), std::string_view("call_timeout")};
  if (name == "reset_timeout")
    return std::pair{std::string_view("open_duration"), std::string_view("min_reset_interval")};
  return std::nullopt;
}

std::string_view nearest_key(std::string_view name) {
  std::vector<std::string_view> all;
  for (const key_info& info : table) all.push_back(info.key);
  for (const key_info& info : table) {
    if (!info.alias.empty()) all.push_back(info.alias);
  }
  return nearest(name, all);
}

std::string_view nearest(std::string_view name, std::span<const std::string_view> among) {
  // Names come from outside; no key is longer than this, and the work grows with the length.
  std::string wanted(name.substr(0, 64));
  for (char& c : wanted) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');  // the wrong case is the smallest of typing errors
  }
  std::string_view best;
  std::size_t least = std::numeric_limits<std::size_t>::max();
  for (const std::string_view candidate : among) {
    const std::size_t d = distance(wanted, candidate);
    if (d < least) best = candidate, least = d;
  }
  return best;
}

}  // namespace switchgear::inline v1
