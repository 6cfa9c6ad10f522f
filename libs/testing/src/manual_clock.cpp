// SPDX-License-Identifier: Apache-2.0
#include <switchgear/testing/manual_clock.hpp>

#include <algorithm>

namespace switchgear::inline v1::testing {

manual_clock::manual_clock(std::chrono::nanoseconds start) noexcept : now_(start.count()), target_(start) {}

manual_clock::~manual_clock() = default;

void manual_clock::advance(std::chrono::nanoseconds by) {
  std::unique_lock lock(mutex_);
  const std::chrono::nanoseconds end = target_ += std::max(by, std::chrono::nanoseconds(0));
  while (!waiting_.empty() && waiting_.begin()->first.first <= end) {
    const auto node = waiting_.extract(waiting_.begin());
    now_.store(std::max(now_.load(), node.key().first.count()));
    lock.unlock();
    node.mapped()();
    lock.lock();
  }
  // A timer, or another thread, may have gone further meanwhile.
  now_.store(std::max(now_.load(), end.count()));
}

clock::timer manual_clock::call_at(std::chrono::nanoseconds when, std::function<void()> action) {
  timer id = 0;
  {
    const std::lock_guard lock(mutex_);
    id = ++last_;
    if (when > now()) {
      waiting_.emplace(std::pair{when, id}, std::move(action));
      return id;
    }
  }
  action();
  return id;
}

void manual_clock::cancel(timer t) noexcept {
  std::function<void()> dropped;  // destroyed outside the lock: what it holds may use the clock
  const std::lock_guard lock(mutex_);
  const auto found =
      std::find_if(waiting_.begin(), waiting_.end(), [t](const auto& entry) { return entry.first.second == t; });
  if (found == waiting_.end()) return;
  dropped = std::move(found->second);
  waiting_.erase(found);
}

std::size_t manual_clock::timers() const {
  const std::lock_guard lock(mutex_);
  return waiting_.size();
}

}  // namespace switchgear::inline v1::testing
