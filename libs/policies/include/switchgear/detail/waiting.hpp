// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <switchgear/clock.hpp>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>

namespace switchgear::inline v1::detail {

/// A place where one thread waits to be woken by another, by the clock or by a stop request, whichever is first.
///
/// Thread safety: wake() from any thread, also after the waiting has ended; the rest by the waiting thread.
class waiting_room {
 public:
  enum class reason { woken, deadline, stopped };

  explicit waiting_room(clock& source) : clock_(source), shared_(std::make_shared<shared>()) {}

  /// Until wake(), `deadline` on the clock (none: for ever) or a stop request. The first of them stays the answer.
  reason wait(std::optional<std::chrono::nanoseconds> deadline, const std::stop_token& stop);

  /// Wakes the waiting thread; false when something else was first.
  bool wake() { return shared_->finish(reason::woken); }

 private:
  struct shared {
    std::mutex mutex;
    std::condition_variable changed;
    std::optional<reason> why;
    bool finish(reason r);
  };
  clock& clock_;
  const std::shared_ptr<shared> shared_;  ///< a timer that is running may look at it after the wait has ended
};

/// Waits on the clock. False when a stop was requested before `deadline`.
[[nodiscard]] bool sleep_until(clock& source, std::chrono::nanoseconds deadline, const std::stop_token& stop);

/// A stop source that is asked to stop with any of the tokens it follows, and by its owner.
class linked_stop {
 public:
  explicit linked_stop(const std::stop_token& outer) : follow_(outer, ask{source_}) {}
  linked_stop(const linked_stop&) = delete;
  linked_stop& operator=(const linked_stop&) = delete;

  [[nodiscard]] std::stop_token token() const { return source_.get_token(); }
  [[nodiscard]] std::stop_source& source() noexcept { return source_; }

 private:
  struct ask {
    std::stop_source source;
    void operator()() noexcept { source.request_stop(); }
  };
  std::stop_source source_;
  std::stop_callback<ask> follow_;
};

/// Runs `action` at `deadline` unless destroyed before. The destructor does not wait for an action that is running.
class armed_timer {
 public:
  armed_timer(clock& source, std::chrono::nanoseconds deadline, std::function<void()> action)
      : clock_(source), timer_(source.call_at(deadline, std::move(action))) {}
  armed_timer(const armed_timer&) = delete;
  armed_timer& operator=(const armed_timer&) = delete;
  ~armed_timer() { clock_.cancel(timer_); }

 private:
  clock& clock_;
  clock::timer timer_;
};

}  // namespace switchgear::inline v1::detail
