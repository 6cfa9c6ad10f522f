// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <switchgear/fleet/notice.hpp>

#include <cstdint>

namespace switchgear::inline v1::fleet {

/// What an instance has done in its fleet since it began. Counters only grow.
struct metrics {
  link now = link::connecting;
  std::uint64_t requests = 0;           ///< sent to the store
  std::uint64_t replies = 0;            ///< that were expected and understood
  std::uint64_t timeouts = 0;           ///< requests that were not answered within options::patience
  std::uint64_t link_losses = 0;
  std::uint64_t local_decisions = 0;    ///< of this instance's circuits and operators: openings, recoveries, overrides …
  std::uint64_t fleet_decisions = 0;    ///< of others, put in force here
  std::uint64_t stale = 0;              ///< requests that came too late: the fleet had decided otherwise
  std::uint64_t leases_granted = 0;     ///< rights to send one probe
  std::uint64_t leases_unused = 0;      ///< given back because no call came
  std::uint64_t leases_lost = 0;        ///< that ended before the probe did, or whose outcome could not be told
  std::uint64_t restores = 0;           ///< how often the store got its records back from here
  std::uint32_t members = 0;            ///< instances that the store saw lately, this one included; 0 = unknown
};

}  // namespace switchgear::inline v1::fleet
