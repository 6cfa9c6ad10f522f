// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "../screen.hpp"
#include "record.hpp"

#include <nlohmann/json_fwd.hpp>

namespace switchgear::demo::fleet {

/// The tables at the end.
void print(const results& r, screen& to);

/// Everything that was measured.
[[nodiscard]] nlohmann::json to_json(const results& r, bool strict);

}  // namespace switchgear::demo::fleet
