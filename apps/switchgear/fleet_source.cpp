// SPDX-License-Identifier: Apache-2.0
#include "fleet_source.hpp"

#include <switchgear/detail/event_hub.hpp>
#include <switchgear/errors.hpp>
#include <switchgear/json.hpp>

#include <algorithm>
#include <utility>

namespace fleet = switchgear::fleet;
using switchgear::action_outcome;
using switchgear::circuit_action;
using switchgear::circuit_reading;
using switchgear::event;
using switchgear::event_kind;
using switchgear::state;

namespace {

constexpr std::size_t most_changes = 100;

/// Of one read(): a question for each is a round trip, and nobody waits for hundreds of those.
constexpr std::size_t most_questions = 20;

bool is_override(state s) { return s == state::forced_open || s == state::disabled; }

event_kind kind_to(state s) {
  switchgear::machine::transition change;
  change.to = s;
  return switchgear::detail::kind_of(change);
}

event event_of(const std::string& name, const switchgear::state_change& change) {
  event e;
  e.kind = change.from_state == change.to_state ? event_kind::reset : kind_to(change.to_state);
  e.service = name;
  e.instance = fleet_source::row_instance;
  e.previous_state = change.from_state;
  e.state = change.to_state;
  e.reason = change.reason;
  e.failure_count = change.failure_count;
  e.generation = e.sequence = change.generation;
  e.time = change.timestamp;
  e.id = switchgear::make_uuid();
  return e;
}

fleet::operator_action action_of(circuit_action::kind what) {
  if (what == circuit_action::kind::force_open) return fleet::operator_action::force_open;
  if (what == circuit_action::kind::disable) return fleet::operator_action::disable;
  return fleet::operator_action::close;
}

}  // namespace

std::string reason_of(const fleet::decision& d) {
  // Whom operators sat beside says nothing; the owner does.
  if (d.by.empty() || d.cause == "operator") return d.reason;
  return d.reason.empty() ? d.by : d.reason + " (" + d.by + ")";
}

std::vector<circuit_reading> fleet_source::read() {
  std::vector<fleet::decision> decisions = fleet_->records();
  std::vector<circuit_reading> readings;
  std::vector<event> news;
  {
    const std::lock_guard lock(mutex_);
    const auto now = std::chrono::steady_clock::now();
    std::map<std::string, circuit, std::less<>> before;
    before.swap(circuits_);
    for (fleet::decision& d : decisions) {
      if (auto known = before.extract(d.name)) circuits_.insert(std::move(known));
      take(std::move(d), now, news);
    }
    ask_since(now);
    has_read_ = true;
    for (const auto& [name, c] : circuits_) readings.push_back(reading_of(c, now));
  }
  for (const event& e : news) listeners_.tell(e);
  return readings;
}

void fleet_source::take(decision&& d, time_point now, std::vector<event>& news) {
  const auto [at, is_new] = circuits_.try_emplace(d.name);
  circuit& c = at->second;
  const bool is_known = !is_new || has_read_;  // what appears later began as one that nobody had decided about
  if (!is_known) {
    c.since = now;
    c.has_to_ask_since = true;
  } else if (d.epoch != c.last.epoch) {
    const switchgear::state_change change{.from_state = c.last.state,
                                          .to_state = d.state,
                                          .timestamp = std::chrono::system_clock::now(),
                                          .reason = reason_of(d),
                                          .failure_count = d.failure_count,
                                          .generation = d.epoch};
    c.since = now;
    c.has_to_ask_since = false;
    c.changes.push_back(change);
    if (c.changes.size() > most_changes) c.changes.pop_front();
    news.push_back(event_of(d.name, change));
  }
  c.last = std::move(d);
}

/// Those that reject calls first: it is they who are looked at.
void fleet_source::ask_since(time_point now) {
  std::vector<circuit*> unknown;
  for (auto& [name, c] : circuits_) {
    if (c.has_to_ask_since) unknown.push_back(&c);
  }
  std::stable_partition(unknown.begin(), unknown.end(), [](const circuit* c) { return c->last.state != state::closed; });
  if (unknown.size() > most_questions) unknown.resize(most_questions);
  for (circuit* c : unknown) {
    std::chrono::milliseconds longest{0};
    for (const fleet::instance_view& v : fleet_->views(c->last.name)) {
      const bool same = v.state == c->last.state || (v.state == state::half_open && c->last.state == state::open);
      if (same) longest = std::max(longest, v.since);
    }
    c->since = std::min(c->since, now - longest);
    c->has_to_ask_since = false;
  }
}

circuit_reading fleet_source::reading_of(const circuit& c, time_point now) const {
  const decision& d = c.last;
  circuit_reading r{.now = {}, .counted = false, .reason = reason_of(d), .instance = std::string(row_instance), .source = where_};
  r.now.name = d.name;
  r.now.state = d.state;
  r.now.generation = d.epoch;
  r.now.consecutive_failures = d.state == state::open ? d.failure_count : 0;
  r.now.half_open_successes = d.state == state::open ? d.successes : 0;
  r.now.time_in_state = now - c.since;
  if (d.state == state::open) r.now.retry_after = d.remaining.value_or(std::chrono::milliseconds(0));
  if (is_override(d.state)) {
    switchgear::override_info o{.owner = d.owner, .reason = d.reason, .until = {}};
    if (d.remaining) o.until = std::chrono::system_clock::now() + *d.remaining;
    r.now.operator_override = std::move(o);
  }
  return r;
}

std::optional<switchgear::circuit_detail> fleet_source::detail(std::string_view name, std::string_view instance) {
  if (!instance.empty() && instance != row_instance) return std::nullopt;
  switchgear::circuit_detail out;
  {
    const std::lock_guard lock(mutex_);
    const auto found = circuits_.find(name);
    if (found == circuits_.end()) return std::nullopt;
    out.changes.assign(found->second.changes.begin(), found->second.changes.end());
  }
  out.instances = switchgear::instance_readings(fleet_->views(name));
  return out;
}

action_outcome fleet_source::act(const circuit_action& action) {
  using kind = action_outcome::kind;
  if (!action.instance.empty() && action.instance != row_instance) return {kind::unknown, "there is no such circuit"};
  if (action.what == circuit_action::kind::trip) {
    return {kind::refused, "how long a tripped circuit stays open is known to its instances alone: trip it at one of them, and "
                           "the fleet follows; or force it open for a time"};
  }
  const fleet::decision before = fleet_->record_of(action.name);
  if (before.epoch == 0) return {kind::unknown, "the fleet has decided nothing about a circuit of that name"};
  if (action.what == circuit_action::kind::release && !is_override(before.state)) {
    return {kind::nothing_to_do, "the circuit is " + std::string(to_string(before.state)) + ": there is no override to release"};
  }
  (void)fleet_->operate(action.name, action_of(action.what), action.owner, action.reason, action.ttl);
  if (!fleet_->members().empty()) return {kind::done, {}};
  return {kind::done, "no instance of the fleet is there now; it holds for those that come"};
}

std::string to_json(const circuit_reading& r, const std::vector<switchgear::instance_reading>& instances) {
  std::string out = switchgear::to_json(r.now);
  out.pop_back();
  out += ",\"instances\":[";
  const char* separator = "";
  for (const auto& i : instances) {
    const std::chrono::duration<double> in_state = i.in_state;
    out += separator;
    out += "{\"instance\":" + switchgear::json_string(i.instance) + ",\"state\":\"" + std::string(to_string(i.state)) +
           "\",\"time_in_state\":" + switchgear::json_number(in_state.count()) + ",\"calls\":" + std::to_string(i.calls) +
           ",\"failures\":" + std::to_string(i.failures) + ",\"rejections\":" + std::to_string(i.rejections) +
           ",\"link\":" + switchgear::json_string(i.link) + "}";
    separator = ",";
  }
  return out + "]}";
}
