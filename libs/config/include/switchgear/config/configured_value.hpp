// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <switchgear/config.hpp>
#include <switchgear/config/patch.hpp>

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace switchgear::inline v1 {

/// One key of a configuration in force, and where its value came from.
struct configured_value {
  std::string key;     ///< `open_duration`
  std::string value;   ///< as a file would spell it, `30s`
  std::string origin;  ///< for people: `circuits.toml:12`, `SWITCHGEAR_CB_OPEN_DURATION`, `preset llm`, `built in`
};

/// Where values came from that no layer names and that are those of config{}.
inline constexpr std::string_view built_in = "built in";

/// Where values came from whose patch_entry has no origin: somebody wrote them in a program.
inline constexpr std::string_view origin_code = "code";

/// Every key, in the order of the contract, with its value in `in_force` and the origin of the last layer that names it; of what
/// was found in the environment that is the variable's name. A key that the layers, applied to config{}, would give another value
/// has the origin `otherwise`: somebody changed it since. Of a key that is not set and follows from others (max_open_duration,
/// probe_timeout, minimum_calls, slow_call_rate_threshold) the value is what follows.
/// Thread safety: from any thread.
[[nodiscard]] std::vector<configured_value> configured_values(const config& in_force, std::span<const config_patch> layers,
                                                              std::string_view otherwise);

}  // namespace switchgear::inline v1
