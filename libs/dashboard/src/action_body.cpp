// SPDX-License-Identifier: Apache-2.0
#include "action_body.hpp"

#include <switchgear/config.hpp>
#include <switchgear/config/json.hpp>
#include <switchgear/config/value.hpp>
#include <switchgear/json.hpp>

#include <nlohmann/json.hpp>

#include <chrono>
#include <cstddef>

namespace switchgear::inline v1::detail {
namespace {

using json = nlohmann::ordered_json;
using kind = circuit_action::kind;

constexpr std::size_t longest_owner = 100, longest_reason = 500;
constexpr std::chrono::nanoseconds longest_ttl = std::chrono::days(30);

/// Of valid UTF-8.
bool has_control_character(std::string_view text) noexcept {
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (c < 0x20 || c == 0x7f) return true;
    if (c == 0xc2 && i + 1 < text.size() && static_cast<unsigned char>(text[i + 1]) < 0xa0) return true;  // U+0080 … U+009F
  }
  return false;
}

std::string read_text(const json& object, const char* key, std::size_t longest, std::string& into) {
  const std::string range = "1 to " + std::to_string(longest) + " bytes of UTF-8 without control characters";
  const auto found = object.find(key);
  if (found == object.end()) return std::string(key) + " is missing: it has to be " + range;
  if (!found->is_string()) return std::string(key) + " has to be a text, " + range;
  const auto& text = found->get_ref<const std::string&>();
  if (text.empty() || text.size() > longest || has_control_character(text)) return std::string(key) + " has to be " + range;
  into = text;
  return {};
}

std::string read_ttl(const json& value, circuit_action& into) {
  if (value.is_null()) return {};
  if (into.what != kind::force_open && into.what != kind::disable) {
    return "ttl goes only with force-open and disable, not with " + std::string(to_string(into.what));
  }
  constexpr std::string_view range = "a duration above 0 and up to 30 days as text, for example \"5m\", or null";
  if (!value.is_string()) return "ttl has to be " + std::string(range);
  const auto read = parse_duration(value.get_ref<const std::string&>());
  if (!read.value || read.value->count() <= 0 || *read.value > longest_ttl) return "ttl has to be " + std::string(range);
  into.ttl = *read.value;
  return {};
}

}  // namespace

std::optional<kind> action_named(std::string_view text) noexcept {
  for (const kind k : {kind::trip, kind::force_open, kind::disable, kind::release, kind::reset}) {
    if (to_string(k) == text) return k;
  }
  return std::nullopt;
}

std::string read_action_body(std::string_view body, circuit_action& into) {
  const json_document document = parse_json(body, "body", {.depth = 2, .keys = 16});
  if (!document.value) return "the body is no JSON: " + document.problems.front().message;
  const json& object = *document.value;
  if (!object.is_object()) return "the body has to be a JSON object with owner, reason and, where it fits, ttl";
  for (auto it = object.begin(); it != object.end(); ++it) {
    if (it.key() == "owner" || it.key() == "reason" || it.key() == "ttl") continue;
    return "unknown key " + json_string(it.key().substr(0, 60)) + ": the keys are owner, reason and ttl";
  }
  std::string problem = read_text(object, "owner", longest_owner, into.owner);
  if (problem.empty()) problem = read_text(object, "reason", longest_reason, into.reason);
  if (const auto ttl = object.find("ttl"); problem.empty() && ttl != object.end()) problem = read_ttl(*ttl, into);
  return problem;
}

}  // namespace switchgear::inline v1::detail
