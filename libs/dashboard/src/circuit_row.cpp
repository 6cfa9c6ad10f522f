// SPDX-License-Identifier: Apache-2.0
#include "circuit_row.hpp"

#include "json_object.hpp"

#include <algorithm>
#include <cstddef>
#include <tuple>
#include <utility>

namespace switchgear::inline v1::detail {
namespace {

using wall_time = std::chrono::system_clock::time_point;

/// Two readings of one moment are never as far apart as this, unless the wall clock was set.
constexpr auto apart = std::chrono::milliseconds(100);

wall_time later(wall_time now, std::chrono::nanoseconds by) {
  if (by > wall_time::max() - now) return wall_time::max();
  return now + std::chrono::duration_cast<std::chrono::system_clock::duration>(by);
}

void keep_if_close(std::optional<wall_time>& now, const std::optional<wall_time>& before) {
  if (now && before && std::chrono::abs(*now - *before) < apart) now = before;
}

auto counters(const lifetime_metrics& m) noexcept {
  return std::tie(m.successes, m.failures, m.timeouts, m.ignored, m.abandoned, m.slow_calls, m.rejections, m.would_reject,
                  m.late_results, m.expired_probes, m.transitions);
}

auto numbers(const snapshot& s) noexcept {
  return std::tie(s.state, s.generation, s.consecutive_failures, s.half_open_successes, s.probes_in_flight, s.window.calls,
                  s.window.failures, s.window.slow, s.last_failure_time);
}

auto others(const circuit_reading& r) noexcept {
  return std::tie(r.counted, r.enabled, r.shadow, r.now.last_failure, r.reason, r.source, r.not_operable);
}

bool same_override(const std::optional<override_info>& a, const std::optional<override_info>& b) noexcept {
  if (!a || !b) return a.has_value() == b.has_value();
  return std::tie(a->owner, a->reason, a->until) == std::tie(b->owner, b->reason, b->until);
}

void add_window(std::string& out, const window_metrics& w) {
  json_object(out)
      .number("calls", w.calls)
      .number("failures", w.failures)
      .number("slow", w.slow)
      .number("failure_rate", w.failure_rate())
      .number("slow_rate", w.slow_rate())
      .end();
}

void add_metrics(std::string& out, const lifetime_metrics& m) {
  json_object(out)
      .number("total_calls", m.total_calls())
      .number("successes", m.successes)
      .number("failures", m.failures)
      .number("timeouts", m.timeouts)
      .number("ignored", m.ignored)
      .number("abandoned", m.abandoned)
      .number("slow_calls", m.slow_calls)
      .number("rejections", m.rejections)
      .number("would_reject", m.would_reject)
      .number("late_results", m.late_results)
      .number("expired_probes", m.expired_probes)
      .number("transitions", m.transitions)
      .number("failure_rate", m.failure_rate())
      .number("success_rate", m.success_rate())
      .number("rejection_rate", m.rejection_rate())
      .end();
}

void add_rates(std::string& out, const measured_rates& r) {
  json_object(out)
      .number("calls_per_second", r.calls_per_second)
      .number("failure_rate", r.failure_rate)
      .number("slow_rate", r.slow_rate)
      .number("rejection_rate", r.rejection_rate)
      .end();
}

}  // namespace

circuit_row row_after(const circuit_row* before, circuit_reading&& reading, wall_time now) {
  circuit_row out;
  out.reading = std::move(reading);
  snapshot& s = out.reading.now;
  const bool same_state =
      before != nullptr && before->reading.now.generation == s.generation && before->reading.now.state == s.state;
  out.since = same_state ? before->since : later(now, -s.time_in_state);
  if (s.retry_after) {
    out.retry_at = same_state && before->retry_at ? before->retry_at : std::optional(later(now, *s.retry_after));
  }
  if (before == nullptr) return out;
  out.critical = before->critical;
  out.rates = before->rates;
  const snapshot& was = before->reading.now;
  if (out.reading.counted && s.metrics.failures == was.metrics.failures && s.last_failure_time && was.last_failure_time) {
    s.last_failure_time = was.last_failure_time;
  } else {
    keep_if_close(s.last_failure_time, was.last_failure_time);
  }
  if (s.operator_override && was.operator_override) keep_if_close(s.operator_override->until, was.operator_override->until);
  return out;
}

bool same_row(const circuit_row& a, const circuit_row& b) noexcept {
  return numbers(a.reading.now) == numbers(b.reading.now) && counters(a.reading.now.metrics) == counters(b.reading.now.metrics) &&
         others(a.reading) == others(b.reading) && a.since == b.since && a.retry_at == b.retry_at && a.rates == b.rates &&
         same_override(a.reading.now.operator_override, b.reading.now.operator_override);
}

std::string to_json(const circuit_row& row) {
  const circuit_reading& r = row.reading;
  const snapshot& s = r.now;
  std::string out;
  out.reserve(1024);
  json_object object(out);
  object.text("name", s.name)
      .text("instance", r.instance)
      .text("source", r.source)
      .text("state", to_string(s.state))
      .time("since", row.since)
      .text("reason", r.reason)
      .boolean("enabled", r.enabled)
      .boolean("shadow", r.shadow)
      .boolean("critical", row.critical)
      .text("not_operable", r.not_operable)
      .time("retry_at", row.retry_at)
      .number("generation", s.generation)
      .number("consecutive_failures", s.consecutive_failures)
      .number("half_open_successes", s.half_open_successes)
      .number("probes_in_flight", s.probes_in_flight);
  if (s.operator_override) {
    json_object(object.member("override"))
        .text("owner", s.operator_override->owner)
        .text("reason", s.operator_override->reason)
        .time("until", s.operator_override->until)
        .end();
  } else {
    object.raw("override", "null");
  }
  object.boolean("counted", r.counted);
  add_window(object.member("window"), s.window);
  if (r.counted) {
    add_rates(object.member("rates"), row.rates);
  } else {
    object.raw("rates", "null");
  }
  if (s.last_failure_time) {
    json_object(object.member("last_failure")).time("time", *s.last_failure_time).text("text", s.last_failure).end();
  } else {
    object.raw("last_failure", "null");
  }
  if (r.counted) {
    add_metrics(object.member("metrics"), s.metrics);
  } else {
    object.raw("metrics", "null");
  }
  object.end();
  return out;
}

std::string kept_text(const std::string& text) {
  constexpr std::size_t longest = 1'000;
  std::size_t end = std::min(text.size(), longest);
  // What is left of a character whose end is beyond has three bytes at most.
  for (int i = 0; i < 3 && end < text.size() && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80; ++i) --end;
  return text.substr(0, end);
}

int severity(state s) noexcept {
  switch (s) {
    case state::forced_open: return 4;
    case state::open: return 3;
    case state::half_open: return 2;
    case state::disabled: return 1;
    case state::closed: break;
  }
  return 0;
}

}  // namespace switchgear::inline v1::detail
