// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <switchgear/config/circuit_file.hpp>
#include <switchgear/config/patch.hpp>
#include <switchgear/registry_options.hpp>
#include <switchgear/registry_report.hpp>

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

namespace switchgear::inline v1::detail {

/// What PREFIX_ENABLED says.
enum class environment_says : std::uint8_t { nothing, yes, no };

/// A configuration made of layers, or why there is none.
struct layered_config {
  std::shared_ptr<const config> value;  ///< null when there are problems
  std::vector<problem> problems;
};

/// What somebody asks for when he asks for a breaker. Refers to what he holds: asking for one that is there copies nothing.
struct asked_config {
  enum class way : std::uint8_t { layers, keys, whole };
  way how = way::layers;
  std::string_view preset{};  ///< one of the presets' own names; empty: that of the options
  const config* whole = nullptr;
  const config_patch* keys = nullptr;
};

/// The same, kept with the breaker that was made of it.
class kept_request {
 public:
  /// `made` is what the layers said then: of a whole configuration, a copy.
  kept_request(const asked_config& asked, const std::shared_ptr<const config>& made)
      : how_(asked.how), preset_(asked.preset) {
    if (how_ == asked_config::way::whole) whole_ = made;
    if (how_ == asked_config::way::keys) keys_ = std::make_shared<const config_patch>(*asked.keys);
  }
  [[nodiscard]] asked_config view() const noexcept { return {how_, preset_, whole_.get(), keys_.get()}; }

 private:
  asked_config::way how_;
  std::string_view preset_;
  std::shared_ptr<const config> whole_;
  std::shared_ptr<const config_patch> keys_;
};

[[nodiscard]] bool same_request(const asked_config& a, const asked_config& b);

/// A file that was taken up. Everything but the memory of what was made from it stays as it is.
struct file_in_force {
  circuit_file file;
  std::string text;

  /// Breakers that asked for no keys of their own, and that the same table and preset are for, share one configuration.
  using key = std::tuple<const circuit_file::table*, std::string_view, environment_says>;
  mutable std::mutex mutex;
  mutable std::map<key, layered_config> made;
};

/// Lays the sources of configurations over each other. Thread safety: const functions from any thread.
class layering {
 public:
  /// `environment` without the key `enabled`, which is read when it is needed.
  layering(std::string preset, std::string prefix, config_patch environment)
      : preset_(std::move(preset)), prefix_(std::move(prefix)), environment_(std::move(environment)) {}

  [[nodiscard]] layered_config resolve(std::string_view name, const asked_config& asked, const file_in_force& file,
                                       environment_says enabled) const;

  /// What resolve() lays over each other, the weakest first, with the names of the file's tables in the origins. Of a whole
  /// configuration one layer. Only for what resolve() found no problems in.
  [[nodiscard]] std::vector<config_patch> layers_of(std::string_view name, const asked_config& asked, const file_in_force& file,
                                                    environment_says enabled) const;

 private:
  struct layers {
    std::vector<config_patch> patches;
    std::vector<problem> problems;
  };
  /// What lies under the file.
  [[nodiscard]] layers below_file(std::string_view preset, environment_says enabled) const;
  [[nodiscard]] std::string_view preset_of(const asked_config& asked) const noexcept {
    return asked.preset.empty() ? std::string_view(preset_) : asked.preset;
  }
  [[nodiscard]] layered_config apply_all(std::string_view name, std::string_view preset, const config_patch* keys,
                                         const file_in_force& file, environment_says enabled) const;

  std::string preset_;
  std::string prefix_;
  config_patch environment_;
};

/// The name of the preset for agents of a type.
[[nodiscard]] std::string_view agent_preset(std::string_view type);

/// That a whole configuration hides a table of the file.
[[nodiscard]] registry_report hidden_table(std::string_view name);

/// `failure_threshold is 3, asked for 5; …`: the keys in which two configurations differ.
[[nodiscard]] std::string describe_difference(const config& in_force, const config& asked);

}  // namespace switchgear::inline v1::detail
