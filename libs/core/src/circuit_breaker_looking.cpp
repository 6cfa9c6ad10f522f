// SPDX-License-Identifier: Apache-2.0
// What a breaker tells of itself without changing anything.
#include <switchgear/circuit_breaker.hpp>
#include <switchgear/machine/describe.hpp>
#include <switchgear/machine/figures.hpp>

#include <algorithm>

namespace switchgear::inline v1 {

state circuit_breaker::state() const noexcept {
  follow_home_if_changed();
  const machine::state_word word{storage_.header().word.load()};
  const bool timeless = word.state() == state::closed || word.state() == state::half_open;
  return storage_.machine().observed_state(timeless ? 0 : now());
}

config circuit_breaker::configuration() const {
  follow_home_if_changed();
  const std::lock_guard lock(mutex_);
  return configuration_ ? *configuration_ : config{};
}

std::vector<state_change> circuit_breaker::history() const {
  if (home_) return home_->history();
  std::vector<state_change> out;
  const std::int64_t time = now();
  const auto items = [this] {
    const std::lock_guard lock(mutex_);
    return history_.list();
  }();
  for (const auto& item : items) {
    out.push_back({item.change.from, item.change.to, wall_time(item.change.at, time),
                   machine::describe(item.change, item.text),
                   item.change.failure_count, item.change.generation});
  }
  return out;
}

snapshot circuit_breaker::snapshot() const {
  switchgear::snapshot out = figures();
  out.state_changes = history();
  return out;
}

snapshot circuit_breaker::figures() const {
  follow_home_if_changed();
  const std::int64_t time = now();
  const machine::observation seen = storage_.machine().observe(time);
  switchgear::snapshot out = machine::figures(seen, storage_.machine().metrics(), time);
  out.name = name_;
  if (seen.last_failure_at >= 0) {
    out.last_failure_time = wall_time(seen.last_failure_at, time);
    out.last_failure = last_failure_text();
  }
  if (seen.state == state::forced_open || seen.state == state::disabled) {
    if (const auto note = override_of(seen.generation)) {
      out.operator_override = override_info{note->owner, note->reason, {}};
      if (seen.facts.until >= 0) out.operator_override->until = wall_time(seen.facts.until, time);
    }
  }
  return out;
}

}  // namespace switchgear::inline v1
