// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <switchgear/simulation/settings.hpp>

#include <cstdint>
#include <vector>

namespace switchgear::inline v1::simulation {

/// Something that is done to the fleet at a moment of virtual time.
struct action {
  enum class kind : std::uint8_t {
    upstream_fails,
    upstream_slows,
    upstream_revives,
    isolate,          ///< `share` of the instances, for `lasts`
    store_down,       ///< for `lasts`; what it knows survives
    store_hangs,      ///< for `lasts`; what is sent meanwhile is done afterwards
    store_emptied,    ///< restarts and has forgotten everything
    store_remembers,  ///< an old replica is as far as the store is now
    store_goes_back,  ///< … and takes over
    join,             ///< `share` of the instances there are
    leave,            ///< the same, with a farewell
    crash,            ///< the same, without one
    restart,          ///< the same, at once there again with nothing in mind
    force_open,       ///< an operator, at one instance, for `lasts` (0: without an end)
    release,          ///< the same one ends it
    trip,             ///< an operator, at one instance
    reset,            ///< the same
    bad_network,      ///< `share` of the messages is lost, for `lasts`
  };

  std::int64_t at = 0;
  kind what{};
  double share = 0;
  std::int64_t lasts = 0;
};

/// The actions of a plan, by time. All faults are over after three quarters of the run, the upstream is well again before.
[[nodiscard]] std::vector<action> make_plan(const settings& s);

}  // namespace switchgear::inline v1::simulation
