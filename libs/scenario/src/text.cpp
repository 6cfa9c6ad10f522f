// SPDX-License-Identifier: Apache-2.0
#include "text.hpp"

#include <cstddef>

namespace switchgear::inline v1::scenario {
namespace {

/// Bytes of the well-formed, visible character at the beginning of `text`; 0 when there is none.
std::size_t visible(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const auto follows = [&](std::size_t i) { return i < text.size() && (byte(i) & 0xC0U) == 0x80; };
  const unsigned char first = byte(0);
  if (first < 0x80) return first >= 0x20 && first != 0x7F ? 1 : 0;
  if (first >= 0xC2 && first < 0xE0) {
    const bool control = first == 0xC2 && text.size() > 1 && byte(1) < 0xA0;
    return follows(1) && !control ? 2 : 0;
  }
  if (first >= 0xE0 && first < 0xF0) {
    if (!follows(1) || !follows(2)) return 0;
    const bool overlong = first == 0xE0 && byte(1) < 0xA0;
    const bool surrogate = first == 0xED && byte(1) >= 0xA0;
    // U+2028 … U+202E and U+2066 … U+2069 break or turn round the line they stand in.
    const bool turns = first == 0xE2 && ((byte(1) == 0x80 && byte(2) >= 0xA8 && byte(2) <= 0xAE) ||
                                         (byte(1) == 0x81 && byte(2) >= 0xA6 && byte(2) <= 0xA9));
    return overlong || surrogate || turns ? 0 : 3;
  }
  if (first >= 0xF0 && first < 0xF5) {
    if (!follows(1) || !follows(2) || !follows(3)) return 0;
    const bool outside = (first == 0xF0 && byte(1) < 0x90) || (first == 0xF4 && byte(1) >= 0x90);
    return outside ? 0 : 4;
  }
  return 0;
}

}  // namespace

std::string printable(std::string_view text, std::size_t longest) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string out;
  while (!text.empty()) {
    if (out.size() >= longest) return out + "…";
    const std::size_t bytes = visible(text);
    if (bytes == 0) {
      const auto b = static_cast<unsigned char>(text[0]);
      out += {'\\', 'x', digits[b >> 4U], digits[b & 15U]};
      text.remove_prefix(1);
    } else {
      out += text.substr(0, bytes);
      text.remove_prefix(bytes);
    }
  }
  return out;
}

std::string in_quotes(std::string_view text) { return "\"" + printable(text, 200) + "\""; }

}  // namespace switchgear::inline v1::scenario
