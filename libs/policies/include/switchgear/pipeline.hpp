// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <switchgear/breaker.hpp>
#include <switchgear/detail/chain.hpp>
#include <switchgear/detail/order.hpp>
#include <switchgear/policy_event.hpp>

#include <concepts>
#include <memory>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

namespace switchgear::inline v1 {

namespace detail {

template <class P>
concept policy_type = requires {
  { P::kind } -> std::convertible_to<policy_kind>;
  { P::repeats } -> std::convertible_to<bool>;
  { P::waits } -> std::convertible_to<bool>;
  { P::detaches } -> std::convertible_to<bool>;
};

/// A breaker, or what points to one.
template <class P>
concept breaker_itself = breaker<P> || requires(P& p) { requires breaker<std::remove_cvref_t<decltype(*p)>>; };

}  // namespace detail

/// Several policies around one call, outermost first:
///
///     auto guarded = sg::pipeline(sg::fallback(cached_receipt), sg::retry({.max_attempts = 3}), sg::guard(payments), sg::timeout(2s));
///     receipt r = guarded([&](std::stop_token stop) { return client.charge(order, stop); });
///
/// The order says what is judged: `retry, guard` makes each attempt a call of the breaker, `guard, retry` the whole loop one
/// call. An order that can only be a mistake does not compile; one that is probably a mistake is named by warnings(), and
/// told to whoever observes policies (observe_policies) when the pipeline is made.
///
/// A pipeline is a value and as cheap to copy as its policies, which share their state. Thread safety: calls from any
/// thread, at the same time. A call is one chain of inlined functions and allocates nothing itself.
template <class... Policies>
class pipeline {
  static_assert((!detail::breaker_itself<Policies> && ...), "A circuit breaker is not a policy: write sg::guard(breaker).");
  static constexpr bool are_policies = (detail::policy_type<Policies> && ...);
  static_assert(are_policies || (detail::breaker_itself<Policies> || ...),
                "A pipeline is made of policies, which derive from sg::policy_base and are given by value. For a pipeline inside a "
                "pipeline list the policies of the inner one.");

 public:
  explicit pipeline(Policies... policies) : policies_(std::move(policies)...) {
    if constexpr (are_policies) {
      detail::check_order<Policies...>();
      detail::tell_warnings(warnings());
    }
  }

  /// Calls `f` with the arguments through all policies, and returns or throws what comes of it. `f` gets a stop token before
  /// its arguments when it takes one.
  template <class F, class... A>
    requires(!std::is_same_v<std::remove_cvref_t<F>, execution>)
  decltype(auto) operator()(F&& f, A&&... arguments) const {
    return detail::call_through(policies_, execution{}, std::forward<F>(f), std::forward<A>(arguments)...);
  }

  /// The same with a stop token of the caller and a correlation id: `guarded({.stop = stop, .context = {.correlation_id = id}}, f)`.
  template <class F, class... A>
  decltype(auto) operator()(const execution& e, F&& f, A&&... arguments) const {
    return detail::call_through(policies_, e, std::forward<F>(f), std::forward<A>(arguments)...);
  }

  /// `fallback → retry(3 attempts, exponential 100ms, full jitter) → guard(payments) → timeout(2s)`.
  [[nodiscard]] std::string describe() const {
    std::string text;
    std::apply([&](const auto&... p) { ((text += (text.empty() ? "" : " → ") + p.describe()), ...); }, policies_);
    return text;
  }

  /// What is doubtful about this order of these policies with these options, one sentence each.
  [[nodiscard]] std::vector<std::string> warnings() const {
    std::vector<detail::policy_facts_at_runtime> facts;
    std::apply([&](const auto&... p) { (facts.push_back(detail::facts_of(p)), ...); }, policies_);
    return detail::order_warnings(facts);
  }

  /// The policies, outermost first: for adapters.
  [[nodiscard]] const std::tuple<Policies...>& policies() const noexcept { return policies_; }

 private:
  std::tuple<Policies...> policies_;
};

}  // namespace switchgear::inline v1
