// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <switchgear/permit.hpp>

#include <atomic>
#include <cstdint>
#include <functional>
#include <stop_token>
#include <type_traits>
#include <utility>

namespace switchgear::inline v1 {

/// Which sort of policy a type is: what the order in a pipeline is judged by.
enum class policy_kind : std::uint8_t {
  guard, retry, timeout, time_limiter, fallback, last_known_good, bulkhead, rate_limiter, hedge, adaptive_limiter, other
};

/// Whether the caller still waits for a call that runs on another thread.
enum class call_fate : std::uint8_t {
  wanted,
  lost,       ///< the loser of a hedge: whatever it brings is ignored
  timed_out,  ///< its time limit passed: whatever it brings, it was a timeout
};

/// What one call carries through its policies, outermost to innermost.
struct execution {
  std::stop_token stop{};   ///< when it is requested, waits end with cancelled_error, and the function is asked to stop
  call_context context{};   ///< must outlive the call
  const std::atomic<call_fate>* fate = nullptr;  ///< null: wanted
};

/// What every policy type has. A policy is a cheap handle: copies share limits, counters and observers.
///
/// A policy gives the rest of the call as `next`: `next(e)` runs everything further in and returns (or throws) what it
/// brings; it may be called again, or not at all. `run` is called from any number of threads at a time.
///
///     struct logged : sg::policy_base {
///       template <class Next>
///       typename Next::result run(const Next& next, const sg::execution& e) const {
///         log("calling");
///         return next(e);
///       }
///       std::string describe() const { return "logged"; }
///     };
struct policy_base {
  static constexpr policy_kind kind = policy_kind::other;
  static constexpr bool repeats = false;   ///< may call the rest more than once
  static constexpr bool waits = false;     ///< looks at execution::stop itself
  static constexpr bool detaches = false;  ///< runs the rest on another thread, and may return before it
};

/// Marks a function that must not run twice for one call: a pipeline that could run it twice at a time (hedge) refuses to
/// compile.
///
///     guarded(sg::non_idempotent([&] { return bank.transfer(order); }));
template <class F>
struct non_idempotent {
  explicit non_idempotent(F function) : f(std::move(function)) {}
  F f;

  template <class... A>
    requires std::is_invocable_v<F&, A...>
  decltype(auto) operator()(A&&... arguments) {
    return std::invoke(f, std::forward<A>(arguments)...);
  }
  template <class... A>
    requires std::is_invocable_v<const F&, A...>
  decltype(auto) operator()(A&&... arguments) const {
    return std::invoke(f, std::forward<A>(arguments)...);
  }
};

}  // namespace switchgear::inline v1
