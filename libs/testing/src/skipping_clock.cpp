// SPDX-License-Identifier: Apache-2.0
#include <switchgear/testing/skipping_clock.hpp>

#include <algorithm>
#include <numeric>
#include <utility>

namespace switchgear::inline v1::testing {

using std::chrono::nanoseconds;

skipping_clock::~skipping_clock() = default;

nanoseconds skipping_clock::now() const noexcept {
  const std::lock_guard lock(mutex_);
  return now_;
}

void skipping_clock::advance(nanoseconds by) {
  const std::lock_guard lock(mutex_);
  now_ += std::max(by, nanoseconds(0));
}

clock::timer skipping_clock::call_at(nanoseconds when, std::function<void()> action) {
  std::unique_lock lock(mutex_);
  const timer id = ++last_;
  if (when > now_) {
    const nanoseconds wait = when - now_;
    waits_.push_back(wait);
    const auto handler = on_wait_;
    lock.unlock();
    if (handler) handler(wait);
    lock.lock();
    // The handler may have moved it further.
    now_ = std::max(now_, when);
  }
  lock.unlock();
  action();
  return id;
}

void skipping_clock::cancel(timer) noexcept {}

std::vector<nanoseconds> skipping_clock::waits() const {
  const std::lock_guard lock(mutex_);
  return waits_;
}

nanoseconds skipping_clock::waited() const {
  const std::lock_guard lock(mutex_);
  return std::accumulate(waits_.begin(), waits_.end(), nanoseconds(0));
}

void skipping_clock::on_wait(std::function<void(nanoseconds)> handler) {
  const std::lock_guard lock(mutex_);
  on_wait_ = std::move(handler);
}

}  // namespace switchgear::inline v1::testing
