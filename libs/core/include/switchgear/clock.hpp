// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>

namespace switchgear::inline v1 {

/// The one source of time of a breaker: windows, open periods, leases, slow calls and timeouts all ask it. Monotonic: it
/// never goes back and does not follow the wall clock. The zero point is the clock's own.
///
/// Thread safety: every function may be called from any thread. A clock outlives the breakers that use it.
class clock {
 public:
  using timer = std::uint64_t;

  virtual ~clock() = default;
  [[nodiscard]] virtual std::chrono::nanoseconds now() const noexcept = 0;

  /// Runs `action` once when the clock has reached `when`, on a thread of the clock's choice. `action` is short and does
  /// not throw.
  virtual timer call_at(std::chrono::nanoseconds when, std::function<void()> action) = 0;

  /// Takes a timer back; nothing happens when it has run already. `action` may still be running when this returns.
  virtual void cancel(timer t) noexcept = 0;
};

/// std::chrono::steady_clock. Its timers run on one thread, which is started by the first of them.
[[nodiscard]] clock& steady_clock();

}  // namespace switchgear::inline v1
