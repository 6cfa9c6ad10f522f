// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <switchgear/state.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace switchgear::inline v1 {

/// What happened.
enum class event_kind : std::uint8_t {
  opened, half_open, closed, forced_open, disabled, reset,  // transitions, and resets of a closed circuit
  rejected, failure, success, ignored, slow, late, probe_expired, config_changed
};

/// The name, `half_open`.
[[nodiscard]] std::string_view to_string(event_kind k) noexcept;

/// Whether events of this kind go to the state topic: one for each generation.
[[nodiscard]] constexpr bool is_transition(event_kind k) noexcept { return k <= event_kind::reset; }

/// Something that happened to a circuit. The numbers are those of the moment at which it happened.
struct event {
  event_kind kind = event_kind::success;
  std::string service;  ///< name of the breaker
  switchgear::state state = switchgear::state::closed;
  switchgear::state previous_state = switchgear::state::closed;
  std::uint32_t failure_count = 0;
  std::optional<std::chrono::system_clock::time_point> last_failure;
  std::string reason;
  std::uint64_t generation = 0;
  /// Grows by one with each transition of the breaker, without a gap: the number of the generation. Events between two
  /// transitions carry the sequence of the first of them.
  std::uint64_t sequence = 0;
  std::string correlation_id;
  std::optional<std::chrono::nanoseconds> retry_after;
  bool shadow = false;
  std::chrono::system_clock::time_point time;
  std::string id;  ///< UUID v4
  std::string source;    ///< `switchgear://HOST/PID`; empty: this process
  /// Which breaker of that name it was: the same for all events of one breaker, different for every other. Within it,
  /// `sequence` has no gap. Empty when it is not known.
  std::string instance;
  /// Nothing happened: this is how the circuit is, told to one who came late. Its other values are those of the event that
  /// made it so. Not part of the wire form.
  bool present = false;

  friend bool operator==(const event&, const event&) = default;
};

/// CloudEvents 1.0 in JSON, as the contract's section 10 has it, on one line.
[[nodiscard]] std::string to_json(const event& e);

/// One line for a log: `circuit NAME closed → open: 5 consecutive failures (threshold 5)`.
[[nodiscard]] std::string log_line(const event& e);

namespace topics {
inline constexpr std::string_view state = "circuit_breaker.state.*";  ///< transitions
inline constexpr std::string_view all = "circuit_breaker.*";          ///< everything
}  // namespace topics

/// The topic an event is published to: `circuit_breaker.state.NAME` for transitions, `circuit_breaker.call.NAME` else.
[[nodiscard]] std::string topic_of(const event& e);

/// Whether `topic` matches `pattern`; `*` stands for any run of characters, dots included.
[[nodiscard]] bool topic_matches(std::string_view pattern, std::string_view topic) noexcept;

}  // namespace switchgear::inline v1
