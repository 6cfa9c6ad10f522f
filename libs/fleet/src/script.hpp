// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

namespace switchgear::inline v1::fleet {

/// The script of the store: fleet.lua, fleet_operations.lua and fleet_reading.lua, byte for byte, one after the other. Any
/// thread.
[[nodiscard]] std::string_view script_text() noexcept;

}  // namespace switchgear::inline v1::fleet
