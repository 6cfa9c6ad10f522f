// SPDX-License-Identifier: Apache-2.0
#include "histogram.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <bit>
#include <cmath>

namespace switchgear::demo::fleet {

std::size_t histogram::bucket_of(std::int64_t nanoseconds) noexcept {
  if (nanoseconds < exact) return static_cast<std::size_t>(std::max<std::int64_t>(nanoseconds, 0));
  const auto value = static_cast<std::uint64_t>(nanoseconds);
  const int octave = std::bit_width(value) - 1 - exact_bits;
  if (octave >= octaves) return buckets - 1;
  const std::uint64_t within = (value >> (octave + exact_bits - fine_bits)) - fine;
  return static_cast<std::size_t>(exact) + static_cast<std::size_t>(octave) * fine + within;
}

std::int64_t histogram::value_of(std::size_t bucket) noexcept {
  const auto n = static_cast<std::int64_t>(bucket);
  if (n < exact) return n;
  const std::int64_t octave = (n - exact) / fine, within = (n - exact) % fine;
  return (fine + within) << (octave + exact_bits - fine_bits);
}

void histogram::add(const histogram& other) noexcept {
  for (std::size_t i = 0; i < buckets; ++i) counts_[i] += other.counts_[i];
  total_ += other.total_;
}

void histogram::clear() noexcept {
  std::fill(counts_.begin(), counts_.end(), 0);
  total_ = 0;
}

std::int64_t histogram::quantile(double share) const noexcept {
  if (total_ == 0) return 0;
  const double wanted = std::ceil(std::clamp(share, 0.0, 1.0) * static_cast<double>(total_));
  const auto rank = std::max<std::uint64_t>(1, static_cast<std::uint64_t>(wanted));
  std::uint64_t seen = 0;
  for (std::size_t i = 0; i < buckets; ++i) {
    seen += counts_[i];
    if (seen >= rank) return value_of(i);
  }
  return value_of(buckets - 1);
}

nlohmann::json histogram::to_json() const {
  auto j = nlohmann::json::array();
  for (std::size_t i = 0; i < buckets; ++i) {
    if (counts_[i] != 0) j.push_back({i, counts_[i]});
  }
  return j;
}

histogram histogram::from(const nlohmann::json& j) {
  histogram h;
  for (const auto& pair : j) {
    const auto count = pair.at(1).get<std::uint64_t>();
    h.counts_.at(pair.at(0).get<std::size_t>()) += count;
    h.total_ += count;
  }
  return h;
}

}  // namespace switchgear::demo::fleet
