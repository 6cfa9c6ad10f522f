// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <switchgear/detail/lanes.hpp>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>

namespace switchgear::inline v1::detail {

/// `N` counters that many threads add to without sharing a cache line: each thread has a lane of its own while there are
/// enough of them, as in the block of a breaker.
///
/// Thread safety: all functions from any thread. A sum that is read while others add is one that was true at some moment
/// for each lane.
template <std::size_t N>
class counters {
 public:
  counters() : count_(lane_count()), lanes_(new lane[count_ + 1]()) {}

  /// Relaxed: a counter orders nothing. A lane that is owned has one writer, so a load and a store are enough; the threads
  /// beyond share the last lane.
  void add(std::size_t which, std::uint64_t by = 1) noexcept {
    const machine::lane_choice mine = this_lane(count_);
    if (mine.exclusive) {
      auto& c = lanes_[mine.lane].values[which];
      c.store(c.load(std::memory_order_relaxed) + by, std::memory_order_relaxed);
    } else {
      lanes_[count_].values[which].fetch_add(by, std::memory_order_relaxed);
    }
  }

  [[nodiscard]] std::uint64_t sum(std::size_t which) const noexcept {
    std::uint64_t total = 0;
    for (std::uint32_t i = 0; i <= count_; ++i) total += lanes_[i].values[which].load(std::memory_order_relaxed);
    return total;
  }

 private:
  struct alignas(64) lane {
    std::array<std::atomic<std::uint64_t>, N> values{};
  };
  std::uint32_t count_;
  std::unique_ptr<lane[]> lanes_;
};

}  // namespace switchgear::inline v1::detail
