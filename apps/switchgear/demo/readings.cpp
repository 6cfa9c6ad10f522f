// SPDX-License-Identifier: Apache-2.0
#include "readings.hpp"

#include <chrono>

namespace switchgear::demo {
namespace {

using nlohmann::json;
using std::chrono::nanoseconds;
using std::chrono::system_clock;

std::optional<nanoseconds> duration_from(const json& seconds) {
  if (seconds.is_null()) return std::nullopt;
  return std::chrono::duration_cast<nanoseconds>(std::chrono::duration<double>(seconds.get<double>()));
}

/// Times go through the pipe as microseconds since 1970: the two ends are one program.
json time_to(const std::optional<system_clock::time_point>& t) {
  if (!t) return nullptr;
  return std::chrono::duration_cast<std::chrono::microseconds>(t->time_since_epoch()).count();
}

std::optional<system_clock::time_point> time_from(const json& j) {
  if (j.is_null()) return std::nullopt;
  return system_clock::time_point(std::chrono::duration_cast<system_clock::duration>(
      std::chrono::microseconds(j.get<std::int64_t>())));
}

void read_counters(snapshot& s, const json& metrics, const json& window) {
  lifetime_metrics& m = s.metrics;
  m.successes = metrics.at("successes");
  m.failures = metrics.at("failures");
  m.timeouts = metrics.at("timeouts");
  m.ignored = metrics.at("ignored");
  m.abandoned = metrics.at("abandoned");
  m.slow_calls = metrics.at("slow_calls");
  m.rejections = metrics.at("rejections");
  m.would_reject = metrics.at("would_reject");
  m.late_results = metrics.at("late_results");
  m.expired_probes = metrics.at("expired_probes");
  m.transitions = metrics.at("transitions");
  s.window = {window.at("calls"), window.at("failures"), window.at("slow")};
}

state state_from(const std::string& name) {
  for (const state s : {state::closed, state::open, state::half_open, state::forced_open}) {
    if (to_string(s) == name) return s;
  }
  return state::disabled;
}

}  // namespace

json to_json(const circuit_reading& r) {
  json j = json::parse(switchgear::to_json(r.now));
  j["instance"] = r.instance;
  j["source"] = r.source;
  j["reason"] = r.reason;
  j["last_failure_time"] = time_to(r.now.last_failure_time);
  j["override_until"] = r.now.operator_override ? time_to(r.now.operator_override->until) : json();
  return j;
}

circuit_reading reading_from(const json& j) {
  circuit_reading r;
  r.instance = j.at("instance");
  r.source = j.at("source");
  r.reason = j.at("reason");
  snapshot& s = r.now;
  s.name = j.at("name");
  s.state = state_from(j.at("state"));
  read_counters(s, j.at("metrics"), j.at("window"));
  const json& now = j.at("now");
  s.generation = now.at("generation");
  s.consecutive_failures = now.at("consecutive_failures");
  s.half_open_successes = now.at("half_open_successes");
  s.probes_in_flight = now.at("probes_in_flight");
  s.retry_after = duration_from(now.at("retry_after"));
  s.time_in_state = duration_from(now.at("time_in_state")).value_or(nanoseconds(0));
  s.last_failure_time = time_from(j.at("last_failure_time"));
  if (s.last_failure_time) s.last_failure = now.at("last_failure");
  if (const json& o = now.at("override"); !o.is_null()) {
    s.operator_override = override_info{o.at("owner"), o.at("reason"), time_from(j.at("override_until"))};
  }
  return r;
}

json to_json(const circuit_action& a) {
  return {{"what", static_cast<int>(a.what)},
          {"name", a.name},
          {"instance", a.instance},
          {"owner", a.owner},
          {"reason", a.reason},
          {"ttl", a.ttl ? json(a.ttl->count()) : json()}};
}

circuit_action action_from(const json& j) {
  circuit_action a;
  a.what = static_cast<circuit_action::kind>(j.at("what").get<int>());
  a.name = j.at("name");
  a.instance = j.at("instance");
  a.owner = j.at("owner");
  a.reason = j.at("reason");
  if (!j.at("ttl").is_null()) a.ttl = nanoseconds(j.at("ttl").get<std::int64_t>());
  return a;
}

}  // namespace switchgear::demo
