// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <switchgear/detail/breaker_record.hpp>

#include "line_array.hpp"

#include <array>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace switchgear::inline v1::detail {

/// The records of one registry, numbered from 0. Slabs of 1024, 2048, 4096 … records, so that none ever moves. A record that is
/// given back is taken again first; the memory stays until the end of the store.
///
/// Thread safety: at() and count() from any thread; take() and give_back() one caller at a time.
class record_store {
 public:
  record_store() = default;
  record_store(const record_store&) = delete;
  record_store& operator=(const record_store&) = delete;

  /// How many records there are, free ones included. Acquire: pairs with the release store of take(), so at() may be asked for
  /// each of them.
  [[nodiscard]] std::uint32_t count() const noexcept { return count_.load(std::memory_order_acquire); }

  /// `index` is below count(). Relaxed is enough: the acquire load of the count pairs with a release store that came after the
  /// store to `slabs_`.
  [[nodiscard]] breaker_record& at(std::uint32_t index) const noexcept {
    const place p = place_of(index);
    return slabs_[p.slab].load(std::memory_order_relaxed)[p.number];
  }

  /// A record with no references, for its taker alone.
  [[nodiscard]] breaker_record& take();
  /// A record from take() that has no references again. Never allocates.
  void give_back(breaker_record& record) noexcept { free_.push_back(record.index); }

 private:
  static constexpr std::uint64_t first_slab = 1024;
  struct place {
    std::size_t slab;
    std::size_t number;
  };
  static place place_of(std::uint32_t index) noexcept {
    const std::uint64_t number = std::uint64_t{index} + first_slab;
    const auto slab = static_cast<unsigned>(std::bit_width(number) - std::bit_width(first_slab));
    return {slab, number - (first_slab << slab)};
  }

  std::array<std::atomic<breaker_record*>, 23> slabs_{};  ///< enough for every 32-bit index
  std::atomic<std::uint32_t> count_{0};
  std::vector<std::unique_ptr<line_array<breaker_record>>> memory_;
  std::vector<std::uint32_t> free_;  ///< with capacity for all records
};

}  // namespace switchgear::inline v1::detail
