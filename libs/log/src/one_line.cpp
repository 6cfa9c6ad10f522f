// SPDX-License-Identifier: Apache-2.0
#include "one_line.hpp"

#include <switchgear/json.hpp>

namespace switchgear::inline v1::detail {

std::string without_rare_controls(std::string_view text) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = [&](std::size_t at) { return at < text.size() ? static_cast<unsigned char>(text[at]) : 0U; };
    if (byte(i) == 0xc2 && byte(i + 1) >= 0x80 && byte(i + 1) <= 0x9f) {  // U+0080 … U+009F
      out += {'\\', 'u', '0', '0', digits[byte(i + 1) >> 4U], digits[byte(i + 1) & 15U]};
      i += 1;
    } else if (byte(i) == 0xe2 && byte(i + 1) == 0x80 && (byte(i + 2) == 0xa8 || byte(i + 2) == 0xa9)) {
      out += byte(i + 2) == 0xa8 ? "\\u2028" : "\\u2029";
      i += 2;
    } else {
      out += text[i];
    }
  }
  return out;
}

std::string one_line(std::string_view text) {
  const std::string quoted = json_string(text);
  std::string out;
  out.reserve(quoted.size());
  for (std::size_t i = 1; i + 1 < quoted.size(); ++i) {
    // Quotes and backslashes need no escape here; of the others the escape is what is shown.
    if (quoted[i] == '\\' && (quoted[i + 1] == '"' || quoted[i + 1] == '\\')) ++i;
    out += quoted[i];
  }
  return without_rare_controls(out);
}

}  // namespace switchgear::inline v1::detail
