// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <switchgear/clock.hpp>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <utility>

namespace switchgear::inline v1::testing {

/// A clock that stands still until the test moves it. No test that uses it has to sleep.
///
///     sg::testing::manual_clock clock;
///     sg::circuit_breaker payments{"payments", {.failure_threshold = 2, .open_duration = 30s}, clock};
///     …
///     clock.advance(30s);
///
/// Thread safety: every function may be called from any thread. Timers run on the thread that advances the clock,
/// outside the clock's lock, so they may use the clock themselves.
class manual_clock final : public clock {
 public:
  /// Begins at `start`.
  explicit manual_clock(std::chrono::nanoseconds start = std::chrono::nanoseconds(0)) noexcept;
  manual_clock(const manual_clock&) = delete;
  manual_clock& operator=(const manual_clock&) = delete;
  ~manual_clock() override;

  [[nodiscard]] std::chrono::nanoseconds now() const noexcept override {
    return std::chrono::nanoseconds(now_.load());
  }

  /// Moves the clock on by `by` and runs the timers that become due, in the order of their times (those of one time in
  /// the order in which they were set). Each sees the time that it waited for. Advances of several threads add up. The
  /// clock never goes back: a negative `by` counts as 0.
  void advance(std::chrono::nanoseconds by);

  /// A time that is not in the future: `action` runs at once, on the calling thread.
  timer call_at(std::chrono::nanoseconds when, std::function<void()> action) override;
  void cancel(timer t) noexcept override;

  /// How many timers wait. 0 at the end of a test shows that nobody forgot to cancel one.
  [[nodiscard]] std::size_t timers() const;

 private:
  std::atomic<std::int64_t> now_;
  mutable std::mutex mutex_;
  std::chrono::nanoseconds target_;  ///< where all advances together lead
  std::map<std::pair<std::chrono::nanoseconds, timer>, std::function<void()>> waiting_;
  timer last_ = 0;
};

}  // namespace switchgear::inline v1::testing
