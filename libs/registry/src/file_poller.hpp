// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <switchgear/clock.hpp>

#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>

namespace switchgear::inline v1::detail {

/// Calls `look` again and again, `interval` of a clock after the last time it returned, on a thread of its own: looking at a
/// file may take as long as a network file system likes, and must not hold up the timers of everybody else.
class file_poller {
 public:
  /// `look` does not throw. The clock outlives the poller.
  file_poller(clock& time, std::chrono::nanoseconds interval, std::function<void()> look);
  file_poller(const file_poller&) = delete;
  file_poller& operator=(const file_poller&) = delete;
  /// Ends the thread at once; waits for a `look` that is running. Leaves no timer behind.
  ~file_poller();

 private:
  /// What a timer touches: it may still be running when the poller has gone.
  struct bell {
    std::mutex mutex;
    std::condition_variable rung;
    bool due = false;
    bool ended = false;
  };
  [[nodiscard]] clock::timer set_timer();
  void run(clock::timer timer);

  clock& clock_;
  const std::chrono::nanoseconds interval_;
  const std::function<void()> look_;
  const std::shared_ptr<bell> bell_ = std::make_shared<bell>();
  std::thread thread_;
};

}  // namespace switchgear::inline v1::detail
