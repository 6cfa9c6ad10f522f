// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <string_view>

namespace switchgear::inline v1::detail {

inline constexpr std::size_t shortest_token = 16;
inline constexpr std::size_t longest_token = 256;

/// A token to compare with. How long a comparison takes depends on the length of what is compared with it, which its sender knows
/// already, and neither on the secret nor on where the two differ.
class secret_token {
 public:
  /// At most longest_token bytes; empty: nothing is equal to it.
  explicit secret_token(std::string_view secret) noexcept;
  [[nodiscard]] bool is_set() const noexcept { return size_ != 0; }
  [[nodiscard]] bool equals(std::string_view given) const noexcept;

 private:
  std::array<unsigned char, longest_token> bytes_{};
  std::size_t size_ = 0;
};

/// How many of something there may be: `burst` at once, and as many again each second.
class rate_budget {
 public:
  using time_point = std::chrono::steady_clock::time_point;
  explicit rate_budget(double burst) noexcept : burst_(burst), left_(burst) {}
  /// Takes one; false when there is none.
  [[nodiscard]] bool take(time_point now) noexcept;

 private:
  double burst_;
  double left_;
  time_point last_{};
};

}  // namespace switchgear::inline v1::detail
