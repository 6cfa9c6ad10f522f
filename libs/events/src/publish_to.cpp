// SPDX-License-Identifier: Apache-2.0
#include <switchgear/publish_to.hpp>

#include <chrono>
#include <memory>
#include <utility>

namespace switchgear::inline v1 {
namespace {

event_kind kind_of(state s) noexcept {
  switch (s) {
    case state::open: return event_kind::opened;
    case state::half_open: return event_kind::half_open;
    case state::forced_open: return event_kind::forced_open;
    case state::disabled: return event_kind::disabled;
    case state::closed: break;
  }
  return event_kind::closed;
}

}  // namespace

event present_event(const circuit_breaker& breaker) {
  const snapshot now = breaker.snapshot();
  event e;
  e.service = now.name;
  e.instance = detail::breaker_access::instance(breaker);
  e.generation = e.sequence = now.generation;
  e.present = true;
  e.shadow = breaker.configuration().shadow;
  e.id = make_uuid();
  e.last_failure = now.last_failure_time;
  e.state = e.previous_state = now.state;
  e.time = std::chrono::system_clock::now();
  if (!now.state_changes.empty() && now.state_changes.back().generation == now.generation) {
    const state_change& last = now.state_changes.back();
    e.state = last.to_state;
    e.previous_state = last.from_state;
    e.failure_count = last.failure_count;
    e.reason = last.reason;
    e.time = last.timestamp;
  }
  e.kind = kind_of(e.state);
  return e;
}

subscription publish_to(event_bus& bus, circuit_breaker& breaker, event_filter filter) {
  // Shared, because std::function has to be copyable.
  auto heard = std::make_shared<subscription>(breaker.observe([&bus](const event& e) { bus.publish(e); }, filter));
  // After observing: a transition in between is told, and what is older than it is no news to the bus.
  bus.publish(present_event(breaker));
  return subscription([&bus, &breaker, heard] {
    heard->end();
    bus.withdraw(breaker.name(), detail::breaker_access::instance(breaker));
  });
}

}  // namespace switchgear::inline v1
