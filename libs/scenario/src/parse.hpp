// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <switchgear/scenario/program.hpp>

#include <nlohmann/json.hpp>

#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace switchgear::inline v1::scenario {

using json = nlohmann::ordered_json;

/// Thrown inside the reader alone; parse() turns it into a value.
[[noreturn]] inline void refuse(std::string step, std::string why) { throw defect{std::move(step), std::move(why)}; }

/// "unknown key "x"; the nearest known is y".
[[nodiscard]] std::string unknown(std::string_view what, std::string_view name,
                                  std::span<const std::string_view> known);

/// The names of permits met so far.
class name_table {
 public:
  name_id operator()(const std::string& name) {
    const auto [at, fresh] = ids_.emplace(name, static_cast<name_id>(names_.size()));
    if (fresh) names_.push_back(name);
    return at->second;
  }
  [[nodiscard]] std::vector<std::string> take() { return std::move(names_); }

 private:
  std::unordered_map<std::string, name_id> ids_;
  std::vector<std::string> names_;
};

/// Reads the steps below the step `parent` ("" at the top).
[[nodiscard]] std::vector<step> parse_steps(const json& list, const std::string& parent, name_table& names);

/// Refuses what only the order of the steps shows: permits that do not exist, names used again too early, a clock that
/// runs out, too much work.
void check(const program& p, const limits& most);

}  // namespace switchgear::inline v1::scenario
