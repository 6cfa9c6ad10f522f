// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace switchgear::inline v1::host {

/// 64 bits over whole words. A change of any one word changes it for sure, any other change but one in 2^64.
[[nodiscard]] inline std::uint64_t checksum_of(const void* from, std::size_t bytes) noexcept {
  const auto* at = static_cast<const unsigned char*>(from);
  std::uint64_t h = 0x9e3779b97f4a7c15u ^ bytes;
  for (std::size_t i = 0; i < bytes; i += 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, at + i, 8);
    h = (h ^ word) * 0xd6e8feb86659fd93u;
    h ^= h >> 32;
  }
  return h;
}

}  // namespace switchgear::inline v1::host
