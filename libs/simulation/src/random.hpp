// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>
#include <cstdint>

namespace switchgear::inline v1::simulation {

/// Numbers that look random and follow from the seed alone: splitmix64 (Steele, Lea, Flood 2014). Each purpose has a stream of
/// its own, so that one more draw here changes nothing there; the standard library's distributions are not the same everywhere.
class random_stream {
 public:
  random_stream() = default;
  random_stream(std::uint64_t seed, std::uint64_t purpose, std::uint64_t number = 0) noexcept
      : state_(mixed(mixed(mixed(seed) + purpose) + number)) {}

  [[nodiscard]] std::uint64_t next() noexcept {
    state_ += 0x9e3779b97f4a7c15u;
    return mixed(state_);
  }
  /// [0, 1)
  [[nodiscard]] double share() noexcept { return static_cast<double>(next() >> 11) * 0x1.0p-53; }
  /// [0, below); `below` > 0
  [[nodiscard]] std::uint64_t below(std::uint64_t below) noexcept {
    return static_cast<std::uint64_t>((static_cast<wide>(next()) * below) >> 64);
  }
  [[nodiscard]] bool happens(double probability) noexcept { return probability > 0 && share() < probability; }
  /// Exponentially distributed.
  [[nodiscard]] double exponential(double mean) noexcept { return -mean * std::log1p(-share()); }
  [[nodiscard]] std::int64_t exponential_nanos(double mean_nanos) noexcept {
    return static_cast<std::int64_t>(exponential(mean_nanos));
  }
  [[nodiscard]] std::int64_t between(std::int64_t low, std::int64_t high) noexcept {
    return high <= low ? low : low + static_cast<std::int64_t>(below(static_cast<std::uint64_t>(high - low)));
  }

 private:
  __extension__ using wide = unsigned __int128;

  static constexpr std::uint64_t mixed(std::uint64_t x) noexcept {
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return x ^ (x >> 31);
  }

  std::uint64_t state_ = 0;
};

}  // namespace switchgear::inline v1::simulation
