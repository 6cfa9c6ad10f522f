// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <charconv>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>

#include "keyspace.hpp"

// What the parts of keyspace have in common: how Redis reads numbers, and its words for what is wrong.

namespace switchgear::inline v1::simulation {

namespace answers {
inline store_value wrong_type() {
  return store_value::problem("WRONGTYPE Operation against a key holding the wrong kind of value");
}
inline store_value no_integer() { return store_value::problem("ERR value is not an integer or out of range"); }
inline store_value no_float() { return store_value::problem("ERR value is not a valid float"); }
inline store_value syntax() { return store_value::problem("ERR syntax error"); }
}  // namespace answers

/// A whole number as Redis reads it: no spaces, no plus, no leading zeros.
[[nodiscard]] inline std::optional<std::int64_t> whole_number(std::string_view text) {
  std::int64_t out = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  if (std::to_string(out) != text) return std::nullopt;
  return out;
}

[[nodiscard]] inline std::optional<double> real_number(std::string_view text) {
  const std::string copy(text);
  if (copy.empty() || copy.front() == ' ') return std::nullopt;
  char* end = nullptr;
  const double out = std::strtod(copy.c_str(), &end);
  if (end != copy.c_str() + copy.size() || std::isnan(out)) return std::nullopt;
  return out;
}

/// A score as Redis writes it.
[[nodiscard]] inline std::string score_text(double score) {
  char text[40];
  std::snprintf(text, sizeof text, "%.17g", score);
  return text;
}

[[nodiscard]] inline bool same_word(std::string_view a, std::string_view upper) {
  if (a.size() != upper.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const char c = a[i] >= 'a' && a[i] <= 'z' ? static_cast<char>(a[i] - 32) : a[i];
    if (c != upper[i]) return false;
  }
  return true;
}

template <class T>
T* keyspace::make(std::string_view key, std::int64_t now) {
  entry* e = find(key, now);
  if (e == nullptr) e = &keys_.emplace(std::string(key), entry{T{}, -1}).first->second;
  return std::get_if<T>(&e->data);
}

template <class T>
T* keyspace::look(std::string_view key, std::int64_t now, bool& wrong) {
  entry* const e = find(key, now);
  T* const out = e == nullptr ? nullptr : std::get_if<T>(&e->data);
  wrong = e != nullptr && out == nullptr;
  return out;
}

}  // namespace switchgear::inline v1::simulation
