// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <switchgear/fleet/notice.hpp>
#include <switchgear/state.hpp>

#include <chrono>
#include <cstdint>
#include <string>

namespace switchgear::inline v1::fleet {

/// How one instance sees one circuit, as it told the store last. An instance tells of a circuit when its view changed, and
/// every few seconds at least while it serves calls, so what is seen here may be that old.
struct instance_view {
  std::string instance;
  switchgear::state state = switchgear::state::closed;
  std::chrono::milliseconds since{0};  ///< how long it had been in that state when it told
  std::uint64_t calls = 0;             ///< settled ones and rejections, since the breaker was made
  std::uint64_t failures = 0;
  std::uint64_t rejections = 0;
  fleet::link link = fleet::link::connecting;

  friend bool operator==(const instance_view&, const instance_view&) = default;
};

}  // namespace switchgear::inline v1::fleet
