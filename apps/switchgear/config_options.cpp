// SPDX-License-Identifier: Apache-2.0
#include "config_options.hpp"

#include <switchgear/config/circuit_file.hpp>
#include <switchgear/config/environment.hpp>
#include <switchgear/config/keys.hpp>

#include <algorithm>
#include <cstdlib>
#include <unistd.h>

#include "command.hpp"

namespace {

const char* type_of(switchgear::value_kind kind) {
  switch (kind) {
    case switchgear::value_kind::boolean: return "true|false";
    case switchgear::value_kind::count: return "N";
    case switchgear::value_kind::number: return "NUMBER";
    case switchgear::value_kind::duration: return "DURATION";
    case switchgear::value_kind::window: return "N|DURATION";
  }
  return "VALUE";
}

std::string option_of(std::string_view key) {
  std::string out = "--" + std::string(key);
  std::replace(out.begin(), out.end(), '_', '-');
  return out;
}

}  // namespace

void config_options::add_key(CLI::App& command, std::string_view key, std::string_view about, std::string_view group) {
  const std::string name = option_of(key);
  const auto found = switchgear::find_key(key);
  command
      .add_option_function<std::vector<std::string>>(
          name,
          [this, name, key = std::string(key)](const std::vector<std::string>& values) {
            for (const auto& value : values) {
              given_.set(key, switchgear::raw_value::untyped(value));
              given_.entries.back().name = name;
            }
          },
          std::string(about))
      ->type_name(found ? type_of(found.info->kind) : "VALUE")
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)  // a key given twice is a problem that apply() words
      ->group(std::string(group));
}

void config_options::add_to(CLI::App& command) {
  for (const auto& info : switchgear::config_keys()) {
    std::string about = std::string(info.meaning) + "; default " + std::string(info.default_value);
    if (info.default_value != info.allowed && info.kind != switchgear::value_kind::boolean) {
      about += "; " + std::string(info.allowed);
    }
    add_key(command, info.key, about, "Circuit");
    if (!info.alias.empty()) add_key(command, info.alias, "the same as " + option_of(info.key), "Circuit");
  }
  // Not shown, but understood well enough to say which two keys they could mean.
  for (const char* ambiguous : {"timeout_seconds", "reset_timeout"}) add_key(command, ambiguous, "", "");

  std::string presets;
  for (const auto name : switchgear::presets::names()) presets += (presets.empty() ? "" : ", ") + std::string(name);
  command.add_option("--preset", preset_, "start from one of: " + presets)->type_name("NAME")->group("Configuration");
  command
      .add_option("--config", file_, "a TOML file with [defaults] and [breaker.\"name\"]; default: $SWITCHGEAR_CONFIG")
      ->type_name("FILE")
      ->group("Configuration");
  command.add_option("--env-file", env_file_, "a .env file; the real environment wins over it")
      ->type_name("FILE")
      ->group("Configuration");
  prefix_ = switchgear::default_prefix;
  command.add_option("--env-prefix", prefix_, "how the variables begin, as in SWITCHGEAR_CB_OPEN_DURATION")
      ->type_name("PREFIX")
      ->capture_default_str()
      ->group("Configuration");
}

std::vector<switchgear::config_patch> config_options::layers(std::string_view circuit) const {
  std::vector<switchgear::config_patch> out;
  std::vector<switchgear::problem> problems;
  const auto collect = [&](const std::vector<switchgear::problem>& found) {
    problems.insert(problems.end(), found.begin(), found.end());
  };

  switchgear::dotenv_file dotenv;
  if (!env_file_.empty()) {
    auto read = switchgear::load_dotenv(env_file_);
    collect(read.problems);
    dotenv = std::move(read.file);
  }
  auto environment = switchgear::from_environment(prefix_, switchgear::read_environment(environ), dotenv);
  collect(environment.problems);
  out.push_back(std::move(environment.patch));

  if (!preset_.empty()) {
    auto preset = switchgear::preset_patch(preset_, "--preset");
    collect(preset.problems);
    out.push_back(std::move(preset.patch));
  }

  std::string file = file_;
  if (const char* variable = std::getenv("SWITCHGEAR_CONFIG"); file.empty() && variable != nullptr) file = variable;
  if (!file.empty()) {
    const auto read = switchgear::load_circuit_file(file);
    collect(read.problems);
    if (read) {
      for (auto& layer : read.file.layers_for(circuit)) out.push_back(std::move(layer));
    }
  }
  out.push_back(given_);
  if (!problems.empty()) throw usage_error(switchgear::describe(problems));
  return out;
}
