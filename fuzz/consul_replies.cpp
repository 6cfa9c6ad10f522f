// SPDX-License-Identifier: Apache-2.0
//
// Input: one byte that says which reply, and the reply.
#include "../libs/consul/src/base64.hpp"
#include "../libs/consul/src/replies.hpp"
#include "fuzz.hpp"

#include <switchgear/http/exchange.hpp>

#include <optional>
#include <string>

namespace sg = switchgear;
namespace detail = switchgear::consul::detail;

namespace {

std::string encode_base64(std::string_view text) {
  constexpr std::string_view digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string result;
  for (std::size_t i = 0; i < text.size(); i += 3) {
    std::uint32_t bits = 0;
    for (std::size_t j = 0; j < 3; ++j) bits = bits << 8 | (i + j < text.size() ? static_cast<unsigned char>(text[i + j]) : 0u);
    for (std::size_t j = 0; j < 4; ++j) result += i + j > text.size() ? '=' : digits[bits >> (18 - 6 * j) & 63];
  }
  return result;
}

void read_base64(std::string_view text) {
  if (const auto decoded = detail::decode_base64(text)) {
    sg::fuzz::require(encode_base64(*decoded) == text, "what was decoded is encoded to the same text");
  }
  sg::fuzz::require(detail::decode_base64(encode_base64(text)) == text, "everything that is encoded can be decoded");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view body = sg::fuzz::text_of(data + 1, size - 1);
  try {
    switch (data[0] % 6) {
      case 0: (void)detail::read_boolean(body); break;
      case 1: (void)detail::read_entries(body); break;
      case 2: (void)detail::read_health(body); break;
      case 3: (void)detail::read_nodes(body); break;
      case 4: (void)detail::read_services(body); break;
      default: read_base64(body); break;
    }
  } catch (const sg::http::malformed_reply&) {
  }
  return 0;
}
