// SPDX-License-Identifier: Apache-2.0
#include "pool.hpp"

#include <algorithm>

namespace switchgear::inline v1::redis::detail {
namespace {

// An idle connection has nothing to say: what can be read is its end, or the reply to a question that nobody asked.
bool is_silent(connection& c) noexcept {
  try {
    return !c.poll(std::chrono::nanoseconds(0)).has_value();
  } catch (...) {
    return false;
  }
}

}  // namespace

pool::pool(std::string target, std::size_t most, std::chrono::nanoseconds patience)
    : target_(std::move(target)), most_(most), patience_(patience) {
  idle_.reserve(most_);  // giving back cannot fail
}

std::unique_ptr<pool::line> pool::take_line(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  const auto is_one_free = [this] { return !idle_.empty() || out_ < most_; };
  if (!freed_.wait_for(lock, stop, patience_, is_one_free)) {
    if (stop.stop_requested()) throw cancelled_error(target_ + ": asked to stop while waiting for a connection");
    throw no_connection_free(target_ + ": all " + std::to_string(most_) + " connections are in use, and none came free within " +
                             format_duration(patience_));
  }
  std::unique_ptr<line> l;
  if (!idle_.empty()) {
    l = std::move(idle_.back());
    idle_.pop_back();
  }
  ++out_;
  return l;
}

pool::lease pool::take(const std::stop_token& stop) {
  std::unique_ptr<line> l = take_line(stop);
  if (l == nullptr) {
    try {
      l = std::make_unique<line>();
    } catch (...) {
      give_back(nullptr, false);
      throw;
    }
  }
  if (l->peer && !is_silent(*l->peer)) l->peer.reset();
  return {*this, std::move(l)};
}

void pool::give_back(std::unique_ptr<line> l, bool keep) noexcept {
  if (l != nullptr && !keep) l.reset();  // outside the lock: closing may take a while
  {
    const std::lock_guard lock(mutex_);
    --out_;
    if (l != nullptr) idle_.push_back(std::move(l));
  }
  freed_.notify_one();
}

client::pool_state pool::state() const {
  const std::lock_guard lock(mutex_);
  return {.in_use = out_, .idle = idle_.size()};
}

}  // namespace switchgear::inline v1::redis::detail
