// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace switchgear::demo::fleet {

/// What is done to the store of the fleet.
enum class fault : std::uint8_t {
  none,
  kill,     ///< SIGKILL, and after a while an empty one on the same port
  stop,     ///< SIGSTOP, and after a while SIGCONT
  flush,    ///< every key of the fleet is deleted
  restart,  ///< it ends by itself, and begins again with what it had saved
  cut,      ///< one instance, in a network of its own, has no wire to it for a while
};
inline constexpr std::array all_faults{fault::kill, fault::stop, fault::flush, fault::restart, fault::cut};

/// Where a round is.
enum class phase : std::uint8_t {
  opening,  ///< the upstream is down and not every circuit has opened yet
  open,     ///< every circuit is open
  probing,  ///< a probe has been sent
  ramp,     ///< a circuit has closed and admits a share of the calls
  healthy,  ///< every circuit admits every call
};
inline constexpr std::array all_phases{phase::opening, phase::open, phase::probing, phase::ramp, phase::healthy};

[[nodiscard]] std::string_view to_string(fault f) noexcept;
[[nodiscard]] std::string_view to_string(phase p) noexcept;

/// `kill,stop` or `none` or `all`, without repetitions and in the order of all_faults; nothing when a word is none of them.
[[nodiscard]] std::optional<std::vector<fault>> faults_of(std::string_view list);

struct round_plan {
  fault what = fault::none;
  phase when = phase::opening;  ///< in which phase; meaningless without a fault
  bool killed = true;           ///< the upstream is killed and started again; else it answers 503 for a while
  int first = 0;                ///< the instance whose calls come so much faster that it is the first to see the failures
};

/// The rounds in which each of the faults meets each phase, a quiet one before each of them and at the end; without faults
/// `rounds` quiet ones. `rounds`, if given, cuts the list off or repeats it. Who is first goes round, over all but the last
/// instance, which is the one that may be cut off.
[[nodiscard]] std::vector<round_plan> plan_rounds(const std::vector<fault>& faults, int processes, std::optional<int> rounds);

}  // namespace switchgear::demo::fleet
