// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>

#include "checksum.hpp"

namespace switchgear::inline v1::host {

/// A group of words in shared memory that is either whole or noticed not to be. No lock: a writer that dies half way, or two at
/// once, leave a checksum that does not fit, and readers go without. Who writes afterwards sets it right.
template <std::size_t N>
struct checked_words {
  std::atomic<std::uint64_t> check;  ///< never 0 when it is whole
  std::atomic<std::uint64_t> words[N];

  /// `key` is part of the checksum but not of the words: what is found in the wrong place does not fit.
  template <class T>
  void write(const T& from, std::uint64_t key = 0) noexcept {
    static_assert(sizeof(T) == 8 * N && std::is_trivially_copyable_v<T>);
    std::array<std::uint64_t, N> copy;
    std::memcpy(copy.data(), &from, sizeof from);
    check.store(0, std::memory_order_relaxed);
    std::atomic_thread_fence(std::memory_order_release);  // whoever sees one of the words sees that they are not whole
    for (std::size_t i = 0; i < N; ++i) words[i].store(copy[i], std::memory_order_relaxed);
    check.store(check_of(copy, key), std::memory_order_release);
  }
  template <class T>
  [[nodiscard]] bool read(T& to, std::uint64_t key = 0) const noexcept {
    static_assert(sizeof(T) == 8 * N && std::is_trivially_copyable_v<T>);
    std::array<std::uint64_t, N> copy;
    const std::uint64_t expected = check.load(std::memory_order_acquire);
    for (std::size_t i = 0; i < N; ++i) copy[i] = words[i].load(std::memory_order_relaxed);
    // The checksum is over what was copied, so it does not matter what changed meanwhile.
    if (expected != check_of(copy, key)) return false;
    std::memcpy(static_cast<void*>(&to), copy.data(), sizeof to);
    return true;
  }

 private:
  [[nodiscard]] static std::uint64_t check_of(const std::array<std::uint64_t, N>& copy, std::uint64_t key) noexcept {
    return (checksum_of(copy.data(), 8 * N) ^ key * 0x9e3779b97f4a7c15u) | 1;
  }
};

/// The newest of what was written, also when the last writer died half way: two places, the older one is written.
template <class T>
struct text_pair {
  struct numbered {
    std::uint64_t number;
    T text;
  };
  checked_words<sizeof(numbered) / 8> places[2];

  void write(const T& text) noexcept {
    numbered held[2] = {};
    const bool whole[2] = {places[0].read(held[0]), places[1].read(held[1])};
    const std::size_t newest = whole[1] && (!whole[0] || held[1].number > held[0].number) ? 1 : 0;
    const std::uint64_t number = whole[newest] ? held[newest].number : 0;
    places[whole[newest] ? 1 - newest : newest].write(numbered{number + 1, text});
  }
  [[nodiscard]] bool read(T& to) const noexcept {
    numbered held[2] = {};
    const bool whole[2] = {places[0].read(held[0]), places[1].read(held[1])};
    if (!whole[0] && !whole[1]) return false;
    to = held[whole[1] && (!whole[0] || held[1].number > held[0].number) ? 1 : 0].text;
    return true;
  }
};

}  // namespace switchgear::inline v1::host
