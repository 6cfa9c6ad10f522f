// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <switchgear/asio/detail/call_base.hpp>
#include <switchgear/guard.hpp>
#include <switchgear/timeout.hpp>

#include <chrono>
#include <exception>
#include <string>
#include <utility>

namespace switchgear::inline v1::asio::detail {

/// A circuit breaker. The permit lives here, so that it goes back whatever becomes of the call.
template <class Shape, std::size_t I, class Target>
class stage<Shape, I, guard<Target>> : public stage_base<Shape, I> {
  using base = stage_base<Shape, I>;

 public:
  using typename base::result;
  stage(call_base<Shape>& call, typename base::parent& p) : base(call, p), inner_(call, *this) {}

  maybe<result> start() {
    auto& breaker = base::policy().target();
    context_ = base::call().context();
    if constexpr (requires { breaker.try_acquire(context_); }) {
      permit_ = breaker.try_acquire(context_);
    } else {
      permit_ = breaker.try_acquire();
    }
    if (!permit_) return rejected();
    is_cancelled_ = is_late_ = false;
    limit_ = permit_.call_timeout();
    if (limit_.count() > 0) return base::call().in_series(*this);
    return start_inner();
  }

  maybe<result> start_in_series() {
    time_ = &permit_.time_source();
    deadline_ = switchgear::detail::later(time_->now(), limit_);
    pause_.start(base::call(), *this, *time_, deadline_);
    return start_inner();
  }

  /// The call_timeout has passed.
  maybe<result> resumed() {
    is_late_ = !is_cancelled_;  // who was first decides; the operation has to end all the same
    settle(is_late_ ? verdict::timeout : verdict::ignored);
    maybe<result> o = inner_.cancel({boost::asio::cancellation_type::terminal, reason::timed_out, time_});
    return o ? base::ended(judged(std::move(*o))) : std::nullopt;
  }

  maybe<result> child_done(outcome<result> o) { return base::ended(judged(std::move(o))); }

  maybe<result> cancel(order_to_cancel order) {
    // What comes now comes too late to say anything about the dependency.
    if (order.why == reason::timed_out && !is_cancelled_) {
      settle(verdict::timeout);
    } else if (order.why != reason::caller) {
      settle(verdict::ignored);
    }
    is_cancelled_ = true;
    maybe<result> o = inner_.cancel(order);
    return o ? maybe<result>(judged(std::move(*o))) : std::nullopt;
  }

 private:
  maybe<result> start_inner() {
    maybe<result> o = inner_.start();
    return o ? maybe<result>(judged(std::move(*o))) : std::nullopt;
  }

  /// Does `f`, which settles the permit, so that the event carries the context.
  template <class F>
  void in_context(const F& f) {
    permit_ ? permit_.run([&f] { f(); }, context_) : f();
  }
  void settle(verdict v) {
    in_context([this, v] { permit_.settle(v); });
  }

  outcome<result> rejected() {
    try {
      permit_.require(context_);
    } catch (...) {
      return outcome<result>::failed(std::current_exception());
    }
    return {};
  }

  outcome<result> judged(outcome<result> o) {
    pause_.stop();
    if (is_late_) return too_late(o.error);
    // Back before the timer was heard, but the caller was first.
    if (is_cancelled_ && limit_.count() > 0 && time_->now() >= deadline_) settle(verdict::ignored);
    try {
      if (o.error) {
        if (is_cancelled_) {
          settle(verdict::ignored);  // the caller gave up, and the operation obeyed
        } else {
          std::rethrow_exception(o.error);
        }
      } else {
        verdict v = verdict::abandoned;
        in_context([&] {
          if constexpr (std::is_void_v<result>) {
            v = permit_.settle_return();
          } else {
            v = permit_.settle_value(std::as_const(*o.value));
          }
        });
        if (v == verdict::timeout) return too_late(nullptr);
      }
    } catch (...) {
      // Either the operation's exception, or that of a rule, which has settled the permit and passes.
      const std::exception_ptr e = std::current_exception();
      if (!permit_) return outcome<result>::failed(e);
      try {
        const bool timed_out = permit_.settle_exception(context_) == verdict::timeout;
        if (timed_out && limit_.count() > 0 && !is_call_timeout(e)) return too_late(e);
      } catch (...) {
        return outcome<result>::failed(std::current_exception());
      }
    }
    return o;
  }

  outcome<result> too_late(const std::exception_ptr& cause) {
    return outcome<result>::failed(
        switchgear::detail::timeout_error(std::string(base::policy().target().name()), limit_, cause));
  }

  call_context context_;  ///< of the call; before the permit, which may look at it to its end
  permit permit_;
  std::chrono::nanoseconds limit_{0};  ///< the call_timeout when the permit was given; 0 = none
  std::chrono::nanoseconds deadline_{0};
  clock* time_ = nullptr;
  bool is_cancelled_ = false;
  bool is_late_ = false;  ///< the call_timeout has passed and the permit is settled
  stage_pause<stage> pause_;
  stage_at<Shape, I + 1> inner_;
};

}  // namespace switchgear::inline v1::asio::detail
