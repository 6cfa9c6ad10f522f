// SPDX-License-Identifier: Apache-2.0
#include "layering.hpp"

#include <switchgear/config/environment.hpp>
#include <switchgear/config/keys.hpp>

#include <algorithm>
#include <utility>

namespace switchgear::inline v1::detail {
namespace {

bool same_entries(const config_patch& a, const config_patch& b) {
  return std::equal(a.entries.begin(), a.entries.end(), b.entries.begin(), b.entries.end(),
                    [](const patch_entry& x, const patch_entry& y) { return x.key == y.key && x.value == y.value; });
}

layered_config finished(config_result result) {
  layered_config out;
  out.problems = std::move(result.problems);
  if (out.problems.empty()) out.value = std::make_shared<const config>(std::move(result.value));
  return out;
}

}  // namespace

bool same_request(const asked_config& a, const asked_config& b) {
  if (a.how != b.how || a.preset != b.preset) return false;
  if (a.how == asked_config::way::whole) return *a.whole == *b.whole;
  if (a.how == asked_config::way::keys) return same_entries(*a.keys, *b.keys);
  return true;
}

layered_config layering::resolve(std::string_view name, const asked_config& asked, const file_in_force& file,
                                 environment_says enabled) const {
  if (asked.how == asked_config::way::whole) {
    return finished({*asked.whole, asked.whole->validate()});
  }
  const std::string_view preset = preset_of(asked);
  if (asked.how == asked_config::way::keys) return apply_all(name, preset, asked.keys, file, enabled);
  const file_in_force::key key(file.file.table_for(name), preset, enabled);
  {
    const std::lock_guard lock(file.mutex);
    if (const auto known = file.made.find(key); known != file.made.end()) return known->second;
  }
  layered_config made = apply_all(name, preset, nullptr, file, enabled);
  const std::lock_guard lock(file.mutex);
  return file.made.emplace(key, std::move(made)).first->second;
}

layering::layers layering::below_file(std::string_view preset, environment_says enabled) const {
  config_patch below;  // what a preset says about `enabled` lies under the environment
  config_patch above;
  if (!preset.empty()) {
    patch_result found = preset_patch(preset, {});
    if (!found.problems.empty()) return {{}, std::move(found.problems)};
    for (patch_entry& entry : found.patch.entries) {
      (entry.key == "enabled" ? below : above).entries.push_back(std::move(entry));
    }
  }
  config_patch environment = environment_;
  if (enabled != environment_says::nothing) {
    environment.entries.push_back({"enabled", raw_value::boolean(enabled == environment_says::yes),
                                   std::string(origin_environment), variable_name(prefix_, "enabled"), true});
  }
  layers out;
  out.patches.push_back(std::move(below));
  out.patches.push_back(std::move(environment));
  out.patches.push_back(std::move(above));
  return out;
}

layered_config layering::apply_all(std::string_view name, std::string_view preset, const config_patch* keys,
                                   const file_in_force& file, environment_says enabled) const {
  layers all = below_file(preset, enabled);
  if (!all.problems.empty()) return {nullptr, std::move(all.problems)};
  for (config_patch& patch : file.file.layers_for(name)) all.patches.push_back(std::move(patch));
  if (keys != nullptr) all.patches.push_back(*keys);
  return finished(apply_layers(all.patches, config{}));
}

std::vector<config_patch> layering::layers_of(std::string_view name, const asked_config& asked, const file_in_force& file,
                                              environment_says enabled) const {
  if (asked.how == asked_config::way::whole) return {config_to_patch(*asked.whole)};
  std::vector<config_patch> out = below_file(preset_of(asked), enabled).patches;
  const auto add_table = [&out](const circuit_file::table& table, const std::string& called) {
    for (config_patch patch : table.patches) {
      for (patch_entry& entry : patch.entries) entry.origin += " " + called;
      out.push_back(std::move(patch));
    }
  };
  add_table(file.file.defaults, "[defaults]");
  if (const circuit_file::table* own = file.file.table_for(name)) add_table(*own, "[breaker.\"" + own->pattern + "\"]");
  if (asked.how == asked_config::way::keys) out.push_back(*asked.keys);
  return out;
}

std::string_view agent_preset(std::string_view type) {
  const config wanted = presets::for_agent(type);
  if (wanted == presets::llm()) return "llm";
  if (wanted == presets::service()) return "service";
  return "standard";
}

registry_report hidden_table(std::string_view name) {
  return {registry_report_kind::file_hidden, std::string(name),
          "the file has a table for it, which a whole configuration hides; give a config_patch to have both", {}, 1};
}

std::string describe_difference(const config& in_force, const config& asked) {
  std::string out;
  const auto shown = [](const std::optional<raw_value>& v) { return v ? v->spelling : std::string("not set"); };
  for (const key_info& info : config_keys()) {
    const auto is = info.value_of(in_force);
    const auto wanted = info.value_of(asked);
    if (is == wanted) continue;
    out += (out.empty() ? "" : "; ") + std::string(info.key) + " is " + shown(is) + ", asked for " + shown(wanted);
  }
  return out;
}

}  // namespace switchgear::inline v1::detail
