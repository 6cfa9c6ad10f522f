// SPDX-License-Identifier: Apache-2.0
#include "parse.hpp"

#include "text.hpp"
#include <switchgear/config/json.hpp>
#include <switchgear/config/keys.hpp>

#include <algorithm>
#include <array>

namespace switchgear::inline v1::scenario {
namespace {

constexpr std::array<std::string_view, 4> known_keys{"scenario", "about", "config", "steps"};

const json& required(const json& document, const char* key) {
  const auto found = document.find(key);
  if (found == document.end()) refuse("0", "the key \"" + std::string(key) + "\" is missing");
  return *found;
}

std::string required_text(const json& value, std::string_view key) {
  if (!value.is_string()) refuse("0", std::string(key) + " has to be text");
  return value.get<std::string>();
}

check_invalid parse_invalid(const json& step) {
  if (step.size() != 1) refuse("1", "\"invalid\" takes no other key");
  const json& list = step.front();
  if (!list.is_array()) refuse("1", "invalid has to be a list of keys");
  check_invalid out;
  for (const json& key : list) {
    if (!key.is_string()) refuse("1", "invalid has to be a list of keys, each of them text");
    out.expected.push_back(key.get<std::string>());
  }
  std::sort(out.expected.begin(), out.expected.end());
  out.expected.erase(std::unique(out.expected.begin(), out.expected.end()), out.expected.end());
  return out;
}

bool is_invalid_step(const json& steps) {
  return steps.size() == 1 && steps.front().is_object() && steps.front().contains("invalid");
}

void parse_document(std::string_view text, program& p) {
  const json_document read = parse_json(text);
  if (!read.value) refuse("0", read.problems.front().message);
  const json& document = *read.value;
  if (!document.is_object()) refuse("0", "has to be an object with the keys scenario, config and steps");
  if (const auto name = document.find("scenario"); name != document.end() && name->is_string()) {
    p.name = name->get<std::string>();
  }
  for (const auto& [key, value] : document.items()) {
    if (std::find(known_keys.begin(), known_keys.end(), key) == known_keys.end()) {
      refuse("0", unknown("key", key, known_keys));
    }
  }
  required_text(required(document, "scenario"), "scenario");
  if (p.name.empty()) refuse("0", "scenario has to be a name, not empty text");
  if (const auto about = document.find("about"); about != document.end()) p.about = required_text(*about, "about");
  const json& steps = required(document, "steps");
  if (!steps.is_array()) refuse("0", "steps has to be a list of objects");

  config_result configured;
  if (const auto given = document.find("config"); given != document.end()) {
    if (!given->is_object()) refuse("0", "config has to be an object of keys and values");
    configured = apply(patch_from_json(*given).patch, config{});
  }
  p.config = configured.value;
  if (is_invalid_step(steps)) {
    p.invalid = parse_invalid(steps.front());
    p.invalid->found = std::move(configured.problems);
    return;
  }
  if (!configured.problems.empty()) {
    std::string why = "invalid config: ";
    for (std::size_t i = 0; i < configured.problems.size(); ++i) {
      why += (i == 0 ? "" : "; ") + to_string(configured.problems[i]);
    }
    refuse("0", printable(why));
  }
  name_table names;
  p.steps = parse_steps(steps, "", names);
  p.names = names.take();
}

}  // namespace

std::string unknown(std::string_view what, std::string_view name, std::span<const std::string_view> known) {
  return "unknown " + std::string(what) + " " + in_quotes(name) + "; the nearest known is " +
         std::string(nearest(name, known));
}

parsed parse(std::string_view text, const limits& most) {
  program p;
  try {
    parse_document(text, p);
    check(p, most);
  } catch (defect& wrong) {
    return {std::nullopt, std::move(wrong), std::move(p.name)};
  }
  std::string name = p.name;
  return {std::move(p), {}, std::move(name)};
}

}  // namespace switchgear::inline v1::scenario
