// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "agent.hpp"

#include <switchgear/breaker_handle.hpp>
#include <switchgear/registry.hpp>

#include <chrono>
#include <cstddef>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

namespace switchgear::inline v1::fleet {

/// Keeps the circuits of a registry in an agent, those that come later too.
///
/// An agent touches its circuits at any time, so each is held as long as it is joined, and what is held cannot be evicted. So
/// that a registry with names made from data still finds somebody to evict, idle circuits stay out of the agent as soon as the
/// registry lists more than most_idle, or has turned away a name: closed without a failure in sight, and closed in the fleet.
/// They join when that changes, at the latest with the next look.
///
/// Thread safety: none; the breakers may be used meanwhile.
class joined_circuits {
 public:
  static constexpr std::size_t most_idle = 1000;

  explicit joined_circuits(registry& circuits) : registry_(circuits) {}

  /// Takes in what came and takes out what went; answers how long to wait until it wants to do so again. Cheap when neither has
  /// happened. A crowded registry is looked through every `every`, and when something was `stirred`: a transition, something from
  /// the store. Never more often than every few milliseconds.
  std::chrono::nanoseconds follow(agent& who, std::chrono::nanoseconds now, std::chrono::nanoseconds every, bool stirred);
  /// Takes one in that was just made, so that what the fleet knows of it is in force before its first call.
  void take(agent& who, const breaker_handle& made, std::chrono::nanoseconds now);
  /// Takes all out.
  void let_go(agent& who);

 private:
  void look(agent& who, std::chrono::nanoseconds now, bool full);
  [[nodiscard]] static bool is_idle(const agent& who, const circuit_breaker& which);

  struct held {
    breaker_handle breaker;
    std::chrono::nanoseconds busy{0};  ///< when it was not idle last
  };
  registry& registry_;
  std::unordered_map<std::string, held> held_;
  registry_metrics seen_{};
  bool looked_ = false;
  bool crowded_ = false;
  bool stirred_ = false;
  std::chrono::nanoseconds looked_at_{0};
};

}  // namespace switchgear::inline v1::fleet
