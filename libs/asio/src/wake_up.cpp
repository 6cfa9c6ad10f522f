// SPDX-License-Identifier: Apache-2.0
#include <switchgear/asio/detail/wake_up.hpp>

#include <boost/asio/post.hpp>

namespace switchgear::inline v1::asio::detail {

void wake_up::wake() noexcept {
  const std::lock_guard lock(mutex_);
  if (timer_ == nullptr) return;
  // Under the lock: while the timer is there its execution context is, and posting runs nothing here. When memory does not
  // allow it the wait goes on, as nothing better can be done from here.
  try {
    boost::asio::post(executor_, [self = shared_from_this()] { self->wake_here(); });
  } catch (...) {
  }
}

void wake_up::wake_here() {
  const std::lock_guard lock(mutex_);
  if (timer_ != nullptr) timer_->cancel();
}

void wake_up::forget() noexcept {
  boost::asio::any_io_executor unused;  // destroyed outside the lock
  const std::lock_guard lock(mutex_);
  timer_ = nullptr;
  unused.swap(executor_);
}

}  // namespace switchgear::inline v1::asio::detail
