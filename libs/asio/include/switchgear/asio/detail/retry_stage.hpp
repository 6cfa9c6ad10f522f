// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <switchgear/asio/detail/call_base.hpp>
#include <switchgear/retry.hpp>

#include <chrono>
#include <exception>
#include <optional>
#include <utility>

namespace switchgear::inline v1::asio::detail {

/// Attempts, one after the other, with a timer between them.
template <class Shape, std::size_t I>
class stage<Shape, I, retry> : public stage_base<Shape, I> {
  using base = stage_base<Shape, I>;

 public:
  using typename base::result;
  stage(call_base<Shape>& call, typename base::parent& p) : base(call, p), inner_(call, *this) {}

  maybe<result> start() {
    run_.emplace(base::policy());
    is_cancelled_ = false;
    return go_on(inner_.start());
  }

  maybe<result> child_done(outcome<result> o) { return told(go_on(std::move(o))); }

  /// The wait is over.
  maybe<result> resumed() {
    outcome<result> last = *std::exchange(last_, std::nullopt);
    return told(begins(last) ? go_on(inner_.start()) : maybe<result>(std::move(last)));
  }

  maybe<result> cancel(order_to_cancel order) {
    is_cancelled_ = true;
    if (!pause_.is_waiting()) {
      maybe<result> o = inner_.cancel(order);
      return o ? go_on(std::move(o)) : std::nullopt;
    }
    pause_.stop();
    return given_up(*std::exchange(last_, std::nullopt));
  }

 private:
  /// There would have been another attempt, had the call not been cancelled.
  outcome<result> given_up(const outcome<result>& last) {
    (void)run_->cancelled(nullptr);  // for its counters; the error is the one that callers of Asio look for
    const std::exception_ptr e = aborted_error(last.error);
    run_->remember(e);
    return outcome<result>::failed(e);
  }

  /// After an attempt that has ended, if it has: the outcome, or nothing while another is under way or waited for.
  maybe<result> go_on(maybe<result> o) {
    while (o) {
      const retry_run::decision d = decide(*o);
      if (!d.again) return o;
      // What the attempt brought was on its way when the caller cancelled.
      if (is_cancelled_) return given_up(*o);
      if (d.delay.count() > 0) {
        last_ = std::move(o);
        clock& time = base::policy().time_source();
        pause_.start(base::call(), *this, time, switchgear::detail::later(time.now(), d.delay));
        return {};
      }
      if (!begins(*o)) return o;
      o = inner_.start();
    }
    return {};
  }

  /// Whether the attempt that was decided on may still begin; else `last` is what leaves.
  bool begins(const outcome<result>& last) { return run_->begins(last.error, base::call().seen(is_cancelled_)); }

  maybe<result> told(maybe<result> o) { return o ? base::ended(std::move(*o)) : std::nullopt; }

  retry_run::decision decide(outcome<result>& o) {
    const execution e = base::call().seen(is_cancelled_);
    if constexpr (!std::is_void_v<result>) {
      if (!o.error && run_->judges_values() && !is_cancelled_) {
        try {
          return run_->returned(std::as_const(*o.value), e);
        } catch (...) {
          o = outcome<result>::failed(std::current_exception());  // a rule threw: as if the attempt had
        }
      }
    }
    if (!o.error) {
      run_->succeeded();
      return {};
    }
    try {
      std::rethrow_exception(o.error);
    } catch (...) {
      try {
        return run_->caught(e);
      } catch (...) {
        o = outcome<result>::failed(std::current_exception());  // a rule threw
        return {};
      }
    }
  }

  std::optional<retry_run> run_;
  bool is_cancelled_ = false;
  maybe<result> last_;  ///< during the wait: what the last attempt brought
  stage_pause<stage> pause_;
  stage_at<Shape, I + 1> inner_;
};

}  // namespace switchgear::inline v1::asio::detail
