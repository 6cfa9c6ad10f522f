// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "random.hpp"

namespace switchgear::inline v1::simulation {

/// The service that all instances call. It works off so many calls a second and keeps the others waiting; when too many wait,
/// the next one fails. After an outage it is cold: its capacity grows from a part to the whole while it warms up, and when it is
/// overloaded meanwhile it falls over again and has to begin anew.
///
/// Times are nanoseconds of virtual time that never go back.
class upstream {
 public:
  struct settings {
    double capacity = 1000;          ///< calls a second when warm
    double cold_share = 0.3;         ///< of the capacity, in the moment it is back
    std::int64_t warm_up = 0;        ///< how long it takes from there to the whole
    std::int64_t collapse = 0;       ///< how long it is gone when it falls over
    std::int64_t queue = 0;          ///< how much work may wait, in time
    std::int64_t latency = 0;        ///< of a call that does not wait, on average
    std::int64_t fails_after = 0;    ///< how long a call takes that finds it dead, on average
    std::int64_t slow_latency = 0;   ///< of a call while it is slow, on average
  };
  enum class condition : std::uint8_t { healthy, dead, slow, warming, collapsed };

  upstream(const settings& s, std::uint64_t seed) noexcept : settings_(s), random_(seed, 0x75707374) {}

  void fail(std::int64_t now) noexcept { become(condition::dead, now); }
  void slow_down(std::int64_t now) noexcept { become(condition::slow, now); }
  /// Cold at first.
  void revive(std::int64_t now) noexcept { become(condition::warming, now); }

  struct answer {
    bool good = false;
    bool overloaded = false;   ///< it failed because there was too much to do
    std::int64_t takes = 0;    ///< until the caller knows
  };
  answer call(std::int64_t now) noexcept;

  [[nodiscard]] condition state(std::int64_t now) noexcept {
    settle(now);
    return condition_;
  }
  /// Calls a second that it can work off now.
  [[nodiscard]] double capacity(std::int64_t now) noexcept;
  /// Whether it answers calls at all: neither dead nor fallen over.
  [[nodiscard]] bool alive(std::int64_t now) noexcept {
    settle(now);
    return condition_ != condition::dead && condition_ != condition::collapsed;
  }
  /// How often it fell over.
  [[nodiscard]] std::uint32_t collapses() const noexcept { return collapses_; }

 private:
  void become(condition c, std::int64_t now) noexcept;
  void settle(std::int64_t now) noexcept;

  settings settings_;
  random_stream random_;
  condition condition_ = condition::healthy;
  std::int64_t since_ = 0;
  std::int64_t last_ = 0;
  double waiting_ = 0;  ///< calls
  std::uint32_t collapses_ = 0;
};

}  // namespace switchgear::inline v1::simulation
