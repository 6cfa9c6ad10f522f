// SPDX-License-Identifier: Apache-2.0
#include "keyed_hash.hpp"

#include <random>

namespace switchgear::inline v1::detail {

hash_key random_hash_key() {
  std::random_device source;
  const auto word = [&source] { return static_cast<std::uint64_t>(source()) << 32 | source(); };
  const std::uint64_t low = word();
  return {low, word()};
}

}  // namespace switchgear::inline v1::detail
