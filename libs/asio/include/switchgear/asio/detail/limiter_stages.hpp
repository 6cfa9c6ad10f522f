// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <switchgear/adaptive_limiter.hpp>
#include <switchgear/asio/detail/call_base.hpp>
#include <switchgear/rate_limiter.hpp>

#include <exception>
#include <optional>
#include <utility>

namespace switchgear::inline v1::asio::detail {

/// So many calls per time: a turn is reserved, and waited for with a timer.
template <class Shape, std::size_t I>
class stage<Shape, I, rate_limiter> : public stage_base<Shape, I> {
  using base = stage_base<Shape, I>;

 public:
  using typename base::result;
  stage(call_base<Shape>& call, typename base::parent& p) : base(call, p), inner_(call, *this) {}
  ~stage() { give_back(); }

  maybe<result> start() {
    const rate_limiter& limiter = base::policy();
    clock& time = limiter.time_source();
    const std::chrono::nanoseconds now = time.now();
    const rate_limiter::reservation r = limiter.reserve(now, limiter.options().max_wait, base::call().context());
    if (!r.granted) return outcome<result>::failed(std::make_exception_ptr(limiter.limited_error(r)));
    if (r.wait.count() <= 0) return inner_.start();
    turn_ = r;
    pause_.start(base::call(), *this, time, switchgear::detail::later(now, r.wait));
    return {};
  }

  /// Its turn has come.
  maybe<result> resumed() {
    turn_.reset();
    maybe<result> o = inner_.start();
    return o ? base::ended(std::move(*o)) : std::nullopt;
  }

  maybe<result> child_done(outcome<result> o) { return base::ended(std::move(o)); }

  maybe<result> cancel(order_to_cancel order) {
    if (!turn_) return inner_.cancel(order);
    pause_.stop();
    give_back();
    return outcome<result>::failed(aborted_error());
  }

 private:
  void give_back() noexcept {
    if (turn_) (void)base::policy().give_back(*turn_);
    turn_.reset();
  }

  std::optional<rate_limiter::reservation> turn_;  ///< while it is waited for
  stage_pause<stage> pause_;
  stage_at<Shape, I + 1> inner_;
};

/// As many calls in flight as the dependency can work off.
template <class Shape, std::size_t I>
class stage<Shape, I, adaptive_limiter> : public stage_base<Shape, I> {
  using base = stage_base<Shape, I>;

 public:
  using typename base::result;
  stage(call_base<Shape>& call, typename base::parent& p) : base(call, p), inner_(call, *this) {}

  maybe<result> start() {
    is_cancelled_ = false;
    place_ = base::policy().try_enter(base::policy().time_source().now(), base::call().context());
    if (!place_) return outcome<result>::failed(std::make_exception_ptr(base::policy().exceeded_error()));
    return seen(inner_.start());
  }

  maybe<result> child_done(outcome<result> o) {
    judge(o);
    return base::ended(std::move(o));
  }

  maybe<result> cancel(order_to_cancel order) {
    // The first order decides: what follows a cancellation by the caller is no news of the dependency.
    if (order.why == reason::timed_out && !is_cancelled_) {
      place_.dropped();
    } else if (order.why != reason::caller) {
      place_.ignored();
    }
    is_cancelled_ = true;
    return seen(inner_.cancel(order));
  }

 private:
  maybe<result> seen(maybe<result> o) {
    if (o) judge(*o);
    return o;
  }
  void judge(const outcome<result>& o) noexcept {
    if (!place_) return;
    if (!o.error) {
      place_.succeeded(base::policy().time_source().now());
    } else if (is_call_timeout(o.error)) {
      place_.dropped();
    } else if (is_cancelled_ || is_rejection(o.error) || is_cancellation(o.error)) {
      place_.ignored();
    } else {
      place_.failed(base::policy().time_source().now());
    }
  }

  adaptive_limiter::slot place_;
  bool is_cancelled_ = false;
  stage_at<Shape, I + 1> inner_;
};

}  // namespace switchgear::inline v1::asio::detail
