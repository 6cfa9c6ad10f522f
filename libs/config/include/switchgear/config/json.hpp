// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "switchgear/config/patch.hpp"

#include <nlohmann/json_fwd.hpp>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace switchgear::inline v1 {

/// The keys that a JSON object sets, with strict types: a count is a whole number and not text, a boolean is true or
/// false, a duration is text with a unit or a number of seconds (0.1 is exactly 100 ms), a window is a whole number of
/// calls or text. Anything but an object is a problem of `config`.
[[nodiscard]] patch_result patch_from_json(const nlohmann::json& object, std::string_view origin = {});
/// The same from an object whose keys keep their order.
[[nodiscard]] patch_result patch_from_json(const nlohmann::ordered_json& object, std::string_view origin = {});

/// The same from text, read by parse_json().
[[nodiscard]] patch_result patch_from_json_text(std::string_view text, std::string_view origin = {});

/// Every key with its value, in the order of the contract; optionals that are not set are left out. Durations are text.
/// patch_from_json() reads it back to the same configuration.
[[nodiscard]] nlohmann::ordered_json config_to_json(const config& c);

/// How much nesting and how many keys in one object are believable.
struct json_limits {
  int depth = 64;
  int keys = 1000;
};

/// A JSON document, its keys in the order they were written, or what is wrong with it.
struct json_document {
  /// Behind a pointer so that this header needs no JSON library beyond its forward declarations; null when there are
  /// problems.
  std::shared_ptr<const nlohmann::ordered_json> value;
  std::vector<problem> problems;  ///< the key is `origin`, or `json` when that is empty
};

/// Reads JSON from outside: strict RFC 8259, at most largest_config_file bytes, no key twice in one object, within the
/// limits. Every fault is a problem, none an exception.
[[nodiscard]] json_document parse_json(std::string_view text, std::string_view origin = {}, json_limits limits = {});

}  // namespace switchgear::inline v1
