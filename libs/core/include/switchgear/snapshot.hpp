// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <switchgear/state.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace switchgear::inline v1 {

/// One transition, as history keeps it.
struct state_change {
  state from_state = state::closed;
  state to_state = state::closed;
  std::chrono::system_clock::time_point timestamp;  ///< wall time, for display
  std::string reason;
  std::uint32_t failure_count = 0;
  std::uint64_t generation = 0;
};

/// Counters since the breaker was made or reset_metrics() was called.
struct lifetime_metrics {
  std::uint64_t successes = 0;
  std::uint64_t failures = 0;
  std::uint64_t timeouts = 0;        ///< also in failures
  std::uint64_t ignored = 0;
  std::uint64_t abandoned = 0;
  std::uint64_t slow_calls = 0;      ///< also in successes or failures
  std::uint64_t rejections = 0;
  std::uint64_t would_reject = 0;    ///< shadow mode
  std::uint64_t late_results = 0;    ///< also in successes or failures
  std::uint64_t expired_probes = 0;
  std::uint64_t transitions = 0;

  /// A call that is still out counts when it settles.
  [[nodiscard]] std::uint64_t total_calls() const noexcept {
    return successes + failures + ignored + abandoned + rejections;
  }
  [[nodiscard]] double failure_rate() const noexcept;    ///< of successes and failures; 0 without any
  [[nodiscard]] double success_rate() const noexcept;    ///< of successes and failures; 1 without any
  [[nodiscard]] double rejection_rate() const noexcept;  ///< of all calls; 0 without any
};

/// What the window holds now, in verdicts.
struct window_metrics {
  std::uint64_t calls = 0;
  std::uint64_t failures = 0;
  std::uint64_t slow = 0;
  [[nodiscard]] double failure_rate() const noexcept;
  [[nodiscard]] double slow_rate() const noexcept;
};

/// Who holds the circuit open or disabled, why, and until when.
struct override_info {
  std::string owner;
  std::string reason;
  std::optional<std::chrono::system_clock::time_point> until;  ///< wall time, for display
};

/// Everything about a circuit at one moment. Plain data.
struct snapshot {
  std::string name;
  switchgear::state state = switchgear::state::closed;
  lifetime_metrics metrics;
  window_metrics window;
  std::uint64_t generation = 0;
  std::uint32_t consecutive_failures = 0;
  std::uint32_t half_open_successes = 0;
  std::uint32_t probes_in_flight = 0;
  /// Time until a call may pass: nothing when one would be admitted or nobody knows, 0 when half-open is full.
  std::optional<std::chrono::nanoseconds> retry_after;
  std::chrono::nanoseconds time_in_state{0};
  std::optional<std::chrono::system_clock::time_point> last_failure_time;
  std::string last_failure;  ///< text of the last failure, cut to 47 bytes; empty when there was none
  std::optional<override_info> operator_override;
  std::vector<state_change> state_changes;
};

/// The JSON of the contract's section 9, on one line.
[[nodiscard]] std::string to_json(const snapshot& s);

}  // namespace switchgear::inline v1
