// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

namespace switchgear::inline v1::detail {

struct registered_breaker;

/// What a lookup reads about one breaker, in one cache line: how many hold it, and its name.
///
/// Records are type-stable: the memory of a record is a record, and nothing else, until the last breaker of its registry has
/// gone, however often the record is used again for another breaker. So a thread that found a record by a stale word may
/// still touch its count. It may look at the rest only after it has taken a reference.
///
/// 0 references: the record is free, or being filled or emptied by the one thread that owns it. From 0 only that thread leads
/// away, by storing 1 when all else is in place.
struct alignas(64) breaker_record {
  static constexpr std::size_t inline_name = 35;

  std::atomic<std::uint32_t> references{0};  ///< one of the registry while it lists the breaker, one for each handle
  std::uint32_t index = 0;                   ///< of this record in its store, for ever
  std::uint64_t hash = 0;                    ///< of the name
  registered_breaker* body = nullptr;
  std::atomic<bool> listed{false};              ///< the registry has it under its name
  std::atomic<bool> used{false};                ///< it was looked up since the last sweep came by
  std::atomic<bool> off_by_environment{false};  ///< the environment alone has made it a pass-through
  bool stained = false;                         ///< seen with a past, so it goes after those without; under the registry's mutex
  std::uint8_t name_size = 0;
  std::array<char, inline_name> name;  ///< its beginning when it is longer

  /// Takes a reference unless there is none left.
  ///
  /// Acquire: pairs with the release store of the thread that filled the record, through whatever references were taken in
  /// between (they are read-modify-writes and so continue its release sequence). The loop never turns 0 into 1, so whoever
  /// takes away the last reference is alone with the record, and with all memory behind it, from that moment on.
  [[nodiscard]] bool try_retain() noexcept {
    std::uint32_t seen = references.load(std::memory_order_relaxed);
    while (seen != 0) {
      if (references.compare_exchange_weak(seen, seen + 1, std::memory_order_acquire, std::memory_order_relaxed)) return true;
    }
    return false;
  }

  /// For those who hold a reference. Relaxed: the new one is handed on by the thread that has the old one.
  void retain() noexcept { references.fetch_add(1, std::memory_order_relaxed); }

  /// Release: what this thread did with the breaker comes before its end. Acquire, needed by the last one alone: so do the
  /// others' doings.
  void release() noexcept {
    if (references.fetch_sub(1, std::memory_order_acq_rel) == 1) dispose();
  }

  /// Ends the breaker of a record without references and gives the record back to its store.
  void dispose() noexcept;
};

static_assert(sizeof(breaker_record) == 64);

}  // namespace switchgear::inline v1::detail
