// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <switchgear/clock.hpp>
#include <switchgear/machine/machine.hpp>

#include <chrono>
#include <cstdint>
#include <mutex>

namespace switchgear::inline v1::detail {

class registry_core;
struct registered_breaker;

/// The timers of one registry: at most one for each breaker that time will lead out of its state. A transition replaces or ends
/// the timer of the one before; when a timer runs it acts on the generation it was set for, so one that comes too late to be
/// taken back does nothing.
///
/// Thread safety: every function from any thread. The mutex is never held while the clock or a breaker is called, since a clock
/// may run an action at once.
class alarms {
 public:
  explicit alarms(clock& time) noexcept : clock_(time) {}

  /// The caller has a call to the breaker under way, or holds it.
  void changed(registered_breaker& body, const machine::transition& change);
  /// Ends the timer of a breaker for good.
  void end(registered_breaker& body) noexcept;
  /// No timer is set from now on; those that are set are to be ended one by one.
  void close() noexcept;

 private:
  void set(registered_breaker& body, std::uint64_t serial, std::uint64_t generation, std::chrono::nanoseconds delay,
           std::chrono::nanoseconds patience);
  void ring(registered_breaker& body, std::uint64_t serial, std::uint64_t generation, std::chrono::nanoseconds patience);

  clock& clock_;
  std::mutex mutex_;
  bool closed_ = false;
};

}  // namespace switchgear::inline v1::detail
