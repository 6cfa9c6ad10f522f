// SPDX-License-Identifier: Apache-2.0
#include "joined_circuits.hpp"

#include <algorithm>
#include <utility>

namespace switchgear::inline v1::fleet {
namespace {

using namespace std::chrono_literals;
using access = switchgear::detail::breaker_access;

/// Between two looks at all circuits of a registry: one is some hundred microseconds for some thousand circuits.
constexpr std::chrono::nanoseconds soonest_look = 20ms;
/// How long a circuit that has become idle stays joined: those that fail now and then need not come and go.
constexpr std::chrono::nanoseconds idle_for = 2s;

bool is_switched_off(const circuit_breaker& which) {
  return access::word(which).state() == state::disabled && !which.configuration().enabled;
}

}  // namespace

std::chrono::nanoseconds joined_circuits::follow(agent& who, std::chrono::nanoseconds now, std::chrono::nanoseconds every,
                                                 bool stirred) {
  const registry_metrics is = registry_.metrics();
  const bool full = is.turned_away != seen_.turned_away;
  if (is.breakers > most_idle || full) crowded_ = true;
  stirred_ = (stirred_ || stirred) && crowded_;
  const bool changed = !looked_ || is.created != seen_.created || is.evicted != seen_.evicted || is.removed != seen_.removed;
  if (!changed && !full && !stirred_ && !(crowded_ && now - looked_at_ >= every)) return every;
  if (looked_ && now - looked_at_ < soonest_look) return soonest_look - (now - looked_at_);
  seen_ = is;
  looked_ = true;
  looked_at_ = now;
  stirred_ = false;
  look(who, now, full);
  return every;
}

void joined_circuits::take(agent& who, const breaker_handle& made, std::chrono::nanoseconds now) {
  if (is_switched_off(*made) || held_.contains(made->name()) || (crowded_ && is_idle(who, *made))) return;
  if (who.add(*made)) held_.insert_or_assign(made->name(), held{made, now});
}

void joined_circuits::let_go(agent& who) {
  for (const auto& [name, one] : held_) who.remove(name);
  held_.clear();
}

bool joined_circuits::is_idle(const agent& who, const circuit_breaker& which) {
  const machine::state_word word = access::word(which);
  if (word.state() != state::closed) return false;
  if (!word.clean()) {
    const machine::window_totals held = access::window(which);
    if (word.count() != 0 || held.failures != 0 || held.slow != 0) return false;
  }
  const record* const decided = who.known(which.name());
  return decided == nullptr || decided->state == fleet_state::closed;
}

void joined_circuits::look(agent& who, std::chrono::nanoseconds now, bool full) {
  std::unordered_set<const circuit_breaker*> listed;
  std::vector<std::string> coming;
  registry_.for_each([&](circuit_breaker& which) {
    listed.insert(&which);
    const auto at = held_.find(which.name());
    if (at != held_.end() && at->second.breaker.get() == &which) {
      if (crowded_ && !is_idle(who, which)) {
        at->second.busy = now;
      } else if (full) {
        at->second.busy = now - idle_for;
      }
    } else if (!is_switched_off(which) && !(crowded_ && is_idle(who, which))) {
      coming.push_back(which.name());
    }
  });
  for (auto at = held_.begin(); at != held_.end();) {
    const bool idle = crowded_ && now - at->second.busy >= idle_for;
    if (idle || !listed.contains(at->second.breaker.get())) {
      who.remove(at->first);
      at = held_.erase(at);
    } else {
      ++at;
    }
  }
  for (std::string& name : coming) {
    breaker_handle breaker = registry_.find(name);
    if (breaker && who.add(*breaker)) held_.insert_or_assign(std::move(name), held{std::move(breaker), now});
  }
}

}  // namespace switchgear::inline v1::fleet
