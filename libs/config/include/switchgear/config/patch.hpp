// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "switchgear/config/value.hpp"

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace switchgear::inline v1 {

/// One key that somebody wrote somewhere.
struct patch_entry {
  std::string key;  ///< the key or alias as it was written, `recovery_timeout`
  raw_value value;
  std::string origin;  ///< where, for people: `circuits.toml:12`, `the environment`; may be empty

  /// How that place spells the key, `SWITCHGEAR_CB_RECOVERY_TIMEOUT`; empty when it is the key itself.
  std::string name;

  /// The value may be a secret in the wrong place: it is not shown unless it could be read as what the key takes.
  bool confidential = false;

  [[nodiscard]] const std::string& shown_name() const noexcept { return name.empty() ? key : name; }
};

/// The keys that one source sets, in the order they were written. What it does not name keeps its value.
struct config_patch {
  std::vector<patch_entry> entries;

  config_patch& set(std::string_view key, raw_value value, std::string_view origin = {}) {
    entries.push_back({std::string(key), std::move(value), std::string(origin), {}, false});
    return *this;
  }

  [[nodiscard]] bool empty() const noexcept { return entries.empty(); }
};

/// A patch that was read, and what was wrong with its source.
struct patch_result {
  config_patch patch;
  std::vector<problem> problems;
};

/// A configuration, usable only when there are no problems.
struct config_result {
  config value;
  std::vector<problem> problems;

  explicit operator bool() const noexcept { return problems.empty(); }
};

/// Sets every key of the patch on top of `base` and collects every problem: unknown names (with the nearest known one),
/// names that are ambiguous, a key given twice or together with its alias (reported under the alias), values of the
/// wrong type, values that cannot be read, and then whatever config::validate() finds. Each stands under the name that
/// was written, with the value as written, and its message ends with the origin. A value that could not be read causes
/// one problem only.
[[nodiscard]] config_result apply(const config_patch& patch, const config& base);

/// The same for several sources, the later ones winning key by key: defaults, file, environment, command line. A key in
/// one and its alias in another is no conflict: the later one wins. (Not called apply: for a std::vector that would be
/// std::apply.)
[[nodiscard]] config_result apply_layers(std::span<const config_patch> layers, const config& base);

/// Every key of the configuration as a patch; optionals that are not set are left out. Applied to config{}, it gives
/// the same configuration again.
[[nodiscard]] config_patch config_to_patch(const config& c);

/// The keys that a preset decides: failure_threshold, open_duration, success_threshold and call_timeout always, others
/// where the preset differs from the defaults. So a preset in one table leaves alone what another table says about
/// other keys. An unknown name is a problem of `preset` that lists the known ones.
[[nodiscard]] patch_result preset_patch(std::string_view name, std::string_view origin);

/// One line for each problem, each ending in a newline.
[[nodiscard]] std::string describe(std::span<const problem> problems);

}  // namespace switchgear::inline v1
