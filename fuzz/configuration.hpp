// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "fuzz.hpp"

#include <switchgear/config/json.hpp>
#include <switchgear/config/patch.hpp>

#include <nlohmann/json.hpp>

namespace switchgear::fuzz {

/// A configuration without problems is valid, and both of its written forms read back to it.
inline void check_configuration(const config_result& result) {
  (void)describe(result.problems);
  if (!result) return;
  require(result.value.validate().empty(), "a configuration that was read without problems is valid");
  const config_result from_patch = apply(config_to_patch(result.value), config{});
  require(from_patch && from_patch.value == result.value, "a configuration is the same after a patch");
  const patch_result json = patch_from_json_text(config_to_json(result.value).dump());
  const config_result from_json = apply(json.patch, config{});
  require(json.problems.empty() && from_json && from_json.value == result.value,
          "a configuration is the same after JSON");
}

}  // namespace switchgear::fuzz
