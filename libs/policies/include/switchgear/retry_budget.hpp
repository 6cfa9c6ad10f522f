// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <switchgear/config.hpp>
#include <switchgear/policy_event.hpp>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace switchgear::inline v1 {

/// What a retry_budget may be told.
struct retry_budget_options {
  std::string name = "retry_budget";

  /// How many retries each call earns, 0 … 1. At 0.1 a dependency that is down gets at most 10 % more traffic than its
  /// callers make, instead of `max_attempts` times as much.
  double ratio = 0.1;

  /// Retries that may be spent before any call has earned one, 0 … 1,000,000. Some, or the first failure after a start is
  /// never retried.
  std::int64_t reserve = 10;

  /// How many unspent retries are kept at most, `reserve` … 1,000,000: what a quiet day may save up for one bad minute.
  std::int64_t max_saved = 100;

  [[nodiscard]] std::vector<problem> validate() const;
};

/// What a retry_budget has counted since it was made, and what may be spent now.
struct retry_budget_metrics {
  std::uint64_t calls = 0;      ///< that earned
  std::uint64_t retries = 0;    ///< that were paid for
  std::uint64_t refused = 0;    ///< retries that could not be paid for
  double saved = 0;             ///< retries that could be paid for now
};

/// Keeps the retries of many callers below a fraction of their traffic. A handle: give copies of one budget to all retry
/// policies that talk to one dependency.
/// But to one policy of a pipeline: each earns for each of its own calls, so a hedge inside a retry would earn once for each
/// attempt (pipeline::warnings() says so).
///
/// At every moment, retries ≤ ratio × calls + reserve.
///
/// Thread safety: all functions from any thread. A call that needs no retry adds to a counter of its thread, no more.
class retry_budget {
 public:
  /// Throws config_error.
  explicit retry_budget(retry_budget_options options = {});

  /// A call begins: it earns `ratio` retries.
  void earn() const noexcept;
  /// Pays for one retry; false, and counted, when there is not enough.
  [[nodiscard]] bool spend() const noexcept;
  /// Takes back what one spend() paid for a retry that was never made. Once for each spend() at most.
  void give_back() const noexcept;

  [[nodiscard]] retry_budget_metrics metrics() const;
  /// Told when a retry is refused (policy_event_kind::rejected).
  [[nodiscard]] subscription observe(std::function<void(const policy_event&)> handler) const;
  [[nodiscard]] const std::string& name() const noexcept;
  [[nodiscard]] const retry_budget_options& options() const noexcept;
  /// Whether both are handles of one budget.
  [[nodiscard]] friend bool operator==(const retry_budget& a, const retry_budget& b) noexcept { return a.state_ == b.state_; }

 private:
  struct state;
  std::shared_ptr<state> state_;
};

}  // namespace switchgear::inline v1
