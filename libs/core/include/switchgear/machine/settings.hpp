// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <switchgear/config.hpp>

#include <cstdint>

namespace switchgear::inline v1::machine {

/// A valid configuration with every default resolved, as the integers that the machine computes with. Durations are
/// nanoseconds, rates are millionths.
struct settings {
  std::uint64_t epoch = 0;  ///< counts the reconfigurations of the block
  bool enabled = true;
  bool shadow = false;
  bool timed_window = false;
  std::uint32_t failure_threshold = 0;
  std::uint32_t window_calls = 0;
  std::uint32_t window_buckets = 0;
  std::int64_t window_duration = 0;
  std::uint32_t minimum_calls = 0;
  std::uint32_t failure_rate = 0;
  std::uint32_t failure_count = 0;
  std::uint32_t slow_rate = 0;
  std::int64_t slow_call_duration = 0;
  std::int64_t open_duration = 0;
  std::int64_t max_open_duration = 0;
  std::int64_t min_reset_interval = 0;
  std::int64_t probe_timeout = 0;
  std::int64_t call_timeout = 0;
  std::uint32_t multiplier = 0;
  std::uint32_t jitter = 0;
  std::uint32_t half_open_max_calls = 0;
  std::uint32_t success_threshold = 0;
  std::uint32_t state_history = 0;

  /// Whether the start of a call has to be known to judge it.
  [[nodiscard]] bool measures_duration() const noexcept { return slow_call_duration > 0; }

  /// Whether every verdict needs the time, not only failures and probes.
  [[nodiscard]] bool needs_clock() const noexcept { return slow_call_duration > 0 || timed_window; }
};

/// Precondition: c.validate() is empty. `epoch` is that of the block it is for.
[[nodiscard]] settings resolve(const config& c, std::uint64_t epoch = 0) noexcept;

/// How long a circuit stays open in its `attempt`-th recovery: open_duration × multiplier^attempt, cut to whole
/// nanoseconds, at most max_open_duration, plus jitter × `random` (0 … 2^32 - 1 stands for [0, 1)), at least
/// min_reset_interval. The product is exact while it fits 4,096 bits (hundreds of attempts even for 1.01); beyond that it
/// is a long double.
[[nodiscard]] std::int64_t open_duration(const settings& s, std::uint32_t attempt, std::uint32_t random) noexcept;

}  // namespace switchgear::inline v1::machine
