// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "switchgear/config.hpp"

#include <cstddef>
#include <optional>
#include <string>

namespace switchgear::inline v1 {

/// The largest file that is read as configuration: 1 MiB. A larger one is the wrong file.
inline constexpr std::size_t largest_config_file = std::size_t{1} << 20;

/// The whole text of a file, or what is wrong with it.
struct text_file {
  std::optional<std::string> text;
  bool missing = false;          ///< there is no such file
  std::optional<problem> error;  ///< set exactly when `text` is not; its key is the path
};

/// Reads a file of at most largest_config_file bytes.
[[nodiscard]] text_file read_text_file(const std::string& path);

}  // namespace switchgear::inline v1
