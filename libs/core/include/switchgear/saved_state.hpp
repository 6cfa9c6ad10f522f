// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <switchgear/snapshot.hpp>
#include <switchgear/state.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace switchgear::inline v1 {

/// What a breaker keeps over a restart: durations are what is left or has gone by at the moment of saving, so no clock is
/// part of it.
struct saved_state {
  static constexpr std::uint32_t current_version = 1;

  switchgear::state state = switchgear::state::closed;
  std::uint64_t generation = 0;
  std::chrono::nanoseconds remaining_open{0};                ///< of an open circuit
  std::optional<std::chrono::nanoseconds> remaining_override;  ///< of an override that ends
  std::string override_owner, override_reason;
  std::uint32_t attempt = 0;
  std::optional<std::chrono::nanoseconds> since_last_closing;  ///< since half-open last closed
  std::uint32_t failure_count = 0;
  std::uint32_t consecutive_failures = 0;
  std::uint32_t half_open_successes = 0;

  /// A count window: one character a verdict, oldest first: s success, f failure, S and F the same but slow.
  std::string verdicts;
  /// A time window: its buckets, with their age in buckets.
  struct bucket {
    std::uint32_t age = 0;
    std::uint64_t calls = 0, failures = 0, slow = 0;
    friend bool operator==(const bucket&, const bucket&) = default;
  };
  std::vector<bucket> buckets;
  std::chrono::nanoseconds window_duration{0};  ///< of a time window, else 0
  std::uint32_t window_size = 0;                ///< calls of a count window, buckets of a time window

  lifetime_metrics metrics;
};

/// One versioned value with a checksum. The reading side refuses everything that the writing side did not write.
[[nodiscard]] std::string to_binary(const saved_state& s);

/// A saved state that was read, or why it is none.
struct read_state {
  std::optional<saved_state> state;
  std::string refused;  ///< why there is none
};
/// Takes any bytes whatever; see to_binary.
[[nodiscard]] read_state from_binary(std::string_view bytes);

/// The same value as JSON, on one line. Reading it back is the business of switchgear::config, which has a JSON parser.
[[nodiscard]] std::string to_json(const saved_state& s);

/// What is wrong with a saved state, or an empty text. Every reader asks.
[[nodiscard]] std::string validate(const saved_state& s);

}  // namespace switchgear::inline v1
