// SPDX-License-Identifier: Apache-2.0
#include "switchgear/config/environment.hpp"

#include "switchgear/config/keys.hpp"

#include <algorithm>
#include <set>
#include <utility>

namespace switchgear::inline v1 {
namespace {

bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

std::string lower_case(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (is_upper(c)) c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

std::string upper_case(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (is_lower(c)) c = static_cast<char>(c - 'a' + 'A');
  }
  return out;
}

bool is_prefix(std::string_view prefix) {
  if (prefix.empty() || is_digit(prefix.front()) || prefix.ends_with('_')) return false;
  return std::all_of(prefix.begin(), prefix.end(),
                     [](char c) { return is_lower(c) || is_upper(c) || is_digit(c) || c == '_'; });
}

/// The environment has more words for yes and no than files have.
raw_value read_words(const key_match& match, std::string_view value) {
  if (match && match.info->kind == value_kind::boolean) {
    const std::string word = lower_case(value);
    if (word == "true" || word == "yes" || word == "on" || word == "1") return raw_value::boolean(true);
    if (word == "false" || word == "no" || word == "off" || word == "0") return raw_value::boolean(false);
  }
  return raw_value::untyped(value);
}

/// The entry for a variable behind the prefix; a name that is no variable of ours keeps its own letters and so is
/// refused.
patch_entry entry_of(std::string_view name, std::size_t prefix_length, std::string_view value, std::string origin) {
  const std::string_view written = name.substr(prefix_length);
  const bool upper = std::none_of(written.begin(), written.end(), is_lower);
  // PREFIX_window is no spelling of the key window: in upper case it is no key, and yet near enough to be told which.
  std::string key = upper ? lower_case(written) : upper_case(written);
  raw_value raw = read_words(find_key(key), value);
  return {std::move(key), std::move(raw), std::move(origin), std::string(name), true};
}

/// One identity for a key and its alias; an unknown name is its own.
std::string identity(const patch_entry& entry) {
  const key_match match = find_key(entry.key);
  return match ? std::string(match.info->key) : entry.name;
}

}  // namespace

variables read_environment(const char* const* environment) {
  variables out;
  for (; environment != nullptr && *environment != nullptr; ++environment) {
    const std::string_view line = *environment;
    const std::size_t split = line.find('=');
    if (split != std::string_view::npos) out.emplace(line.substr(0, split), line.substr(split + 1));
  }
  return out;
}

patch_result from_environment(std::string_view prefix, const variables& process, const dotenv_file& dotenv) {
  patch_result out;
  if (!is_prefix(prefix)) {
    out.problems.push_back({"prefix", std::string(prefix), "letters, digits and _, without the _ before the key",
                            "not the prefix of a variable"});
    return out;
  }
  const std::string before = std::string(prefix) + "_";
  std::set<std::string> set_by_process;
  for (const auto& [name, value] : process) {
    if (!name.starts_with(before)) continue;
    out.patch.entries.push_back(entry_of(name, before.size(), value, std::string(origin_environment)));
    set_by_process.insert(identity(out.patch.entries.back()));
  }
  for (const dotenv_entry& line : dotenv.entries) {
    if (!line.name.starts_with(before)) continue;
    patch_entry entry =
        entry_of(line.name, before.size(), line.value, dotenv.file_name + ":" + std::to_string(line.line));
    if (!set_by_process.contains(identity(entry))) out.patch.entries.push_back(std::move(entry));
  }
  return out;
}

std::string variable_name(std::string_view prefix, std::string_view key) {
  return std::string(prefix) + "_" + upper_case(key);
}

}  // namespace switchgear::inline v1
