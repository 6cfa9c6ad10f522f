// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <functional>

namespace switchgear::inline v1::host {

/// What the clocks of this host show at one moment.
struct moment {
  std::array<std::uint8_t, 16> boot{};  ///< which boot of the host this is; all zero when the host does not tell
  std::int64_t since_boot = 0;          ///< nanoseconds since that boot, time asleep included; never goes back
  std::int64_t wall = 0;                ///< nanoseconds since 1970-01-01 UTC; may jump
};

/// Where moments come from; tests give their own. Called under the lock of a state file, so it has to be quick.
using clock_source = std::function<moment()>;

/// CLOCK_BOOTTIME, CLOCK_REALTIME and /proc/sys/kernel/random/boot_id of this host.
[[nodiscard]] moment read_host_clock();

/// The same with CLOCK_MONOTONIC, which is std::chrono::steady_clock: for shared circuits. Time asleep does not count.
[[nodiscard]] moment read_steady_host_clock();

}  // namespace switchgear::inline v1::host
