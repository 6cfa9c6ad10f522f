// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <switchgear/policy.hpp>
#include <switchgear/retry_budget.hpp>

#include <array>
#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace switchgear::inline v1::detail {

// --- what the types alone prove ---

/// What the type of a policy says about its place.
struct static_facts {
  policy_kind kind = policy_kind::other;
  bool repeats = false;
  bool per_attempt = false;  ///< a limit for each attempt: belongs inside what repeats
  bool total = false;        ///< a limit for all attempts: belongs outside
};

template <class P>
constexpr static_facts static_facts_of() {
  static_facts f{.kind = P::kind, .repeats = P::repeats};
  if constexpr (requires { P::is_per_attempt; }) f.per_attempt = P::is_per_attempt;
  if constexpr (requires { P::is_total; }) f.total = P::is_total;
  return f;
}

enum class order_mistake {
  none, fallback_inside_retry, fallback_inside_hedge, fallback_inside_guard, cache_inside_guard, cache_inside_retry,
  per_attempt_outside, total_inside
};

template <std::size_t N>
constexpr order_mistake find_mistake(const std::array<static_facts, N>& all) {
  for (std::size_t outer = 0; outer < N; ++outer) {
    for (std::size_t inner = outer + 1; inner < N; ++inner) {
      const static_facts &o = all[outer], &i = all[inner];
      if (i.kind == policy_kind::fallback) {
        if (o.kind == policy_kind::retry) return order_mistake::fallback_inside_retry;
        if (o.kind == policy_kind::hedge) return order_mistake::fallback_inside_hedge;
        if (o.kind == policy_kind::guard) return order_mistake::fallback_inside_guard;
      }
      if (i.kind == policy_kind::last_known_good) {
        if (o.kind == policy_kind::guard) return order_mistake::cache_inside_guard;
        if (o.repeats) return order_mistake::cache_inside_retry;
      }
      if (o.per_attempt && i.repeats) return order_mistake::per_attempt_outside;
      if (i.total && o.repeats) return order_mistake::total_inside;
    }
  }
  return order_mistake::none;
}

template <class... Policies>
constexpr void check_order() {
  if constexpr (sizeof...(Policies) > 1) {
    constexpr order_mistake found = find_mistake(std::array{static_facts_of<Policies>()...});
    static_assert(found != order_mistake::fallback_inside_retry,
                  "A fallback inside a retry hides every failure from it, so that nothing is ever retried: put the fallback outside.");
    static_assert(found != order_mistake::fallback_inside_hedge,
                  "A fallback inside a hedge answers for the first attempt, so that no other wins: put the fallback outside.");
    static_assert(found != order_mistake::fallback_inside_guard,
                  "A fallback inside a circuit breaker hides every failure from it, so that it never opens: put the fallback outside.");
    static_assert(found != order_mistake::cache_inside_guard,
                  "A last_known_good inside a circuit breaker hides failures from it: put it outside.");
    static_assert(found != order_mistake::cache_inside_retry,
                  "A last_known_good inside a retry or a hedge hides failures from it: put it outside.");
    static_assert(found != order_mistake::per_attempt_outside,
                  "A timeout for each attempt stands outside the retry or hedge that makes the attempts: put it inside, or say total().");
    static_assert(found != order_mistake::total_inside,
                  "A timeout for all attempts stands inside the retry or hedge that makes them: put it outside, or say per_attempt().");
  }
}

// --- what depends on options ---

struct policy_facts_at_runtime {
  policy_kind kind = policy_kind::other;
  std::string text;                                 ///< describe()
  std::optional<std::chrono::nanoseconds> limit{};  ///< of timeouts and time limiters; call_timeout of a breaker
  std::optional<std::chrono::nanoseconds> total{};  ///< of retries with one
  bool waits_for_retry_after = false;
  std::optional<retry_budget> budget{};             ///< of retries and hedges with one
  const void* breaker = nullptr;                    ///< of guards
  const void* executor = nullptr;                   ///< of policies that run the rest on one that they were given
};

template <class P>
policy_facts_at_runtime facts_of(const P& p) {
  policy_facts_at_runtime f{.kind = P::kind, .text = p.describe()};
  if constexpr (P::kind == policy_kind::timeout || P::kind == policy_kind::time_limiter) f.limit = p.limit();
  if constexpr (P::kind == policy_kind::retry || P::kind == policy_kind::hedge) f.budget = p.options().budget;
  if constexpr (P::kind == policy_kind::time_limiter || P::kind == policy_kind::hedge) f.executor = p.options().executor;
  if constexpr (P::kind == policy_kind::retry) {
    if (p.options().total_limit.count() > 0) f.total = p.options().total_limit;
    f.waits_for_retry_after = p.options().wait_for_retry_after;
  }
  if constexpr (P::kind == policy_kind::guard) {
    // A handle that the guard holds itself is like no other; a breaker that it points to may be.
    if constexpr (requires { std::addressof(p.target()); }) f.breaker = std::addressof(p.target());
    if constexpr (requires { p.target().configuration(); }) {
      if (const auto limit = p.target().configuration().call_timeout; limit.count() > 0) f.limit = limit;
    }
  }
  return f;
}

[[nodiscard]] std::vector<std::string> order_warnings(const std::vector<policy_facts_at_runtime>& outermost_first);

/// As policy events of kind warning.
void tell_warnings(const std::vector<std::string>& warnings) noexcept;

}  // namespace switchgear::inline v1::detail
