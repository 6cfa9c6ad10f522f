// SPDX-License-Identifier: Apache-2.0
#include <switchgear/event_bus.hpp>

#include <array>

namespace switchgear::inline v1 {

std::string_view to_string(bus_notice::kind k) noexcept {
  static constexpr std::array<std::string_view, 6> names{"connected", "disconnected", "dropped",
                                                         "missed",    "refused",      "handler_failed"};
  return names[static_cast<std::size_t>(k)];
}

}  // namespace switchgear::inline v1
