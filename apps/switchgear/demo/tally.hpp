// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json_fwd.hpp>

#include <array>
#include <chrono>
#include <cstdint>
#include <string_view>
#include <vector>

namespace switchgear::demo {

inline constexpr std::array<std::string_view, 2> upstream_names{"payments", "search"};
inline constexpr std::size_t payments = 0, search = 1;

/// What calls came to.
struct tally {
  std::uint64_t passed = 0, failed = 0, rejected = 0;
  std::vector<std::int64_t> failure_ns;    ///< how long each failed call took
  std::vector<std::int64_t> rejection_ns;  ///< how long each rejection took

  [[nodiscard]] std::uint64_t calls() const noexcept { return passed + failed + rejected; }
  /// The time spent on calls that came to nothing, rejections included.
  [[nodiscard]] std::chrono::nanoseconds wasted() const noexcept;
  void add(const tally& other);
};

/// One of each kind of caller, for each upstream.
struct tallies {
  std::array<tally, upstream_names.size()> guarded, unguarded;
  void add(const tallies& other);
};

[[nodiscard]] nlohmann::json to_json(const tallies& t);
/// Throws nlohmann::json::exception when it is none.
[[nodiscard]] tallies tallies_from(const nlohmann::json& j);

/// The value below which `share` (0 … 1) of the values lie; 0 when there are none.
[[nodiscard]] std::chrono::nanoseconds quantile(std::vector<std::int64_t> values, double share);

}  // namespace switchgear::demo
