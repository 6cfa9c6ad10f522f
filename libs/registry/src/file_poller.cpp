// SPDX-License-Identifier: Apache-2.0
#include "file_poller.hpp"

#include <utility>

namespace switchgear::inline v1::detail {

file_poller::file_poller(clock& time, std::chrono::nanoseconds interval, std::function<void()> look)
    : clock_(time), interval_(interval), look_(std::move(look)) {
  const clock::timer first = set_timer();  // counted from now, not from when the thread gets to run
  try {
    thread_ = std::thread([this, first] { run(first); });
  } catch (...) {
    clock_.cancel(first);
    throw;
  }
}

file_poller::~file_poller() {
  {
    const std::lock_guard lock(bell_->mutex);
    bell_->ended = true;
    bell_->rung.notify_one();
  }
  thread_.join();
}

clock::timer file_poller::set_timer() {
  return clock_.call_at(clock_.now() + interval_, [b = bell_] {
    const std::lock_guard lock(b->mutex);
    b->due = true;
    b->rung.notify_one();
  });
}

void file_poller::run(clock::timer timer) {
  for (;;) {
    {
      std::unique_lock lock(bell_->mutex);
      bell_->rung.wait(lock, [this] { return bell_->due || bell_->ended; });
      if (bell_->ended) break;
      bell_->due = false;
    }
    look_();
    for (bool is_set = false; !is_set;) {
      try {
        timer = set_timer();
        is_set = true;
      } catch (...) {  // no memory: again, by real time, which needs none
        std::unique_lock lock(bell_->mutex);
        if (bell_->rung.wait_for(lock, std::chrono::seconds(1), [this] { return bell_->ended; })) return;
      }
    }
  }
  clock_.cancel(timer);
}

}  // namespace switchgear::inline v1::detail
