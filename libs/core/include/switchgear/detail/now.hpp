// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <switchgear/clock.hpp>

#include <ctime>

namespace switchgear::inline v1::detail {

/// Time on `c`, or on std::chrono::steady_clock without a virtual call when `c` is null.
[[nodiscard]] inline std::int64_t read(const clock* c) noexcept {
  return c == nullptr ? std::chrono::steady_clock::now().time_since_epoch().count() : c->now().count();
}

/// A cheap reading of the same clock that may lie a few milliseconds in the past, never in the future: one scheduler tick
/// behind on Linux (CLOCK_MONOTONIC_COARSE), exact elsewhere and on any other clock.
[[nodiscard]] inline std::int64_t read_coarse(const clock* c) noexcept {
#if defined(CLOCK_MONOTONIC_COARSE)
  if (c == nullptr) {
    timespec t{};
    ::clock_gettime(CLOCK_MONOTONIC_COARSE, &t);
    return std::int64_t{t.tv_sec} * 1'000'000'000 + t.tv_nsec;
  }
#endif
  return read(c);
}

/// How far behind read_coarse() may be believed to be: five ticks of the slowest kernel. Closer to a deadline than this the
/// exact clock decides.
inline constexpr std::int64_t coarse_slack = 50'000'000;

}  // namespace switchgear::inline v1::detail
