// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <switchgear/policy.hpp>

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>

namespace switchgear::inline v1::detail {

/// Calls `f` with the arguments, and with the stop token before them when it takes one, as std::jthread does.
template <class F, class... A>
decltype(auto) invoke_stoppable(F&& f, const std::stop_token& stop, A&&... arguments) {
  if constexpr (std::is_invocable_v<F, std::stop_token, A...>) {
    return std::invoke(std::forward<F>(f), stop, std::forward<A>(arguments)...);
  } else {
    return std::invoke(std::forward<F>(f), std::forward<A>(arguments)...);
  }
}

template <class F>
inline constexpr bool is_non_idempotent = false;
template <class F>
inline constexpr bool is_non_idempotent<non_idempotent<F>> = true;

/// A function with the arguments of one call that stay where the caller has them. When it may run again the arguments are
/// handed over as lvalues each time, else as they were given.
template <bool Repeats, class F, class... A>
class bound_function {
  template <class T>
  using passed = std::conditional_t<Repeats, std::remove_reference_t<T>&, T&&>;
  using called = std::conditional_t<Repeats, std::remove_reference_t<F>&, F&&>;
  /// As a copy of the function gets a copy of an argument.
  template <class T>
  using owned_argument = std::conditional_t<Repeats, std::decay_t<T>&, std::decay_t<T>>;
  static constexpr bool callable = std::is_invocable_v<called, passed<A>...> ||
                                   std::is_invocable_v<called, std::stop_token, passed<A>...>;
  static constexpr bool callable_once = std::is_invocable_v<F, A...> || std::is_invocable_v<F, std::stop_token, A...>;
  static_assert(callable || callable_once, "The function cannot be called with these arguments.");
  static_assert(callable || !callable_once,
                "A policy of this pipeline may run the function more than once (retry, hedge), so it gets its arguments as "
                "lvalues; this function consumes one of them. Let it take a reference, and copy or move inside.");

 public:
  using result = decltype(invoke_stoppable(std::declval<called>(), std::declval<const std::stop_token&>(),
                                           std::declval<passed<A>>()...));
  static constexpr bool takes_stop = std::is_invocable_v<called, std::stop_token, passed<A>...>;
  static constexpr bool runs_only_once = is_non_idempotent<std::remove_cvref_t<F>>;

  explicit bound_function(F&& f, A&&... arguments) : f_(f), arguments_(std::forward<A>(arguments)...) {}

  result operator()(const std::stop_token& stop) {
    if constexpr (sizeof...(A) == 0) {
      return invoke_stoppable(static_cast<called>(f_), stop);
    } else {
      return std::apply(
          [&](auto&&... a) -> result { return invoke_stoppable(static_cast<called>(f_), stop, static_cast<passed<A>>(a)...); },
          arguments_);
    }
  }

  /// The same that owns what it needs, for a call that may outlive its caller.
  auto detach() {
    static_assert(!Repeats || (std::is_copy_constructible_v<std::decay_t<F>> && (std::is_copy_constructible_v<std::decay_t<A>> && ...)),
                  "This function runs on another thread and more than once (retry or hedge around a time_limiter, or hedge), so "
                  "it and its arguments have to be copyable.");
    static_assert(std::is_invocable_v<std::decay_t<F>&, owned_argument<A>...> ||
                      std::is_invocable_v<std::decay_t<F>&, std::stop_token, owned_argument<A>...>,
                  "This function runs on another thread (time_limiter, hedge), on copies of its arguments that may outlive the "
                  "caller: it cannot take them by reference to something that is not const. Use std::ref where that is meant.");
    return std::apply(
        [&](auto&... a) {
          return owned_function<std::decay_t<F>, std::decay_t<A>...>(static_cast<called>(f_), static_cast<passed<A>>(a)...);
        },
        arguments_);
  }

 private:
  template <class Owned, class... Values>
  class owned_function {
   public:
    using result = decltype(invoke_stoppable(std::declval<Owned&>(), std::declval<const std::stop_token&>(),
                                             std::declval<std::conditional_t<Repeats, Values&, Values>>()...));
    static constexpr bool takes_stop = bound_function::takes_stop;
    static constexpr bool runs_only_once = bound_function::runs_only_once;
    template <class G, class... B>
    explicit owned_function(G&& f, B&&... b) : f_(std::forward<G>(f)), values_(std::forward<B>(b)...) {}

    result operator()(const std::stop_token& stop) {
      return std::apply(
          [&](auto&... v) -> result {
            return invoke_stoppable(f_, stop, static_cast<std::conditional_t<Repeats, Values&, Values&&>>(v)...);
          },
          values_);
    }
    owned_function detach() {
      if constexpr (Repeats) {
        return *this;
      } else {
        return std::move(*this);
      }
    }

   private:
    Owned f_;
    std::tuple<Values...> values_;
  };

  std::remove_reference_t<F>& f_;
  std::tuple<A&&...> arguments_;
};

/// Whether any policy from `I` on, or the function, looks at the stop token.
template <class Policies, std::size_t I, class F>
constexpr bool looks_at_stop() {
  if constexpr (I == std::tuple_size_v<Policies>) {
    return F::takes_stop;
  } else {
    return std::remove_cvref_t<std::tuple_element_t<I, Policies>>::waits || looks_at_stop<Policies, I + 1, F>();
  }
}

template <class Policies>
struct owned_policies;
template <class... Ps>
struct owned_policies<std::tuple<Ps...>> { using type = std::tuple<std::remove_cvref_t<Ps>...>; };

template <class Policies, std::size_t I, class F>
class detached_link;

/// The rest of a call from policy `I` on: what a policy calls `next`. Refers to policies and function, owns nothing.
template <class Policies, std::size_t I, class F>
class link {
 public:
  using result = typename F::result;
  static constexpr bool uses_stop = looks_at_stop<Policies, I, F>();
  static constexpr bool runs_only_once = F::runs_only_once;

  link(const Policies& policies, F& function) noexcept : policies_(policies), function_(function) {}

  result operator()(const execution& e) const {
    if constexpr (I == std::tuple_size_v<Policies>) {
      return function_(e.stop);
    } else {
      return std::get<I>(policies_).run(link<Policies, I + 1, F>(policies_, function_), e);
    }
  }

  /// A copy that owns all it needs, for policies that run the rest on another thread.
  [[nodiscard]] auto detach(const execution& e) const {
    using owned = typename owned_policies<Policies>::type;
    return detached_link<owned, I, decltype(function_.detach())>(owned(policies_), function_.detach(), e);
  }

 private:
  const Policies& policies_;
  F& function_;
};

template <class Policies, std::size_t I, class F>
class detached_link {
 public:
  using result = typename F::result;
  static constexpr bool uses_stop = looks_at_stop<Policies, I, F>();

  detached_link(Policies policies, F function, const execution& e)
      : policies_(std::move(policies)), function_(std::move(function)), correlation_id_(e.context.correlation_id) {
    if (e.context.context != nullptr) context_ = *e.context.context;
  }

  result operator()(std::stop_token stop, const std::atomic<call_fate>* fate) {
    const execution e{std::move(stop), {correlation_id_, context_ ? &*context_ : nullptr}, fate};
    return link<Policies, I, F>(policies_, function_)(e);
  }

 private:
  Policies policies_;
  F function_;
  std::string correlation_id_;
  std::optional<error_context> context_;
};

template <class Policies>
struct policy_facts;
template <class... Ps>
struct policy_facts<std::tuple<Ps...>> {
  static constexpr bool repeats = (std::remove_cvref_t<Ps>::repeats || ...);
  static constexpr bool hedges = ((std::remove_cvref_t<Ps>::kind == policy_kind::hedge) || ...);
};
template <>
struct policy_facts<std::tuple<>> {
  static constexpr bool repeats = false;
  static constexpr bool hedges = false;
};

/// One call of `f` through the policies of a tuple, the first outermost.
template <class Policies, class F, class... A>
decltype(auto) call_through(const Policies& policies, const execution& e, F&& f, A&&... arguments) {
  using facts = policy_facts<Policies>;
  static_assert(!facts::hedges || !is_non_idempotent<std::remove_cvref_t<F>>,
                "A hedge runs the function twice at a time, and this function is marked non_idempotent.");
  using function = bound_function<facts::repeats, F, A...>;
  function bound(std::forward<F>(f), std::forward<A>(arguments)...);
  return link<Policies, 0, function>(policies, bound)(e);
}

/// Gives a policy that is used alone its `call`.
template <class Self>
struct callable_policy : policy_base {
  /// Calls `f` with the arguments under this policy alone; a stop token goes before them when `f` takes one.
  template <class F, class... A>
    requires(!std::is_same_v<std::remove_cvref_t<F>, execution>)
  decltype(auto) call(F&& f, A&&... arguments) const {
    return call(execution{}, std::forward<F>(f), std::forward<A>(arguments)...);
  }
  template <class F, class... A>
  decltype(auto) call(const execution& e, F&& f, A&&... arguments) const {
    return call_through(std::tuple<const Self&>(static_cast<const Self&>(*this)), e, std::forward<F>(f),
                        std::forward<A>(arguments)...);
  }
};

}  // namespace switchgear::inline v1::detail
