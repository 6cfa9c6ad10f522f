// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <switchgear/asio/detail/call_base.hpp>
#include <switchgear/fallback.hpp>
#include <switchgear/last_known_good.hpp>

#include <exception>
#include <memory>
#include <type_traits>
#include <utility>

namespace switchgear::inline v1::asio::detail {

/// What policies have in common that look at the outcome alone: `answered(outcome)` is theirs.
template <class Self, class Shape, std::size_t I>
class answering_stage : public stage_base<Shape, I> {
  using base = stage_base<Shape, I>;

 public:
  using typename base::result;
  answering_stage(call_base<Shape>& call, typename base::parent& p) : base(call, p), inner_(call, static_cast<Self&>(*this)) {}

  maybe<result> start() {
    is_cancelled_ = false;
    return seen(inner_.start());
  }
  maybe<result> child_done(outcome<result> o) { return base::ended(self().answered(std::move(o))); }
  maybe<result> cancel(order_to_cancel order) {
    is_cancelled_ = true;
    return seen(inner_.cancel(order));
  }

 protected:
  [[nodiscard]] execution shown() const { return base::call().seen(is_cancelled_); }

 private:
  [[nodiscard]] Self& self() noexcept { return static_cast<Self&>(*this); }
  maybe<result> seen(maybe<result> o) { return o ? maybe<result>(self().answered(std::move(*o))) : std::nullopt; }

  bool is_cancelled_ = false;
  stage_at<Shape, I + 1> inner_;
};

/// A fallback. Its function runs on the executor of the call and should not block.
template <class Shape, std::size_t I, class F>
class stage<Shape, I, fallback<F>> : public answering_stage<stage<Shape, I, fallback<F>>, Shape, I> {
  using base = answering_stage<stage, Shape, I>;

 public:
  using typename base::result;
  using base::base;

  outcome<result> answered(outcome<result> o) {
    const execution e = base::shown();
    try {
      if (o.error) {
        try {
          std::rethrow_exception(o.error);
        } catch (...) {
          // In here, so that std::throw_with_nested in the function finds the first failure.
          const auto why = base::policy().caught(e);
          return why ? ask(*why, e) : std::move(o);
        }
      }
      if constexpr (!std::is_void_v<result>) {
        if (const auto why = base::policy().returned(std::as_const(*o.value), e)) return ask(*why, e);
      }
    } catch (...) {
      return outcome<result>::failed(std::current_exception());
    }
    return o;
  }

 private:
  outcome<result> ask(const failure_info& why, const execution& e) {
    if constexpr (std::is_void_v<result>) {
      base::policy().template answer<void>(why, e);
      return outcome<result>::returned();
    } else {
      return outcome<result>::returned(base::policy().template answer<result>(why, e));
    }
  }
};

/// The newest good value.
template <class Shape, std::size_t I, class T>
class stage<Shape, I, last_known_good<T>> : public answering_stage<stage<Shape, I, last_known_good<T>>, Shape, I> {
  using base = answering_stage<stage, Shape, I>;

 public:
  using typename base::result;
  using base::base;
  static_assert(std::is_same_v<result, T>, "This last_known_good remembers values of another type than the operation brings.");

  outcome<result> answered(outcome<result> o) {
    const execution e = base::shown();
    try {
      std::shared_ptr<const T> known;
      if (o.error) {
        try {
          std::rethrow_exception(o.error);
        } catch (...) {
          if (const auto why = base::policy().caught(e)) known = base::policy().recall(*why, e);
        }
      } else {
        known = base::policy().returned(std::as_const(*o.value), e);
      }
      if (known) return outcome<result>::returned(*known);
    } catch (...) {
      return outcome<result>::failed(std::current_exception());
    }
    return o;
  }
};

}  // namespace switchgear::inline v1::asio::detail
