// SPDX-License-Identifier: Apache-2.0
#include "text.hpp"

#include <switchgear/config.hpp>

#include <array>
#include <cstdio>

namespace switchgear::inline v1::host {
namespace {

/// Bytes of the UTF-8 character at the start of `text`; 0 when there is none.
std::size_t character(std::string_view text) {
  const auto first = static_cast<unsigned char>(text.front());
  const std::size_t length = first < 0x80 ? 1 : first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : first >= 0xc0 ? 2 : 0;
  if (length == 0 || length > text.size()) return 0;
  // The rule for names is UTF-8 without control characters; those of two bytes (C1) are left out here just the same.
  return length == 1 || !validate_name(text.substr(0, length)) ? length : 0;
}

}  // namespace

std::string one_line(std::string_view text, std::size_t limit) {
  constexpr std::string_view ellipsis = "…";
  std::string out;
  std::size_t safe = 0;  // as much of `out` as leaves room for the ellipsis
  while (!text.empty()) {
    const std::size_t length = character(text);
    std::string_view next = text.substr(0, length == 0 ? 1 : length);
    text.remove_prefix(next.size());
    if (length == 0) next = "?";
    if (length == 1 && (static_cast<unsigned char>(next[0]) < 0x20 || next[0] == 0x7f)) next = " ";
    if (out.size() + next.size() > limit) {
      out.resize(safe);
      if (limit >= ellipsis.size()) out += ellipsis;
      return out;
    }
    out += next;
    if (out.size() + ellipsis.size() <= limit) safe = out.size();
  }
  return out;
}

std::string instance_text(std::uint64_t seed) {
  std::array<char, 17> text{};
  std::snprintf(text.data(), text.size(), "%016llx", static_cast<unsigned long long>(seed));
  return text.data();
}

}  // namespace switchgear::inline v1::host
