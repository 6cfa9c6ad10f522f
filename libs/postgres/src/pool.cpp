// SPDX-License-Identifier: Apache-2.0
#include "pool.hpp"

namespace switchgear::inline v1::postgres::detail {

pool::pool(const options& o)
    : settings_(settings_of(o)), connect_timeout_(o.connect_timeout), wait_(o.connection_wait), most_(o.connections) {
  idle_.reserve(most_);  // giving back must not fail
}

std::unique_ptr<session> pool::wait_for_place(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  const auto is_free = [&] { return used_ < most_; };
  if (!free_.wait_until(lock, stop, std::chrono::steady_clock::now() + wait_, is_free)) {
    if (stop.stop_requested()) throw cancelled_error(target() + ": the call was cancelled");
    throw rejected_error(target() + ": all " + std::to_string(most_) + " connections are in use");
  }
  ++used_;
  if (idle_.empty()) return nullptr;
  std::unique_ptr<session> newest = std::move(idle_.back());
  idle_.pop_back();
  return newest;
}

pool::lease pool::borrow(const std::stop_token& stop) {
  for (;;) {
    std::unique_ptr<session> found = wait_for_place(stop);
    if (found && found->was_closed()) {
      give_back(nullptr);  // and the session is closed
      continue;
    }
    if (!found) {
      try {
        found = std::make_unique<session>(settings_, connect_timeout_, stop);
      } catch (...) {
        give_back(nullptr);
        throw;
      }
    }
    return {*this, std::move(found)};
  }
}

void pool::give_back(std::unique_ptr<session> s) noexcept {
  if (s && !s->is_reusable()) s.reset();  // closing is not for the lock
  {
    const std::lock_guard lock(mutex_);
    --used_;
    if (s) idle_.push_back(std::move(s));
  }
  free_.notify_one();
}

std::size_t pool::open() const {
  const std::lock_guard lock(mutex_);
  return used_ + idle_.size();
}

}  // namespace switchgear::inline v1::postgres::detail
