// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <switchgear/circuit_source.hpp>

#include <nlohmann/json.hpp>

namespace switchgear::demo {

// What goes through the pipes between the conductor, who has the page, and the clients, who have the circuits.

[[nodiscard]] nlohmann::json to_json(const circuit_reading& r);
[[nodiscard]] circuit_reading reading_from(const nlohmann::json& j);

[[nodiscard]] nlohmann::json to_json(const circuit_action& a);
[[nodiscard]] circuit_action action_from(const nlohmann::json& j);

}  // namespace switchgear::demo
