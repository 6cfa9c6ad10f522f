// SPDX-License-Identifier: Apache-2.0
#include <switchgear/detail/event_queue.hpp>

#include <algorithm>
#include <new>

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
    const bool lasting = e.present || is_transition(e.kind);
    try {
      // Once something is kept aside it comes last, so all further transitions of that circuit go there too.
      const bool aside = count_ == capacity_ || (lasting && !aside_.empty() && aside_index_.contains(circuit_key(e)));
      if (!aside) {
        if (count_ == slots_.size()) slots_.emplace_back();
        slots_[count_] = e;
        ++count_;
      } else if (lasting && (aside_.size() < most_aside || aside_index_.contains(circuit_key(e)))) {
        const auto [where, fresh] = aside_index_.try_emplace(circuit_key(e), aside_.size());
        if (fresh) {
          aside_.push_back(e);
        } else {
          aside_[where->second] = e;
          drop_one();  // the one that was there
        }
      } else {
        drop_one();
        accepted = false;
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

bool event_queue::run_in_turn(std::function<void()> action) {
  {
    const std::lock_guard lock(mutex_);
    if (closed_) return false;
    const std::size_t behind_all = aside_.empty() ? count_ : count_ + 1;
    actions_.emplace_back(behind_all, std::move(action));
    waiting_ = false;
  }
  changed_.notify_one();
  return true;
}

bool event_queue::wait(batch& into) {
  std::unique_lock lock(mutex_);
  const auto something = [this] { return count_ != 0 || !aside_.empty() || !actions_.empty(); };
  while (!something() && !woken_ && !closed_) {
    waiting_ = true;
    changed_.wait(lock);
  }
  waiting_ = false;
  woken_ = false;
  into.events_.swap(slots_);
  into.count_ = std::exchange(count_, 0);
  into.kept_aside_.swap(aside_);
  aside_.clear();
  aside_index_.clear();
  into.actions_.swap(actions_);
  actions_.clear();
  into.dropped_ = std::exchange(dropped_since_, 0);
  const bool more = into.size() != 0 || !into.actions_.empty() || !closed_;
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
  std::vector<event> gone;
  const std::lock_guard lock(mutex_);
  const std::uint64_t all = count_ + aside_.size();
  count_ = 0;
  gone.swap(aside_);
  aside_index_.clear();
  dropped_ += all;
  dropped_since_ += all;
  return all;
}

bool event_queue::flush(std::chrono::nanoseconds limit) {
  std::unique_lock lock(mutex_);
  const bool nothing = count_ == 0 && aside_.empty() && actions_.empty();
  if (nothing && rounds_ == rounds_done_) return true;
  const std::uint64_t until = rounds_ + (nothing ? 0 : 1);
  return dealt_with_.wait_for(lock, limit, [&] { return rounds_done_ >= until; });
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
