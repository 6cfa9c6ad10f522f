// SPDX-License-Identifier: Apache-2.0
#include "text.hpp"

#include <algorithm>

namespace switchgear::inline v1::http::detail {
namespace {

char lower(char c) noexcept { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

// A token of RFC 9110: what method and header names are made of.
bool is_token(std::string_view text) noexcept {
  constexpr std::string_view marks = "!#$%&'*+-.^_`|~";
  return !text.empty() && std::all_of(text.begin(), text.end(), [&](char c) {
    return (c >= '0' && c <= '9') || (lower(c) >= 'a' && lower(c) <= 'z') || marks.find(c) != std::string_view::npos;
  });
}

// A line break in a value would start a header of its own, or a second request.
bool is_one_line(std::string_view text) noexcept {
  return text.find_first_of(std::string_view("\r\n\0", 3)) == text.npos;
}

}  // namespace

bool same_name(std::string_view a, std::string_view b) noexcept {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) { return lower(x) == lower(y); });
}

std::string_view trim(std::string_view text) noexcept {
  constexpr std::string_view blank = " \t\r\n";
  const auto first = text.find_first_not_of(blank);
  if (first == text.npos) return {};
  return text.substr(first, text.find_last_not_of(blank) - first + 1);
}

std::string problem_of(const request& r) {
  if (!is_token(r.method)) return "the method is not one word of letters";
  if (r.url.find('\0') != r.url.npos) return "the URL has a NUL character in it";
  if (!r.body.empty() && (r.method == "GET" || r.method == "HEAD")) {
    return "a " + r.method + " request cannot have a body";
  }
  for (const auto& [name, value] : r.headers) {
    if (!is_token(name)) return "the name of a header is not a token (letters, digits, hyphens)";
    if (!is_one_line(value)) return "the header " + name + " has a line break or NUL character in its value";
  }
  if (!is_one_line(r.correlation_id)) return "the correlation id has a line break or NUL character in it";
  if (r.timeout && r.timeout->count() < 0) return "the timeout is negative";
  return {};
}

}  // namespace switchgear::inline v1::http::detail
