// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <switchgear/classifier.hpp>
#include <switchgear/clock.hpp>
#include <switchgear/guard.hpp>
#include <switchgear/policy.hpp>
#include <switchgear/registry.hpp>
#include <switchgear/retry.hpp>

#include <chrono>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

namespace switchgear::inline v1 {

/// Everything that execute_with_retry can be told.
struct execute_with_retry_options {
  int max_attempts = 3;                                          ///< the first included; 1 … 1000
  /// Between two attempts, at least; the waits grow from here. Up to 24 h; 0 only together with max_wait 0: no waits at all.
  std::chrono::nanoseconds min_wait = std::chrono::seconds(1);
  std::chrono::nanoseconds max_wait = std::chrono::seconds(10);  ///< at most; min_wait … 24 h

  /// The name of a breaker around all attempts; empty: none. `storage:save_task`, see operation_key.
  std::string operation_name{};

  /// What is worth another attempt, and a failure for a breaker that is made here: see retry_options::when.
  classifier when{};

  switchgear::clock* clock = nullptr;  ///< null: steady_clock()
  registry* breakers = nullptr;        ///< null: default_registry(); not touched without an operation_name
  execution call{};                    ///< the stop token and the correlation id

  /// Every problem at once; empty when the options are good.
  [[nodiscard]] std::vector<problem> validate() const;
};

namespace detail {

/// Throws config_error.
[[nodiscard]] retry make_retry(const execute_with_retry_options& options);
/// Empty when there is no operation name, or while registry::enabled() says no.
[[nodiscard]] breaker_handle find_breaker(const execute_with_retry_options& options);

}  // namespace detail

/// Calls `f` until it succeeds, with waits that grow from `min_wait` to `max_wait` with jitter, and returns what it returns.
/// After the last attempt its own exception passes. With an operation name, a breaker of that name is around all attempts
/// together: success after retries is one success, retries used up are one failure, and while the circuit is open there is no
/// attempt and circuit_open_error is thrown.
///
///     auto row = sg::execute_with_retry([&] { return db.load(id); }, {.max_attempts = 5, .operation_name = "storage:load"});
///
/// Makes a retry policy each time. For an operation that is called often, `operations` and `retry` keep one.
/// Thread safety: from any thread. Throws config_error when the options are not good.
template <class F>
decltype(auto) execute_with_retry(F&& f, const execute_with_retry_options& options) {
  const retry policy = detail::make_retry(options);
  const breaker_handle breaker = detail::find_breaker(options);
  if (!breaker) return policy.call(options.call, std::forward<F>(f));
  return detail::call_through(std::tuple<guard<breaker_handle>, const retry&>(guard<breaker_handle>(breaker), policy),
                              options.call, std::forward<F>(f));
}

/// The same, told the usual five things in their usual order.
template <class F>
decltype(auto) execute_with_retry(F&& f, int max_attempts = 3, std::chrono::nanoseconds min_wait = std::chrono::seconds(1),
                                  std::chrono::nanoseconds max_wait = std::chrono::seconds(10),
                                  std::string_view operation_name = {}) {
  return execute_with_retry(std::forward<F>(f), execute_with_retry_options{.max_attempts = max_attempts,
                                                                           .min_wait = min_wait,
                                                                           .max_wait = max_wait,
                                                                           .operation_name = std::string(operation_name)});
}

}  // namespace switchgear::inline v1
