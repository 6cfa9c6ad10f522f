// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <switchgear/clock.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <mutex>
#include <vector>

namespace switchgear::inline v1::testing {

/// A clock on which no wait takes time: it jumps to the time that is waited for. For tests of code that waits on the thread
/// of the test, as the back-off of a retry or the queue of a rate limiter.
///
///     sg::testing::skipping_clock clock;
///     sg::retry storage{{.max_attempts = 3, .backoff = sg::exponential(1s)}, clock};
///     EXPECT_THROW(storage.call([] { throw std::runtime_error("down"); }), std::runtime_error);
///     EXPECT_THAT(clock.waits(), ElementsAre(1s, 2s));
///
/// Every timer runs before call_at() returns, also one that was only meant to end something that takes too long: on this
/// clock a time limit has always passed. Use manual_clock for those.
///
/// Thread safety: every function may be called from any thread. Handlers and timers run on the thread that calls call_at(),
/// outside the clock's lock, so they may use the clock themselves.
class skipping_clock final : public clock {
 public:
  /// Begins at `start`.
  explicit skipping_clock(std::chrono::nanoseconds start = std::chrono::nanoseconds(0)) noexcept : now_(start) {}
  skipping_clock(const skipping_clock&) = delete;
  skipping_clock& operator=(const skipping_clock&) = delete;
  ~skipping_clock() override;

  [[nodiscard]] std::chrono::nanoseconds now() const noexcept override;

  /// Moves the clock on by `by`. Never goes back: a negative `by` counts as 0. Not a wait.
  void advance(std::chrono::nanoseconds by);

  /// Moves the clock to `when`, if that is in the future, and runs `action` on the calling thread.
  timer call_at(std::chrono::nanoseconds when, std::function<void()> action) override;
  /// Nothing: every timer has run already.
  void cancel(timer t) noexcept override;

  /// How long each timer that was set for the future had to wait, in order.
  [[nodiscard]] std::vector<std::chrono::nanoseconds> waits() const;
  /// The sum of waits().
  [[nodiscard]] std::chrono::nanoseconds waited() const;

  /// Calls `handler` at the beginning of each wait, with its length, before the clock moves: the place to request a stop, or
  /// to do what another thread would do during the wait.
  void on_wait(std::function<void(std::chrono::nanoseconds)> handler);

 private:
  mutable std::mutex mutex_;
  std::chrono::nanoseconds now_;
  std::vector<std::chrono::nanoseconds> waits_;
  std::function<void(std::chrono::nanoseconds)> on_wait_;
  timer last_ = 0;
};

}  // namespace switchgear::inline v1::testing
