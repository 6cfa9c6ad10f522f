// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/steady_timer.hpp>

#include <memory>
#include <mutex>

namespace switchgear::inline v1::asio::detail {

/// How other threads (the clock's, those of other calls) end a wait on an executor, although the wait, its timer and even
/// the execution context may be gone by then.
class wake_up : public std::enable_shared_from_this<wake_up> {
 public:
  wake_up(boost::asio::any_io_executor executor, boost::asio::steady_timer& timer)
      : executor_(std::move(executor)), timer_(&timer) {}

  /// From any thread: the wait ends on its executor. Nothing when it is over.
  void wake() noexcept;
  /// Ends it at once. On the executor only.
  void wake_here();
  /// The wait is over; the timer is not touched any more.
  void forget() noexcept;

 private:
  std::mutex mutex_;
  boost::asio::any_io_executor executor_;
  boost::asio::steady_timer* timer_;
};

}  // namespace switchgear::inline v1::asio::detail
