// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <switchgear/detail/breaker_record.hpp>

#include "line_array.hpp"

#include <array>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string_view>
#include <vector>

namespace switchgear::inline v1::detail {

/// Which record has which name.
///
/// Thread safety: find() from any number of threads, without a lock, while one at a time inserts or erases.
///
/// Algorithm: buckets of one cache line: seven slots, and a head with a byte of the hash (0: empty) for each of them and a count.
/// A name lives in its home bucket, or in the first one after it that had room. `passed`, the highest byte of the head, counts
/// the entries that went past the bucket, so a search ends at the first bucket that nobody went past (as in Folly's F14); at 255
/// it stays for ever, which costs time only.
///
/// Invariants, for readers:
/// - Within a table no entry moves, and `passed` of the buckets before it is not 0 as long as it is there. So who walks past
///   finds an entry that was there all the while; one that came or went meanwhile may be found or not, both are right.
/// - A slot that ever had a tag points to a record, for ever. A record that was found by a stale head may be free, or another's:
///   that is why find() compares the name under a reference.
/// - A table that was outgrown does not change any more and stays until the end; all together have at most the size of the last.
///
/// Speed: among a million names a lookup waits for the memory twice, once for the bucket and once for the record. A processor
/// waits for several lookups at the same time if it can look far enough ahead, so there are few instructions and no branch that
/// cannot be predicted before the memory has answered.
class name_table {
 public:
  name_table();
  name_table(const name_table&) = delete;
  name_table& operator=(const name_table&) = delete;

  struct found {
    breaker_record* record = nullptr;  ///< with a reference for the caller; null when there is none
    bool doubtful = false;  ///< a record without references lay where the name may have been: ask again with writers shut out
  };
  [[nodiscard]] found find(std::string_view name, std::uint64_t hash) const noexcept;

  /// For writers, who hold the records in their slots: the listed record of that name, without a reference for the caller.
  [[nodiscard]] breaker_record* peek(std::string_view name, std::uint64_t hash) const noexcept;
  /// A filled record whose name is not in the table.
  void insert(breaker_record& record);
  void erase(const breaker_record& record) noexcept;
  [[nodiscard]] std::size_t size() const noexcept { return size_.load(std::memory_order_relaxed); }

 private:
  static constexpr std::size_t slots = 7;
  struct alignas(64) bucket {
    std::atomic<std::uint64_t> head{0};
    std::array<std::atomic<breaker_record*>, slots> records{};
  };
  static_assert(sizeof(bucket) == 64);
  struct table {
    explicit table(std::size_t buckets);
    line_array<bucket> memory;
    bucket* buckets;
    std::size_t mask;
  };

  static std::uint64_t tag_of(std::uint64_t hash) noexcept {
    const std::uint64_t tag = hash >> 56;
    return tag + (tag == 0 ? 1 : 0);
  }
  /// The highest bit of the byte of each slot with that tag. (Where a byte of `x` is zero, and only there, the sum does not reach
  /// its highest bit.)
  static std::uint64_t matching(std::uint64_t head, std::uint64_t tag) noexcept {
    constexpr std::uint64_t low = 0x007f7f7f7f7f7f7f;
    const std::uint64_t x = head ^ tag * 0x0001010101010101;
    return ~(((x & low) + low) | x | low) & ~low & 0x00ffffffffffffff;
  }
  static std::size_t first_of(std::uint64_t matches) noexcept { return static_cast<std::size_t>(std::countr_zero(matches)) / 8; }
  static std::uint64_t passed(std::uint64_t head) noexcept { return head >> 56; }
  /// The head with `passed` one more or one less.
  static std::uint64_t with_passed(std::uint64_t head, bool more) noexcept {
    if (passed(head) == 255) return head;
    constexpr std::uint64_t one = std::uint64_t{1} << 56;
    return more ? head + one : head - one;
  }
  [[nodiscard]] static bool look_into(const bucket& b, std::uint64_t head, std::string_view name, std::uint64_t hash,
                                      found& out) noexcept;
  [[nodiscard]] static found find_further(const table& t, std::string_view name, std::uint64_t hash, found out) noexcept;
  static void put(table& t, breaker_record& record) noexcept;
  void grow();

  std::atomic<table*> current_;
  std::atomic<std::size_t> size_{0};
  std::vector<std::unique_ptr<table>> tables_;
};

/// The rest of a name that does not fit into its record.
[[nodiscard]] bool is_long_name(const breaker_record& record, std::string_view name) noexcept;

/// Whether two texts of one size of at most 48 bytes are the same: as memcmp, without calling it.
[[nodiscard]] inline bool same_bytes(const char* a, const char* b, std::size_t size) noexcept {
  const auto differ = [&]<class T>(T, std::size_t at) {
    T x = 0, y = 0;
    std::memcpy(&x, a + at, sizeof x);
    std::memcpy(&y, b + at, sizeof y);
    return x != y;
  };
  if (size >= 8) {
    for (std::size_t at = 0; at + 8 < size; at += 8) {
      if (differ(std::uint64_t{}, at)) return false;
    }
    return !differ(std::uint64_t{}, size - 8);  // some bytes for the second time
  }
  if (size >= 4) return !differ(std::uint32_t{}, 0) && !differ(std::uint32_t{}, size - 4);
  for (std::size_t at = 0; at < size; ++at) {
    if (a[at] != b[at]) return false;
  }
  return true;
}

/// Whether a record, of which the caller holds a reference or shuts out those who change it, is of that name.
[[nodiscard]] inline bool is_named(const breaker_record& record, std::string_view name, std::uint64_t hash) noexcept {
  if (record.hash != hash || record.name_size != name.size()) return false;
  if (name.size() > breaker_record::inline_name) [[unlikely]] return is_long_name(record, name);
  return same_bytes(record.name.data(), name.data(), name.size());
}

[[gnu::always_inline]] inline bool name_table::look_into(const bucket& b, std::uint64_t head, std::string_view name,
                                                         std::uint64_t hash, found& out) noexcept {
  for (std::uint64_t left = matching(head, tag_of(hash)); left != 0; left &= left - 1) {
    // Relaxed: ordered by the acquire load of the head; a newer record than the tag's is as good.
    breaker_record& record = *b.records[first_of(left)].load(std::memory_order_relaxed);
    if (!record.try_retain()) [[unlikely]] {
      out.doubtful = true;
    } else if (is_named(record, name, hash)) [[likely]] {
      out.record = &record;
      return true;
    } else {
      record.release();
    }
  }
  return false;
}

[[gnu::always_inline]] inline name_table::found name_table::find(std::string_view name, std::uint64_t hash) const noexcept {
  found out;
  const table& t = *current_.load(std::memory_order_acquire);  // pairs with the release store of grow()
  const bucket& home = t.buckets[hash & t.mask];
  const std::uint64_t head = home.head.load(std::memory_order_acquire);  // pairs with the release stores of put() and erase()
  if (look_into(home, head, name, hash, out) || passed(head) == 0) return out;
  return find_further(t, name, hash, out);
}

}  // namespace switchgear::inline v1::detail
