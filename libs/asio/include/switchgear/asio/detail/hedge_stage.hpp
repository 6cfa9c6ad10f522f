// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <switchgear/asio/detail/call_base.hpp>
#include <switchgear/hedge.hpp>

#include <cstddef>
#include <exception>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

namespace switchgear::inline v1::asio::detail {

/// One attempt of a hedge: everything further in.
template <class Shape, std::size_t I>
class attempt_of_hedge : public std::enable_shared_from_this<attempt_of_hedge<Shape, I>> {
 public:
  using result = typename Shape::result;
  attempt_of_hedge(call_base<Shape>& call, stage_at<Shape, I>& parent, std::size_t number)
      : parent_(parent), number_(number), inner_(call, *this) {}

  [[nodiscard]] auto holding() { return hold<Shape, I + 1>{parent_.holding(), this->shared_from_this()}; }
  maybe<result> child_done(outcome<result> o) { return parent_.attempt_done(number_, std::move(o)); }

  maybe<result> start() { return inner_.start(); }
  maybe<result> cancel(order_to_cancel order) { return inner_.cancel(order); }

  maybe<result> brought;  ///< nothing while it is under way

 private:
  stage_at<Shape, I>& parent_;
  const std::size_t number_;
  stage_at<Shape, I + 1> inner_;
};

/// Another attempt beside a slow one. All on the executor of the call; options().executor is for blocking calls.
template <class Shape, std::size_t I>
class stage<Shape, I, hedge> : public stage_base<Shape, I> {
  using base = stage_base<Shape, I>;
  using attempt = attempt_of_hedge<Shape, I>;

 public:
  using typename base::result;
  stage(call_base<Shape>& call, typename base::parent& p) : base(call, p) {}

  maybe<result> start() {
    is_cancelled_ = is_decided_ = false;
    return base::call().in_series(*this);
  }
  maybe<result> start_in_series() {
    attempts_.clear();
    run_.emplace(base::policy(), base::call().seen());
    return go_on();
  }

  /// Time for another attempt.
  maybe<result> resumed() { return told(go_on()); }

  maybe<result> attempt_done(std::size_t number, outcome<result> o) {
    note(number, std::move(o));
    return told(go_on());
  }

  maybe<result> cancel(order_to_cancel order) {
    is_cancelled_ = true;
    pause_.stop();
    {
      const going m(*this);
      cancel_all(order);
    }
    return go_on();
  }

 private:
  maybe<result> told(maybe<result> o) { return o ? base::ended(std::move(*o)) : std::nullopt; }

  void note(std::size_t number, outcome<result> o) {
    hedge_run::ending how = hedge_run::ending::good;
    if (o.error) {
      try {
        std::rethrow_exception(o.error);
      } catch (...) {
        how = run_->caught();
      }
    } else if constexpr (!std::is_void_v<result>) {
      try {
        how = run_->returned(std::as_const(*o.value));
      } catch (...) {
        o = outcome<result>::failed(std::current_exception());  // a rule threw: that is the answer, the call was made
      }
    }
    attempts_[number]->brought = std::move(o);
    run_->finished(number, how);
  }

  void cancel_all(order_to_cancel order) {
    for (std::size_t i = 0; i < attempts_.size(); ++i) {
      if (attempts_[i]->brought) continue;
      if (maybe<result> o = attempts_[i]->cancel(order)) note(i, std::move(*o));
    }
  }
  [[nodiscard]] bool is_any_under_way() const noexcept {
    for (const auto& a : attempts_) {
      if (!a->brought) return true;
    }
    return false;
  }

  /// While attempts are started and cancelled: those that end meanwhile are noted, and whoever is at it goes on.
  class going {
   public:
    explicit going(stage& s) : stage_(s), before_(std::exchange(s.is_going_on_, true)) {}
    going(const going&) = delete;
    going& operator=(const going&) = delete;
    ~going() { stage_.is_going_on_ = before_; }

   private:
    stage& stage_;
    const bool before_;
  };

  /// Starts what is to be started; the answer once it is known and every attempt has ended.
  maybe<result> go_on() {
    if (is_going_on_) return {};
    const going m(*this);
    while (!is_decided_) {
      if (is_cancelled_ && !run_->is_decided()) {
        if (is_any_under_way()) return {};
        return answer(0);
      }
      clock& time = base::policy().time_source();
      const hedge_run::decision d = run_->next(time.now());
      switch (d.what) {
        case hedge_run::step::start: {
          attempts_.push_back(std::allocate_shared<attempt>(base::call().memory(), base::call(), *this, d.attempt));
          if (maybe<result> o = attempts_.back()->start()) note(d.attempt, std::move(*o));
          break;
        }
        case hedge_run::step::wait:
          pause_.stop();
          if (d.until) pause_.start(base::call(), *this, time, *d.until);
          return {};
        case hedge_run::step::answer:
          is_decided_ = true;
          winner_ = d.attempt;
          pause_.stop();
          cancel_all({boost::asio::cancellation_type::terminal, reason::lost, &time});
          break;
      }
    }
    // The losers have been told; what they may refer to stays until they have ended.
    return is_any_under_way() ? std::nullopt : answer(winner_);
  }

  maybe<result> answer(std::size_t number) {
    if (attempts_.empty()) return outcome<result>::failed(aborted_error());
    outcome<result> o = std::move(*attempts_[number]->brought);
    attempts_.clear();
    return o;
  }

  using pointer = std::shared_ptr<attempt>;
  using pointer_allocator = typename std::allocator_traits<typename Shape::allocator>::template rebind_alloc<pointer>;

  std::optional<hedge_run> run_;
  std::vector<pointer, pointer_allocator> attempts_{pointer_allocator(base::call().memory())};
  std::size_t winner_ = 0;
  bool is_cancelled_ = false;
  bool is_decided_ = false;  ///< the losers have been cancelled
  bool is_going_on_ = false;
  stage_pause<stage> pause_;
};

}  // namespace switchgear::inline v1::asio::detail
