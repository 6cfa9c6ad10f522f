// SPDX-License-Identifier: Apache-2.0
#include <switchgear/operation_key.hpp>

#include <switchgear/config.hpp>

#include "keyed_hash.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace switchgear::inline v1 {
namespace {

constexpr std::size_t longest_name = 200;
constexpr std::size_t hash_digits = 32;
constexpr std::string_view digits = "0123456789ABCDEF";

void append_escaped(std::string& out, unsigned char byte) {
  out += {'%', digits[byte >> 4U], digits[byte & 15U]};
}

/// How many bytes from the start of `text` are one character that a name may hold; 0 = its first byte is none.
std::size_t good_character(std::string_view text) {
  const auto first = static_cast<unsigned char>(text.front());
  const std::size_t size = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
  if (text.size() < size) return 0;
  return validate_name(text.substr(0, size)) ? 0 : size;
}

/// `special` beside those that are always escaped. Reversible, so different parts stay different.
void append_part(std::string& out, std::string_view part, std::string_view special) {
  while (!part.empty()) {
    const char c = part.front();
    const std::size_t size = good_character(part);
    if (size == 0 || c == '%' || c == '~' || special.find(c) != std::string_view::npos) {
      append_escaped(out, static_cast<unsigned char>(c));
      part.remove_prefix(1);
    } else {
      out += part.substr(0, size);
      part.remove_prefix(size);
    }
  }
}

/// No whole key has a `~`, so a shortened one is never the same as a whole one.
std::string shortened(std::string key) {
  if (key.size() <= longest_name) return key;
  const auto hash = detail::sip_hash<2, 4>::wide(key, {0x7377697463686765, 0x61722d6b65797331});
  std::size_t size = longest_name - 1 - hash_digits;
  while ((static_cast<unsigned char>(key[size]) & 0xc0U) == 0x80U) --size;  // not in the middle of a character
  key.resize(size);
  key += '~';
  for (const std::uint64_t word : hash) {
    for (int shift = 60; shift >= 0; shift -= 4) key += digits[word >> shift & 15U];
  }
  return key;
}

}  // namespace

std::string operation_key(std::string_view type, std::string_view function) {
  std::string out;
  append_part(out, type, ":");
  out += ':';
  append_part(out, function, {});
  return shortened(std::move(out));
}

std::string operation_key(std::string_view type, std::string_view scope, std::string_view function) {
  std::string out;
  append_part(out, type, ":");
  out += ':';
  append_part(out, scope, {});
  out += "::";
  append_part(out, function, ":");
  return shortened(std::move(out));
}

std::string detail::place_key(std::string_view type, std::string_view function, std::string_view file,
                              std::uint_least32_t line, std::uint_least32_t column) {
  std::string out;
  append_part(out, type, ":");
  out += ':';
  append_part(out, function, "@");
  out += '@';
  append_part(out, file, ":");  // or a name that ends in a number could be read as a line
  out += ':' + std::to_string(line);
  if (column != 0) out += ':' + std::to_string(column);
  return shortened(std::move(out));
}

std::string agent_key(std::string_view name) { return "agent." + std::string(name); }

}  // namespace switchgear::inline v1
