// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "switchgear/config/patch.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace switchgear::inline v1 {

/// The configurations of many circuit breakers, as a TOML file gives them:
///
///     [defaults]
///     failure_threshold = 3
///
///     [breaker."payments"]
///     preset = "service"
///     window = "60s"
///
///     [breaker."agent.*"]
///     preset = "llm"
///
/// A breaker gets the built-in defaults, then `[defaults]`, then the one table that names it. A preset counts as the
/// first lines of its table and sets the keys that preset_patch() says.
class circuit_file {
 public:
  /// One `[breaker."pattern"]`.
  struct table {
    std::string pattern;                ///< a name, or a pattern where `*` stands for any run of characters
    std::vector<config_patch> patches;  ///< the preset if there is one, then the keys
    std::string origin;                 ///< `circuits.toml:12`
  };

  /// `[defaults]`, in the same shape; the pattern is empty.
  table defaults;

  /// In the order of the file.
  std::vector<table> breakers;

  /// The table for a breaker: the one of exactly this name, else the longest pattern that matches. Of patterns that are
  /// equally long, the one with more characters before its first `*`, then the one that comes first. nullptr when none
  /// matches.
  [[nodiscard]] const table* table_for(std::string_view name) const;

  /// The patches for a breaker, to be applied to config{} or to another base; a caller may append the environment and
  /// the command line.
  [[nodiscard]] std::vector<config_patch> layers_for(std::string_view name) const;

  /// The configuration of a breaker.
  [[nodiscard]] config_result config_for(std::string_view name) const;
};

/// A file that was read, usable only when there are no problems.
struct circuit_file_result {
  circuit_file file;
  std::vector<problem> problems;

  explicit operator bool() const noexcept { return problems.empty(); }
};

/// Reads TOML 1.0 from outside. Everything is judged at once: syntax (key `file:line:column`), tables and keys that do
/// not exist, and every table's configuration as its breakers would get it.
[[nodiscard]] circuit_file_result parse_toml(std::string_view text, std::string_view file_name = "circuits.toml");

/// Reads the file at `path`.
[[nodiscard]] circuit_file_result load_circuit_file(const std::string& path);

/// Whether the whole text matches a pattern where `*` stands for any run of characters, none included.
[[nodiscard]] bool matches_pattern(std::string_view pattern, std::string_view text);

}  // namespace switchgear::inline v1
