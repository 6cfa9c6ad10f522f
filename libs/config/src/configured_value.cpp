// SPDX-License-Identifier: Apache-2.0
#include "switchgear/config/configured_value.hpp"

#include "switchgear/config/environment.hpp"
#include "switchgear/config/keys.hpp"

#include <switchgear/machine/settings.hpp>

#include <chrono>
#include <utility>

namespace switchgear::inline v1 {
namespace {

/// With what follows from other keys put in. `c` is valid.
config complete(config c) {
  const machine::settings all = machine::resolve(c);
  if (!c.minimum_calls) c.minimum_calls = all.minimum_calls;
  if (!c.slow_call_rate_threshold) c.slow_call_rate_threshold = all.slow_rate / 1e6;
  if (!c.max_open_duration) c.max_open_duration = std::chrono::nanoseconds(all.max_open_duration);
  if (!c.probe_timeout) c.probe_timeout = std::chrono::nanoseconds(all.probe_timeout);
  return c;
}

std::string shown(const key_info& info, const config& c) {
  const std::optional<raw_value> value = info.value_of(c);
  return value ? value->spelling : std::string();
}

std::string shown_origin(const patch_entry& entry) {
  if (entry.origin.empty()) return std::string(origin_code);
  return entry.origin == origin_environment ? entry.shown_name() : entry.origin;
}

/// The origin of the last layer that names the key.
std::string origin_of(const key_info& info, std::span<const config_patch> layers) {
  for (auto patch = layers.rbegin(); patch != layers.rend(); ++patch) {
    for (auto entry = patch->entries.rbegin(); entry != patch->entries.rend(); ++entry) {
      if (find_key(entry->key).info == &info) return shown_origin(*entry);
    }
  }
  return std::string(built_in);
}

}  // namespace

std::vector<configured_value> configured_values(const config& in_force, std::span<const config_patch> layers,
                                                std::string_view otherwise) {
  config_result made = apply_layers(layers, config{});
  const config given = made ? complete(std::move(made.value)) : std::move(made.value);
  const config is = in_force.validate().empty() ? complete(in_force) : in_force;
  std::vector<configured_value> out;
  for (const key_info& info : config_keys()) {
    std::string value = shown(info, is);
    std::string origin = value == shown(info, given) ? origin_of(info, layers) : std::string(otherwise);
    out.push_back({std::string(info.key), std::move(value), std::move(origin)});
  }
  return out;
}

}  // namespace switchgear::inline v1
