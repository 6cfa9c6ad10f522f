// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <CLI/CLI.hpp>
#include <switchgear/config/patch.hpp>

#include <string>
#include <string_view>
#include <vector>

/// The configuration of one circuit from everywhere a user may write it: the command line, a TOML file, a preset, the
/// environment and a .env file.
class config_options {
 public:
  /// Declares one option for each key and alias, and those that name files and presets. `command` must not outlive
  /// this.
  void add_to(CLI::App& command);

  /// The sources, later ones winning: environment, preset, TOML file, options. Throws usage_error with all problems of
  /// the sources themselves; those of values come out when the layers are applied.
  [[nodiscard]] std::vector<switchgear::config_patch> layers(std::string_view circuit) const;

 private:
  void add_key(CLI::App& command, std::string_view key, std::string_view about, std::string_view group);

  switchgear::config_patch given_;
  std::string preset_;
  std::string file_;
  std::string env_file_;
  std::string prefix_;
};
