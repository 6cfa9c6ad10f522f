// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <switchgear/asio/detail/wake_up.hpp>
#include <switchgear/clock.hpp>

#include <boost/asio/steady_timer.hpp>

#include <atomic>
#include <chrono>
#include <memory>
#include <optional>
#include <utility>

namespace switchgear::inline v1::asio::detail {

/// A wait on an executor: until a time of a clock, or until it is woken from anywhere. Its handler lives in the execution
/// context like that of any operation, so it is destroyed with it; destroying the pause completes the handler, which has to
/// know that it is not meant any more.
///
/// Thread safety: the functions one after the other; the handler may run, and destroy the pause, while wait() returns.
class pause : public std::enable_shared_from_this<pause> {
 public:
  explicit pause(const boost::asio::any_io_executor& executor) : timer_(executor) {}
  pause(const pause&) = delete;
  pause& operator=(const pause&) = delete;
  ~pause() {
    if (wake_up_) wake_up_->forget();
    // Relaxed: written by the thread that began the wait; when the handler runs on another one before that, the timer of the
    // clock has run already and cancelling nothing is as good.
    if (const clock::timer t = clock_timer_.load(std::memory_order_relaxed); t != 0) source_->cancel(t);
  }

  /// Makes it one that can be woken. Before wait().
  [[nodiscard]] const std::shared_ptr<wake_up>& can_be_woken() {
    if (!wake_up_) wake_up_ = std::make_shared<wake_up>(timer_.get_executor(), timer_);
    return wake_up_;
  }

  /// Calls `handler(error_code)` on the executor at `until` (none: when woken only). Asio's own timer does it where the clock
  /// is the steady one.
  template <class Handler>
  void wait(clock& source, std::optional<std::chrono::nanoseconds> until, Handler handler) {
    const bool is_steady = &source == &steady_clock();
    if (until && is_steady) {
      timer_.expires_at(std::chrono::steady_clock::time_point(*until));
      timer_.async_wait(std::move(handler));
      return;
    }
    timer_.expires_at(std::chrono::steady_clock::time_point::max());
    const auto self = shared_from_this();
    if (!until) {
      timer_.async_wait(std::move(handler));
      return;
    }
    const std::shared_ptr<wake_up> w = can_be_woken();
    source_ = &source;
    timer_.async_wait(std::move(handler));  // first, so that a clock that is there already wakes somebody
    clock_timer_.store(source.call_at(*until, [w] { w->wake(); }), std::memory_order_relaxed);
  }

 private:
  boost::asio::steady_timer timer_;
  std::shared_ptr<wake_up> wake_up_;
  clock* source_ = nullptr;
  std::atomic<clock::timer> clock_timer_{0};
};

}  // namespace switchgear::inline v1::asio::detail
