// SPDX-License-Identifier: Apache-2.0
#include <switchgear/circuit_source.hpp>

#include <array>
#include <cstddef>

namespace switchgear::inline v1 {

std::string_view to_string(circuit_action::kind k) noexcept {
  static constexpr std::array<std::string_view, 5> names{"trip", "force-open", "disable", "release", "reset"};
  return names[static_cast<std::size_t>(k)];
}

}  // namespace switchgear::inline v1
