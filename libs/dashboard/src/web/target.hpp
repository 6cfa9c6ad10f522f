// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace switchgear::inline v1::detail {

/// What a request asks for.
struct web_target {
  std::vector<std::string> path;                           ///< decoded segments; none for `/`
  std::vector<std::pair<std::string, std::string>> query;  ///< decoded, in their order

  /// The path written with slashes; nothing when a segment has a slash of its own, which would make it another path.
  [[nodiscard]] std::optional<std::string> plain_path() const;
};

/// The longest target that is read, in bytes.
inline constexpr std::size_t longest_target = 4'096;
/// Further query parameters make a target unreadable.
inline constexpr std::size_t most_parameters = 32;

/// Reads the target of a request line, the form with a path alone. Segments are decoded after they have been split, so `%2F` is
/// part of a segment. Nothing is resolved: `.` and `..` are refused, written plainly or not, and so are control characters, what
/// no browser sends unescaped, and escapes that are none. The error says what is wrong, with nothing of the target.
struct target_reading {
  std::optional<web_target> target;
  std::string_view error{};
};
[[nodiscard]] target_reading read_target(std::string_view text);

}  // namespace switchgear::inline v1::detail
