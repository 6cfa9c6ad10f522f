// SPDX-License-Identifier: Apache-2.0
// What a breaker does for those who decide for many, and with a block that is not its own.
#include <switchgear/circuit_breaker.hpp>
#include <switchgear/machine/describe.hpp>

#include <algorithm>

namespace switchgear::inline v1 {

// --- a home that others share ---

void circuit_breaker::follow_home() noexcept {
  const std::unique_lock lock(mutex_, std::try_to_lock);
  if (!lock) return;  // somebody else is at it
#if SWITCHGEAR_HAS_EXCEPTIONS
  try {
    take_up(home_->regime());
  } catch (...) {
    // What was in force stays; tried again when the circuit is next looked at.
  }
#else
  take_up(home_->regime());
#endif
}

void circuit_breaker::take_up(const detail::shared_regime& regime) {
  if (regime.epoch == storage_.in_force().epoch) return;
  way_.store(none);
  storage_.follow(machine::resolve(regime.configuration, regime.epoch), regime.window);
  configuration_ = std::make_unique<config>(regime.configuration);
  update_way();
}

std::optional<detail::override_note> circuit_breaker::override_of(std::uint64_t generation) const {
  if (home_) return home_->override_of(generation);
  const std::lock_guard lock(mutex_);
  if (!operator_ || operator_->override_generation != generation) return {};
  return detail::override_note{operator_->owner, operator_->reason};
}

namespace detail {

void breaker_access::use_lanes(circuit_breaker& which, std::uint32_t first, std::uint32_t count) noexcept {
  which.storage_.use_lanes(first, count);
}

// --- watching ---

void breaker_access::watch(circuit_breaker& which, transition_watcher* watcher) noexcept {
  which.watcher_.store(watcher, std::memory_order_release);  // pairs with the acquire loads of those who tell it
}

std::size_t breaker_access::observers(const circuit_breaker& which) noexcept {
  const event_hub* const hub = which.hub_.load();
  return hub == nullptr ? 0 : hub->observers();
}

std::string breaker_access::instance(const circuit_breaker& which) {
  const event_hub* const hub = which.hub_.load();
  return hub == nullptr ? std::string() : hub->instance();
}

// --- deciding from outside ---

machine::state_word breaker_access::word(const circuit_breaker& which) noexcept {
  return {which.storage_.header().word.load()};
}

glance breaker_access::look(const circuit_breaker& which) noexcept {
  const machine::real_machine engine = which.storage_.machine();
  for (int tries = 0;; ++tries) {
    glance out;
    out.word = word(which);
    out.facts = engine.known_facts();
    out.gate = engine.gate();
    out.now = which.now();
    // All of one generation; after a few transitions in a row the last one is as good as any.
    if (word(which).generation() == out.word.generation() || tries >= 8) return out;
  }
}

std::uint64_t breaker_access::rejections(const circuit_breaker& which) noexcept {
  return which.storage_.machine().metrics().rejections;
}

std::optional<std::uint64_t> breaker_access::impose_open(circuit_breaker& which, std::uint64_t generation,
                                                         const imposed_opening& what, std::string why) {
  const std::int64_t now = which.now();
  const machine::real_machine::opening opening{
      machine::later(now, std::max<std::int64_t>(0, what.remaining.count())), what.attempt, what.failure_count};
  machine::transitions changes;
  if (!which.storage_.machine().impose_open(generation, opening, now, changes)) return {};
  if (changes.count == 0) return generation;
  which.report(changes, std::make_shared<const std::string>(std::move(why)));
  return changes.items[changes.count - 1].generation;
}

std::optional<std::uint64_t> breaker_access::impose_closed(circuit_breaker& which, std::uint64_t generation, std::uint32_t share,
                                                           std::string why) {
  machine::transitions changes;
  if (!which.storage_.machine().impose_closed(generation, share, which.now(), changes)) return {};
  which.report(changes, std::make_shared<const std::string>(std::move(why)));
  return changes.items[changes.count - 1].generation;
}

bool breaker_access::set_share(circuit_breaker& which, std::uint64_t generation, std::uint32_t share) noexcept {
  conduct(which);
  return which.storage_.machine().set_share(generation, share);
}

bool breaker_access::set_gate(circuit_breaker& which, machine::gate_word expected, machine::gate_word next) noexcept {
  conduct(which);
  return which.storage_.machine().set_gate(expected, next);
}

void breaker_access::conduct(circuit_breaker& which) noexcept { which.storage_.machine().conduct(which.now()); }

machine::window_totals breaker_access::window(const circuit_breaker& which) noexcept {
  return which.storage_.machine().observe(which.now()).window;
}

std::optional<std::pair<std::string, std::uint32_t>> breaker_access::judge(const circuit_breaker& which,
                                                                           const machine::window_totals& held) {
  machine::transition why;
  if (!which.storage_.machine().would_trip(held, why)) return {};
  return std::pair{machine::describe(why), why.failure_count};
}

std::chrono::nanoseconds breaker_access::open_duration(const circuit_breaker& which, std::uint32_t attempt) noexcept {
  return std::chrono::nanoseconds(machine::open_duration(settings(which), attempt, 0));
}

const machine::settings& breaker_access::settings(const circuit_breaker& which) noexcept { return which.storage_.in_force(); }

}  // namespace detail
}  // namespace switchgear::inline v1
