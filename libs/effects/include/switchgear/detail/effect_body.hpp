// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <switchgear/classifier.hpp>
#include <switchgear/permit.hpp>
#include <switchgear/state.hpp>
#include <switchgear/transaction.hpp>

#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <type_traits>
#include <utility>

namespace switchgear::inline v1::detail {

/// An effect without its types: what the compiled executor sees of it.
class effect_body {
 public:
  /// Makes one attempt and keeps what it returns.
  virtual void run(const std::stop_token& stop, transaction& t) = 0;
  /// What these rules say of it.
  [[nodiscard]] virtual verdict judge(const classifier& rules) const = 0;

 protected:
  ~effect_body() = default;
};

template <class F>
decltype(auto) invoke_effect(F& f, const std::stop_token& stop, transaction& t) {
  if constexpr (std::is_invocable_v<F&, std::stop_token, transaction&>) {
    return std::invoke(f, stop, t);
  } else if constexpr (std::is_invocable_v<F&, transaction&>) {
    return std::invoke(f, t);
  } else if constexpr (std::is_invocable_v<F&, std::stop_token>) {
    return std::invoke(f, stop);
  } else {
    static_assert(std::is_invocable_v<F&>,
                  "An effect takes (std::stop_token, transaction&), (transaction&), (std::stop_token) or nothing.");
    return std::invoke(f);
  }
}

template <class F>
using effect_result = decltype(invoke_effect(std::declval<std::remove_reference_t<F>&>(),
                                             std::declval<const std::stop_token&>(), std::declval<transaction&>()));

template <class F>
class effect_function final : public effect_body {
  using result = effect_result<F>;
  static constexpr bool is_void = std::is_void_v<result>;
  static constexpr bool is_reference = std::is_reference_v<result>;
  static_assert(is_void || is_reference || std::is_move_constructible_v<result>,
                "The result of an effect is looked at before the transaction commits, so it has to be one that can be moved.");

  struct nothing {};
  template <class R>
  struct stored { using type = std::optional<R>; };
  template <class R>
    requires std::is_void_v<R>
  struct stored<R> { using type = nothing; };
  template <class R>
    requires std::is_reference_v<R>
  struct stored<R> { using type = std::remove_reference_t<R>*; };

 public:
  explicit effect_function(F& f) noexcept : f_(f) {}

  void run(const std::stop_token& stop, transaction& t) override {
    if constexpr (is_void) {
      invoke_effect(f_, stop, t);
    } else if constexpr (is_reference) {
      out_ = std::addressof(static_cast<std::remove_reference_t<result>&>(invoke_effect(f_, stop, t)));
    } else {
      out_.reset();
      emplace_from(out_, [&]() -> result { return invoke_effect(f_, stop, t); });
    }
  }

  [[nodiscard]] verdict judge(const classifier& rules) const override {
    if constexpr (is_void) {
      return verdict::success;
    } else {
      if (!rules.judges_values()) return verdict::success;
      return rules.of_value(std::as_const(*out_));
    }
  }

  result take() {
    if constexpr (is_reference) {
      return static_cast<result>(*out_);
    } else if constexpr (!is_void) {
      return *std::move(out_);
    }
  }

 private:
  F& f_;
  typename stored<result>::type out_{};
};

}  // namespace switchgear::inline v1::detail
