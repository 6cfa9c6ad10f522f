// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <switchgear/asio/detail/call_base.hpp>
#include <switchgear/time_limiter.hpp>
#include <switchgear/timeout.hpp>

#include <chrono>
#include <concepts>
#include <exception>
#include <utility>

namespace switchgear::inline v1::asio::detail {

template <class P>
concept time_limit = std::derived_from<P, switchgear::detail::timeout_core> || std::same_as<P, time_limiter>;

/// A time limit: at the deadline the rest of the call is cancelled. A time_limiter does the same here, and needs no thread,
/// because the operation does not block one.
template <class Shape, std::size_t I, time_limit Policy>
class stage<Shape, I, Policy> : public stage_base<Shape, I> {
  using base = stage_base<Shape, I>;

 public:
  using typename base::result;
  stage(call_base<Shape>& call, typename base::parent& p) : base(call, p), inner_(call, *this) {}

  maybe<result> start() {
    is_expired_ = is_cancelled_ = false;
    return base::call().in_series(*this);
  }

  maybe<result> start_in_series() {
    clock& time = base::policy().time_source();
    deadline_ = switchgear::detail::later(time.now(), base::policy().limit());
    pause_.start(base::call(), *this, time, deadline_);
    return judged(inner_.start());
  }

  /// The deadline has passed.
  maybe<result> resumed() {
    is_expired_ = !is_cancelled_;  // who was first decides; the operation has to end all the same
    const order_to_cancel order{boost::asio::cancellation_type::terminal, reason::timed_out, &base::policy().time_source()};
    maybe<result> o = judged(inner_.cancel(order));
    return o ? base::ended(std::move(*o)) : std::nullopt;
  }

  maybe<result> child_done(outcome<result> o) { return base::ended(*judged(std::move(o))); }

  maybe<result> cancel(order_to_cancel order) {
    is_cancelled_ = true;
    return judged(inner_.cancel(order));
  }

 private:
  maybe<result> judged(maybe<result> o) {
    if (!o) return o;
    pause_.stop();
    if (!is_expired_) {
      // Back before the timer was heard. A caller who was first hears what his cancellation brought.
      if (is_cancelled_ || base::policy().time_source().now() < deadline_) return o;
      if (is_cancellation(o->error)) return o;
    }
    if (is_rejection(o->error)) return o;
    return outcome<result>::failed(expired(o->error));
  }

  [[nodiscard]] std::exception_ptr expired(const std::exception_ptr& cause) const {
    if constexpr (requires { base::policy().expired(base::call().seen(), cause); }) {
      return base::policy().expired(base::call().seen(), cause);
    } else {
      return base::policy().expired(base::call().seen());
    }
  }

  std::chrono::nanoseconds deadline_{0};
  bool is_expired_ = false;
  bool is_cancelled_ = false;
  stage_pause<stage> pause_;
  stage_at<Shape, I + 1> inner_;
};

}  // namespace switchgear::inline v1::asio::detail
