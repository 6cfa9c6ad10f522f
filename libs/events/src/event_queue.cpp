// SPDX-License-Identifier: Apache-2.0
#include <switchgear/detail/event_queue.hpp>

#include <algorithm>
#include <utility>

namespace switchgear::inline v1::detail {
namespace {

/// Of how many circuits the last transition is kept when the queue is full.
constexpr std::size_t most_aside = 1 << 17;

}  // namespace

std::string circuit_key(std::string_view service, std::string_view instance) {
  std::string key;
  key.reserve(service.size() + instance.size() + 1);
  key.append(instance).append(1, '\n').append(service);  // neither has a line break
  return key;
}

std::string circuit_key(const event& e) { return circuit_key(e.service, e.instance.empty() ? e.source : e.instance); }

bool event_queue::push(const event& e) noexcept {
  bool call = false, accepted = true;
  {
    const std::lock_guard lock(mutex_);
    ++pushed_;
    if (closed_) {
      drop_one();
      return false;
    }
    try {
      if (count_ < capacity_) {
        if (count_ == slots_.size()) slots_.emplace_back();
        slots_[count_] = e;
        ++count_;
      } else {
        accepted = (e.present || is_transition(e.kind)) && keep_aside(e);
        if (!accepted) drop_one();
      }
    } catch (...) {  // no memory
      drop_one();
      accepted = false;
    }
    // A thread that is busy looks by itself before it waits again.
    call = std::exchange(waiting_, false);
  }
  if (call) changed_.notify_one();
  return accepted;
}

bool event_queue::keep_aside(const event& e) {
  std::string key = circuit_key(e);
  const auto found = index_.find(key);
  if (found == index_.end()) {
    if (index_.size() >= most_aside) return false;
    kept_.push_back({e});
    try {
      index_.emplace(std::move(key), kept_.size() - 1);
    } catch (...) {
      kept_.pop_back();
      throw;
    }
    return true;
  }
  kept& old = kept_[found->second];
  // A present state may have been looked up before the transition that came in first.
  if (e.sequence < old.value.sequence || (e.sequence == old.value.sequence && e.present)) return false;
  const bool behind_action = !actions_.empty() && actions_.back().first > count_ + found->second;
  event newest = e;
  // In the place of something that all are told of, all are told of this.
  newest.present = e.present && old.value.present;
  if (behind_action) {
    kept_.push_back({std::move(newest)});
    old.is_void = true;  // a deque's elements stay where they are
    found->second = kept_.size() - 1;
  } else {
    old.value = std::move(newest);
  }
  drop_one();  // the one that was there
  return true;
}

bool event_queue::run_in_turn(std::function<void()> action) {
  {
    const std::lock_guard lock(mutex_);
    if (closed_) return false;
    actions_.emplace_back(count_ + kept_.size(), std::move(action));
    waiting_ = false;
  }
  changed_.notify_one();
  return true;
}

bool event_queue::wait(batch& into) {
  // What the last batch held ends here, not while others wait for the lock.
  into.kept_.clear();
  into.index_.clear();
  into.actions_.clear();
  std::unique_lock lock(mutex_);
  while (is_empty() && !woken_ && !closed_) {
    waiting_ = true;
    changed_.wait(lock);
  }
  waiting_ = false;
  woken_ = false;
  const bool more = !is_empty() || !closed_;
  into.events_.swap(slots_);
  into.count_ = std::exchange(count_, 0);
  into.kept_.swap(kept_);
  into.index_.swap(index_);
  into.actions_.swap(actions_);
  into.dropped_ = std::exchange(dropped_since_, 0);
  ++rounds_;
  if (!more) {
    rounds_done_ = rounds_;
    dealt_with_.notify_all();
  }
  return more;
}

void event_queue::done() {
  {
    const std::lock_guard lock(mutex_);
    rounds_done_ = rounds_;
  }
  dealt_with_.notify_all();
}

void event_queue::wake() {
  {
    const std::lock_guard lock(mutex_);
    woken_ = true;
    waiting_ = false;
  }
  changed_.notify_one();
}

void event_queue::close() {
  {
    const std::lock_guard lock(mutex_);
    closed_ = true;
    waiting_ = false;
  }
  changed_.notify_one();
}

std::uint64_t event_queue::clear() {
  std::deque<kept> gone;  // destroyed outside the lock
  std::uint64_t all = 0;
  {
    const std::lock_guard lock(mutex_);
    all = count_ + index_.size();
    // Those that are kept move up; the actions among them stay in their order.
    for (action& a : actions_) a.first = 0;
    count_ = 0;
    gone.swap(kept_);
    index_.clear();
    dropped_ += all;
    dropped_since_ += all;
  }
  dealt_with_.notify_all();
  return all;
}

void event_queue::abandon() noexcept {
  close();
  clear();
  std::vector<action> gone;  // destroyed outside the lock
  {
    const std::lock_guard lock(mutex_);
    gone.swap(actions_);
    rounds_done_ = rounds_;
  }
  dealt_with_.notify_all();
}

bool event_queue::flush(std::chrono::nanoseconds limit) {
  // What is longer than anybody waits would overflow the clock.
  const auto within = std::clamp<std::chrono::nanoseconds>(limit, {}, std::chrono::hours(24 * 365));
  const auto until = std::chrono::steady_clock::now() + within;
  std::unique_lock lock(mutex_);
  const std::uint64_t round = rounds_ + (is_empty() ? 0 : 1);
  return dealt_with_.wait_until(lock, until, [&] { return rounds_done_ >= round || (is_empty() && rounds_done_ == rounds_); });
}

std::uint64_t event_queue::pushed() const {
  const std::lock_guard lock(mutex_);
  return pushed_;
}

std::uint64_t event_queue::dropped() const {
  const std::lock_guard lock(mutex_);
  return dropped_;
}

}  // namespace switchgear::inline v1::detail
