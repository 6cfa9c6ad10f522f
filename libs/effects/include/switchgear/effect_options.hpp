// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <switchgear/classifier.hpp>
#include <switchgear/config.hpp>
#include <switchgear/config/patch.hpp>
#include <switchgear/policy.hpp>
#include <switchgear/registry_options.hpp>
#include <switchgear/retry.hpp>
#include <switchgear/transaction.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace switchgear::inline v1 {

/// How an effect is executed: of one call, or of all calls of a type (effect_executor::define).
///
///     executor.execute("send_mail", {.circuit_breaker = true, .retry = sg::retry_presets::api()}, send);
struct effect_options {
  /// Guard the effect with the breaker that has the type of the effect as its name. Opt-in: without it no breaker is asked,
  /// told or made. The breaker judges the call as a whole: success after retries is one success, giving up one failure.
  bool circuit_breaker = false;

  /// Repeat a failed attempt; nothing: one attempt. What is thrown or returned is a failure by `retry->when` where that has
  /// rules, and by `when`, see there.
  std::optional<retry_options> retry{};

  /// The whole configuration of the breaker when this call is the one that makes it. The registry's file, preset and
  /// environment then have nothing to say for this name, now and when the file changes; see breaker_keys. Nothing: what the
  /// registry finds for the name.
  std::optional<config> breaker{};

  /// Some keys of that configuration, over what file, preset, environment and defaults say of the others:
  ///
  ///     .breaker_keys = sg::config_patch{}.set("failure_threshold", sg::raw_value::untyped("3"))
  ///
  /// Empty by default; not together with `breaker`. What is wrong with them comes out when the breaker is made, because it
  /// depends on the other sources: the call then throws config_error and runs nothing.
  config_patch breaker_keys{};

  /// What is a failure of this effect: exceptions are, unless it ignores them; values are not, unless it fails them. A value
  /// that is a failure rolls back like an exception, is repeated like one, counts in the breaker like one, and is returned
  /// after the last attempt. A value that is ignored commits and is no evidence. The rules are also those of the breaker when
  /// this call makes it.
  ///
  ///     .when = sg::classifier{}.fail_if([](const response& r) { return r.status >= 500; })
  classifier when{};

  /// Whether an attempt is repeated when it could not be undone completely. Off by default: the next attempt would start on
  /// what the last one left behind. Switch it on for operations that may find their own traces (idempotent ones).
  bool retry_after_failed_undo = false;

  /// The stop token and the correlation id of this call. define() forgets it.
  execution call{};

  /// Every problem at once; empty when the options are good.
  [[nodiscard]] std::vector<problem> validate() const;
};

/// The undos of one attempt that threw.
struct undo_report {
  std::string effect{};          ///< the type
  int attempt = 0;               ///< from 1
  std::string correlation_id{};  ///< as the caller gave it
  std::vector<undo_failure> failures{};
};

/// How an executor works.
struct effect_executor_options {
  /// Of the executor, in events.
  std::string name = "effects";

  /// How many types are told apart, 1 … 1,000,000; further ones are executed alike and counted together. It is there to stop
  /// types that are made from data.
  std::size_t max_types = 1'000;

  /// Told of undos that threw, on the thread of the call, right after the rollback. What it throws is dropped. Observers
  /// (effect_executor::observe) hear of them too, later and on another thread.
  std::function<void(const undo_report&)> on_undo_failure{};

  /// Of the registry that the executor owns; without meaning for one that shares a registry.
  registry_options breakers{};

  /// Every problem at once; empty when the options are good.
  [[nodiscard]] std::vector<problem> validate() const;
};

/// What became of effects. Counters only grow. When no call is in flight, executed = committed + rolled_back.
struct effect_metrics {
  std::uint64_t executed = 0;       ///< calls whose function ran, once or more
  std::uint64_t committed = 0;      ///< calls that ended with their transaction committed
  std::uint64_t rolled_back = 0;    ///< calls that ended with nothing done, as far as the undos succeeded
  std::uint64_t rejected = 0;       ///< calls that the breaker turned away: nothing ran
  std::uint64_t cancelled = 0;      ///< calls whose stop was requested before they began: nothing ran
  std::uint64_t retries = 0;        ///< attempts after the first
  std::uint64_t rollbacks = 0;      ///< attempts that were rolled back
  std::uint64_t undo_failures = 0;  ///< undos that threw

  friend bool operator==(const effect_metrics&, const effect_metrics&) = default;
};

/// The undos that threw during the call of an effect executor that let this exception pass on this thread, of all its
/// attempts, when it was the last to do so; else none. The exception itself is unchanged.
///
///     catch (...) {
///       for (const auto& left_behind : sg::undo_failures_of(std::current_exception())) alert(left_behind.name);
///     }
[[nodiscard]] std::vector<undo_failure> undo_failures_of(const std::exception_ptr& e);

}  // namespace switchgear::inline v1
