// SPDX-License-Identifier: Apache-2.0
#include <switchgear/json.hpp>
#include <switchgear/snapshot.hpp>

namespace switchgear::inline v1 {
namespace {

double share(std::uint64_t part, std::uint64_t whole, double of_nothing = 0.0) noexcept {
  return whole == 0 ? of_nothing : static_cast<double>(part) / static_cast<double>(whole);
}

/// Builds one JSON object, member by member.
class object {
 public:
  object& raw(std::string_view key, const std::string& json) {
    text_ += (text_.empty() ? "{" : ",") + json_string(key) + ":" + json;
    return *this;
  }
  object& number(std::string_view key, std::uint64_t n) { return raw(key, std::to_string(n)); }
  object& number(std::string_view key, double n) { return raw(key, json_number(n)); }
  object& string(std::string_view key, std::string_view s) { return raw(key, json_string(s)); }
  object& seconds(std::string_view key, const std::optional<std::chrono::nanoseconds>& d) {
    return raw(key, d ? json_number(static_cast<double>(d->count()) / 1e9) : "null");
  }
  object& time(std::string_view key, const std::optional<std::chrono::system_clock::time_point>& t) {
    return raw(key, t ? json_string(utc_time(*t)) : "null");
  }
  [[nodiscard]] std::string done() const { return (text_.empty() ? "{" : text_) + "}"; }

 private:
  std::string text_;
};

}  // namespace

double lifetime_metrics::failure_rate() const noexcept { return share(failures, successes + failures); }
double lifetime_metrics::success_rate() const noexcept { return share(successes, successes + failures, 1.0); }
double lifetime_metrics::rejection_rate() const noexcept { return share(rejections, total_calls()); }
double window_metrics::failure_rate() const noexcept { return share(failures, calls); }
double window_metrics::slow_rate() const noexcept { return share(slow, calls); }

std::string to_json(const snapshot& s) {
  const lifetime_metrics& m = s.metrics;
  object metrics;
  metrics.number("total_calls", m.total_calls()).number("successes", m.successes).number("failures", m.failures)
      .number("timeouts", m.timeouts).number("ignored", m.ignored).number("abandoned", m.abandoned)
      .number("slow_calls", m.slow_calls).number("rejections", m.rejections).number("would_reject", m.would_reject)
      .number("late_results", m.late_results).number("expired_probes", m.expired_probes)
      .number("transitions", m.transitions).number("failure_rate", m.failure_rate())
      .number("success_rate", m.success_rate()).number("rejection_rate", m.rejection_rate());

  object window;
  window.number("calls", s.window.calls).number("failures", s.window.failures).number("slow", s.window.slow)
      .number("failure_rate", s.window.failure_rate()).number("slow_rate", s.window.slow_rate());

  object now;
  now.number("generation", s.generation).number("consecutive_failures", std::uint64_t{s.consecutive_failures})
      .number("half_open_successes", std::uint64_t{s.half_open_successes})
      .number("probes_in_flight", std::uint64_t{s.probes_in_flight}).seconds("retry_after", s.retry_after)
      .seconds("time_in_state", s.time_in_state).time("last_failure_time", s.last_failure_time);
  now.raw("last_failure", s.last_failure_time ? json_string(s.last_failure) : "null");
  if (s.operator_override) {
    now.raw("override", object()
                            .string("owner", s.operator_override->owner)
                            .string("reason", s.operator_override->reason)
                            .time("until", s.operator_override->until)
                            .done());
  } else {
    now.raw("override", "null");
  }

  std::string changes = "[";
  for (const state_change& c : s.state_changes) {
    if (changes.size() > 1) changes += ",";
    changes += object()
                   .string("timestamp", utc_time(c.timestamp))
                   .string("from_state", to_string(c.from_state))
                   .string("to_state", to_string(c.to_state))
                   .string("reason", c.reason)
                   .number("failure_count", std::uint64_t{c.failure_count})
                   .number("generation", c.generation)
                   .done();
  }
  return object()
      .string("name", s.name)
      .string("state", to_string(s.state))
      .raw("metrics", metrics.done())
      .raw("window", window.done())
      .raw("now", now.done())
      .raw("state_changes", changes + "]")
      .done();
}

}  // namespace switchgear::inline v1
