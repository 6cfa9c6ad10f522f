// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json_fwd.hpp>

#include <cstdint>
#include <vector>

namespace switchgear::demo::fleet {

/// How long things took, in whole nanoseconds: exact below 1,024, above that within one part in 512. Adding is a few
/// instructions, so that it can stand between two calls that are being timed.
class histogram {
 public:
  histogram() : counts_(buckets) {}

  void add(std::int64_t nanoseconds) noexcept {
    ++counts_[bucket_of(nanoseconds)];
    ++total_;
  }
  void add(const histogram& other) noexcept;
  void clear() noexcept;

  [[nodiscard]] std::uint64_t count() const noexcept { return total_; }
  /// The least value (of its bucket, the lower end) that `share` (0 … 1) of the values do not exceed; 0 when there are none.
  [[nodiscard]] std::int64_t quantile(double share) const noexcept;

  /// The buckets that are not empty, as pairs of number and count.
  [[nodiscard]] nlohmann::json to_json() const;
  /// Throws nlohmann::json::exception or std::out_of_range when it is none.
  [[nodiscard]] static histogram from(const nlohmann::json& j);

 private:
  static constexpr int exact_bits = 10, fine_bits = 9;
  static constexpr std::int64_t exact = std::int64_t{1} << exact_bits, fine = std::int64_t{1} << fine_bits;
  static constexpr int octaves = 24;  ///< up to about 17 s; what is longer counts as that
  static constexpr std::size_t buckets = exact + octaves * fine;

  [[nodiscard]] static std::size_t bucket_of(std::int64_t nanoseconds) noexcept;
  [[nodiscard]] static std::int64_t value_of(std::size_t bucket) noexcept;

  std::vector<std::uint64_t> counts_;
  std::uint64_t total_ = 0;
};

}  // namespace switchgear::demo::fleet
