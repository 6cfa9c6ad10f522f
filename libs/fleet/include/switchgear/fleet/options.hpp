// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <switchgear/config.hpp>
#include <switchgear/fleet/notice.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace switchgear::inline v1::fleet {

/// When a circuit of one instance opens the circuit of the fleet.
enum class sharing : std::uint8_t {
  local,     ///< never: each instance opens and recovers alone; what operators decide is shared all the same
  any,       ///< when the circuit of any instance opens
  quorum,    ///< when those of enough instances open within quorum_within of each other
  evidence,  ///< when the windows of all instances, added up, make a rate or count rule of the circuit come true
};

/// A part of the way back after a recovery.
struct ramp_step {
  double share = 1.0;                       ///< of the calls that are admitted: above 0 (one millionth at least), below 1
  std::chrono::nanoseconds lasts{0};        ///< above 0, at most 24 h
};

/// How an instance takes part in a fleet. The instances of a fleet should have the same options and the same configuration of
/// their circuits; where they differ, each decision is made with those of the instance that makes it.
struct options {
  /// Where the store is, as redis::options reads it: `redis://[USER[:PASSWORD]@]HOST[:PORT][/DATABASE]`.
  std::string url = "redis://127.0.0.1:6379/0";
  /// Of the fleet: 1 … 64 letters, digits, '.', '_' and '-'. Instances with the same name and store share their circuits.
  std::string name = "default";
  /// Of this instance, unique in the fleet: up to 100 bytes without control characters. Empty: HOST/PID/random.
  std::string instance{};
  sharing opening = sharing::any;
  /// sharing::quorum: so many instances are enough; 0 … 1,000,000, 0 = only the share counts.
  std::uint32_t quorum = 2;
  /// sharing::quorum: or such a share of those that are alive; 0 … 1, 0 = only the number counts.
  double quorum_share = 0;
  std::chrono::nanoseconds quorum_within = std::chrono::seconds(10);  ///< how long a vote counts: 1 ms … 24 h
  /// After a recovery that probes brought about, in this order; up to 100 steps, empty: all calls are admitted at once.
  std::vector<ramp_step> ramp = {{0.1, std::chrono::seconds(1)}, {0.3, std::chrono::seconds(1)}, {0.6, std::chrono::seconds(1)}};
  std::chrono::nanoseconds exchange_every = std::chrono::milliseconds(250);  ///< 10 ms … 1 h
  /// Without an answer for this long the store is out of reach: 1 ms … 1 min.
  std::chrono::nanoseconds patience = std::chrono::milliseconds(250);
  std::chrono::nanoseconds reconnect_max = std::chrono::seconds(1);          ///< between two tries to connect: 1 ms … 1 h
  /// The right to send a probe goes back when no call has come for this long: 1 ms … 1 min.
  std::chrono::nanoseconds use_within = std::chrono::milliseconds(500);
  std::chrono::nanoseconds keep = std::chrono::hours(24);  ///< the store forgets a fleet that nobody belongs to: 1 min … 365 d
  /// How long the construction of a member waits for the fleet's decisions before its circuits decide alone: 0 … 1 min.
  std::chrono::nanoseconds adopt_within{0};
  /// Called on the thread of the member, outside every lock; must not throw.
  std::function<void(const notice&)> on_notice{};

  /// Every problem at once, in the order of the members; empty when the options are good.
  [[nodiscard]] std::vector<problem> validate() const;
};

}  // namespace switchgear::inline v1::fleet
