// SPDX-License-Identifier: Apache-2.0
#include <switchgear/host/file_name.hpp>

#include <cstdint>

namespace switchgear::inline v1::host {
namespace {

constexpr char digits[] = "0123456789ABCDEF";
constexpr std::size_t longest_plain = 200;  // with the suffix well below the 255 bytes of common file systems
constexpr std::size_t kept_of_long = 150;

bool stands_for_itself(char c, std::size_t at) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' ||
         (c == '.' && at > 0);
}

/// FNV-1a with another start for each half. It need not resist an attacker: a folder belongs to one user, and a clash
/// is noticed when the file is opened.
std::uint64_t hash(std::string_view text, std::uint64_t start) {
  std::uint64_t h = start;
  for (const char c : text) {
    h = (h ^ static_cast<unsigned char>(c)) * 0x100000001b3u;
    h ^= h >> 29;
  }
  return h;
}

void append_hex(std::string& out, std::uint64_t v) {
  for (int shift = 60; shift >= 0; shift -= 4) out += digits[v >> shift & 15];
}

}  // namespace

std::string file_name_of(std::string_view circuit) {
  std::string out;
  std::size_t kept = 0;
  for (std::size_t i = 0; i < circuit.size(); ++i) {
    const char c = circuit[i];
    if (stands_for_itself(c, i)) {
      out += c;
    } else {
      const auto byte = static_cast<unsigned char>(c);
      out += {'%', digits[byte >> 4], digits[byte & 15]};
    }
    if (out.size() <= kept_of_long) kept = out.size();
  }
  if (out.size() > longest_plain) {
    out.resize(kept);
    out += '~';
    append_hex(out, hash(circuit, 0xcbf29ce484222325u));
    append_hex(out, hash(circuit, 0x84222325cbf29ce4u));
  }
  out += state_file_suffix;
  return out;
}

}  // namespace switchgear::inline v1::host
