// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <switchgear/asio/detail/call_base.hpp>
#include <switchgear/bulkhead.hpp>

#include <memory>
#include <mutex>
#include <optional>
#include <utility>

namespace switchgear::inline v1::asio::detail {

/// A call in the queue of a bulkhead. Of its own, because the place may be on its way from another thread when the call is
/// cancelled or destroyed; it keeps itself while it is in the queue.
class queued_call final : public bulkhead::waiter, public std::enable_shared_from_this<queued_call> {
 public:
  explicit queued_call(const bulkhead& b) : bulkhead_(b) {}

  /// A place, the queue, or neither.
  bulkhead::entry enter(const call_context& context) {
    self_ = shared_from_this();
    bulkhead::entry e = bulkhead_.enter(*this, context);
    if (e.is != bulkhead::outcome::queued) self_.reset();
    return e;
  }
  /// From now on a grant wakes the call; so does one that was sooner. Waits have numbers, as two threads may tell of two of
  /// them in the wrong order: the newest counts.
  void wake_by(std::shared_ptr<wake_up> w, unsigned number) {
    const std::lock_guard lock(mutex_);
    if (number < newest_) return;
    newest_ = number;
    wake_up_ = std::move(w);
    if (place_) wake_up_->wake();
  }
  /// The place, if it has come.
  bulkhead::slot take() {
    const std::lock_guard lock(mutex_);
    return std::move(place_);
  }
  /// Out of the queue. False when the place is there or on its way.
  bool withdraw(bulkhead::withdrawal why, const call_context& context) noexcept {
    if (!bulkhead_.withdraw(*this, why, context)) return false;
    self_.reset();
    return true;
  }
  /// Nobody wants the place any more.
  void leave(const call_context& context) noexcept {
    if (withdraw(bulkhead::withdrawal::cancelled, context)) return;
    bulkhead::slot unwanted;
    const std::lock_guard lock(mutex_);
    is_wanted_ = false;
    unwanted = std::move(place_);
  }

 private:
  void granted(bulkhead::slot place) noexcept override {
    const std::shared_ptr<queued_call> self = std::move(self_);
    const std::lock_guard lock(mutex_);
    if (!is_wanted_) return;  // goes back with the parameter
    place_ = std::move(place);
    if (wake_up_) wake_up_->wake();
  }

  const bulkhead bulkhead_;
  std::shared_ptr<queued_call> self_;  ///< while it is in the queue
  std::mutex mutex_;
  bulkhead::slot place_;
  std::shared_ptr<wake_up> wake_up_;
  unsigned newest_ = 0;  ///< the number of the wait that wake_up_ ends
  bool is_wanted_ = true;
};

/// A limited number of calls at a time.
template <class Shape, std::size_t I>
class stage<Shape, I, bulkhead> : public stage_base<Shape, I> {
  using base = stage_base<Shape, I>;

 public:
  using typename base::result;
  stage(call_base<Shape>& call, typename base::parent& p) : base(call, p), inner_(call, *this) {}
  ~stage() {
    if (queued_) queued_->leave(base::call().context());
  }

  maybe<result> start() {
    const bulkhead& b = base::policy();
    const call_context context = base::call().context();
    if (b.options().max_queue == 0) {
      place_ = b.try_enter(context);
      return place_ ? begin() : rejected(false);
    }
    auto queued = std::allocate_shared<queued_call>(base::call().memory(), b);
    bulkhead::entry e = queued->enter(context);
    switch (e.is) {
      case bulkhead::outcome::granted: place_ = std::move(e.place); return begin();
      case bulkhead::outcome::full: return rejected(false);
      case bulkhead::outcome::queued: break;
    }
    queued_ = queued;
    clock& time = b.time_source();
    std::optional<std::chrono::nanoseconds> until;
    if (b.options().max_wait.count() > 0) until = switchgear::detail::later(time.now(), b.options().max_wait);
    wait(until);
    return {};
  }

  /// The place has come, or the time is up.
  maybe<result> resumed() {
    place_ = queued_->take();
    maybe<result> o;
    if (place_) {
      queued_.reset();
      o = begin();
    } else if (queued_->withdraw(bulkhead::withdrawal::timed_out, base::call().context())) {
      queued_.reset();
      o = rejected(true);
    } else {
      wait(std::nullopt);  // the place is on its way
    }
    return o ? base::ended(std::move(*o)) : std::nullopt;
  }

  maybe<result> child_done(outcome<result> o) {
    place_.give_back();
    return base::ended(std::move(o));
  }

  maybe<result> cancel(order_to_cancel order) {
    if (!queued_) return ended_inside(inner_.cancel(order));
    pause_.stop();
    std::exchange(queued_, nullptr)->leave(base::call().context());
    return outcome<result>::failed(aborted_error());
  }

 private:
  void wait(std::optional<std::chrono::nanoseconds> until) {
    // All held here: a place that comes at once may end the wait, on another thread, before this returns.
    const unsigned number = ++waits_;
    const std::shared_ptr<queued_call> queued = queued_;
    const std::shared_ptr<wake_up> w = pause_.prepare(base::call(), *this);
    pause_.start(base::call(), *this, base::policy().time_source(), until);
    queued->wake_by(w, number);
  }
  maybe<result> begin() { return ended_inside(inner_.start()); }
  maybe<result> ended_inside(maybe<result> o) {
    if (o) place_.give_back();
    return o;
  }
  outcome<result> rejected(bool waited) const {
    return outcome<result>::failed(std::make_exception_ptr(base::policy().full_error(waited)));
  }

  bulkhead::slot place_;
  std::shared_ptr<queued_call> queued_;  ///< while in the queue
  unsigned waits_ = 0;
  stage_pause<stage> pause_;
  stage_at<Shape, I + 1> inner_;
};

}  // namespace switchgear::inline v1::asio::detail
