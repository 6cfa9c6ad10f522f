// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace bench {

/// A guarded call's percentiles in nanoseconds, its clock reads included: in a process without a dashboard, with one that nobody
/// asks, and with one that is asked a thousand times a second while two pages are being told what happens.
struct watched_calls {
  struct percentiles {
    double p50 = 0, p99 = 0;
  };
  percentiles without, idle, asked;
  double requests_per_second = 0;  ///< answered, while it was asked
};
/// `seconds` of being asked.
[[nodiscard]] watched_calls measure_watched_calls(double seconds);

/// The program that asks: a thousand requests a second, and two streams that are read. Until it is killed.
int ask_dashboard(std::uint16_t port);

}  // namespace bench
