// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <switchgear/json.hpp>

#include <chrono>
#include <concepts>
#include <optional>
#include <string>
#include <string_view>

namespace switchgear::inline v1::detail {

/// Appends one JSON object to a text, member by member. Keys are our own and are not escaped; all other texts are.
///
///     json_object(out).text("name", name).number("calls", calls).end();
class json_object {
 public:
  explicit json_object(std::string& out) : out_(out) { out_ += '{'; }

  /// Begins a member; the caller appends its value.
  std::string& member(std::string_view key) {
    if (!first_) out_ += ',';
    first_ = false;
    return out_.append(1, '"').append(key).append("\":");
  }
  json_object& raw(std::string_view key, std::string_view json) { return member(key) += json, *this; }
  json_object& text(std::string_view key, std::string_view value) { return member(key) += json_string(value), *this; }
  template <std::unsigned_integral N>
  json_object& number(std::string_view key, N value) {
    return member(key) += std::to_string(value), *this;
  }
  json_object& number(std::string_view key, double value) { return member(key) += json_number(value), *this; }
  template <std::same_as<bool> B>
  json_object& boolean(std::string_view key, B value) {
    return raw(key, value ? "true" : "false");
  }
  json_object& time(std::string_view key, std::chrono::system_clock::time_point t) { return text(key, utc_time(t)); }
  json_object& time(std::string_view key, const std::optional<std::chrono::system_clock::time_point>& t) {
    return t ? time(key, *t) : raw(key, "null");
  }
  void end() { out_ += '}'; }

 private:
  std::string& out_;
  bool first_ = true;
};

/// Appends `[…]`; `write(item)` appends each item.
template <class Range, class Write>
void json_list(std::string& out, const Range& items, Write&& write) {
  out += '[';
  bool first = true;
  for (const auto& item : items) {
    if (!first) out += ',';
    first = false;
    write(item);
  }
  out += ']';
}

}  // namespace switchgear::inline v1::detail
