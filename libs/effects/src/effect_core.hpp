// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <switchgear/clock.hpp>
#include <switchgear/detail/counters.hpp>
#include <switchgear/effect_options.hpp>
#include <switchgear/policy_event.hpp>
#include <switchgear/registry.hpp>
#include <switchgear/retry.hpp>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <shared_mutex>
#include <string>
#include <string_view>

namespace switchgear::inline v1::detail {

/// How one attempt ended, as the retry policy sees it.
struct attempt_end {
  bool repeatable_failure = false;
};

/// Options made ready for calls.
struct effect_plan {
  /// Throws config_error.
  effect_plan(std::string_view type, effect_options o, clock& source);

  effect_options options;
  std::optional<switchgear::retry> retry;
};

/// The order of the members of effect_metrics.
enum class effect_counter : std::uint8_t {
  executed, committed, rolled_back, rejected, cancelled, retries, rollbacks, undo_failures
};

/// What is kept of one type.
struct effect_entry {
  explicit effect_entry(std::shared_ptr<const effect_plan> p) : plan(std::move(p)) {}
  void add(effect_counter c, std::uint64_t by = 1) noexcept { counts.add(static_cast<std::size_t>(c), by); }
  [[nodiscard]] effect_metrics metrics() const noexcept;

  counters<8> counts;
  std::shared_ptr<const effect_plan> plan;  ///< guarded by the mutex of the core
};

struct effect_core : policy_state {
  effect_core(effect_executor_options o, registry* shared, clock& source);

  /// What a call needs: the counters of its type, and what was defined for it.
  struct found {
    effect_entry* entry;  ///< lives as long as the core
    std::shared_ptr<const effect_plan> plan;
  };
  [[nodiscard]] found look_up(std::string_view type);
  void define(std::string_view type, std::shared_ptr<const effect_plan> plan);

  /// Tells the reporter and the observers.
  void tell_of(const undo_report& report) const noexcept;

  const effect_executor_options options;
  clock& source;
  std::unique_ptr<registry> owned;
  registry& breakers;

  mutable std::shared_mutex mutex;  ///< of the map and the plans in it; never held while foreign code runs
  std::map<std::string, std::unique_ptr<effect_entry>, std::less<>> types;
  const std::shared_ptr<const effect_plan> undefined;  ///< the default options
  effect_entry others;                                 ///< of types beyond the limit
};

}  // namespace switchgear::inline v1::detail
