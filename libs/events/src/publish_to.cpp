// SPDX-License-Identifier: Apache-2.0
#include <switchgear/publish_to.hpp>

#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

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

/// Passes on to a bus what happened to a breaker, after the introduction.
class teller {
 public:
  explicit teller(event_bus& bus) : bus_(bus) {}

  void hear(const event& e) {
    const std::lock_guard lock(mutex_);
    if (introduced_) {
      pass_on(e);
    } else {
      early_.push_back(e);
    }
  }

  void begin(const event& introduction) {
    const std::lock_guard lock(mutex_);
    bus_.publish(introduction);
    generation_ = introduction.generation;
    introduced_ = true;
    for (const event& e : early_) pass_on(e);
    early_ = {};
  }

 private:
  void pass_on(const event& e) {
    // Transitions that the introduction tells of already may still be on their way.
    if (!is_transition(e.kind) || e.generation > generation_) bus_.publish(e);
  }

  event_bus& bus_;
  std::mutex mutex_;
  bool introduced_ = false;
  std::uint64_t generation_ = 0;
  std::vector<event> early_;
};

}  // namespace

event present_event(const circuit_breaker& breaker) {
  return present_event(breaker.snapshot(), detail::breaker_access::instance(breaker), breaker.configuration().shadow);
}

event present_event(const snapshot& now, std::string instance, bool shadow) {
  event e;
  e.service = now.name;
  e.instance = std::move(instance);
  e.generation = e.sequence = now.generation;
  e.present = true;
  e.shadow = shadow;
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
  auto telling = std::make_shared<teller>(bus);
  // Shared, because std::function has to be copyable.
  auto heard = std::make_shared<subscription>(breaker.observe([telling](const event& e) { telling->hear(e); }, filter));
  // After observing: transitions up to the introduction's are part of it, wherever they are by now, and all later ones are heard.
  telling->begin(present_event(breaker));
  return subscription([&bus, &breaker, heard] {
    heard->end();
    bus.withdraw(breaker.name(), detail::breaker_access::instance(breaker));
  });
}

}  // namespace switchgear::inline v1
