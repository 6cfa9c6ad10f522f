// SPDX-License-Identifier: Apache-2.0
#include "name_table.hpp"

#include "registered_breaker.hpp"

#include <new>

namespace switchgear::inline v1::detail {
namespace {

constexpr std::size_t first_size = 16;
/// Entries a bucket on the average, of seven, before the table grows.
constexpr std::size_t most_filled = 5;

}  // namespace

bool is_long_name(const breaker_record& record, std::string_view name) noexcept { return record.body->breaker.name() == name; }

name_table::table::table(std::size_t count) : memory(count), buckets(memory.data()), mask(count - 1) {
  for (std::size_t i = 0; i < count; ++i) new (buckets + i) bucket;
}

name_table::name_table() {
  tables_.push_back(std::make_unique<table>(first_size));
  current_.store(tables_.back().get(), std::memory_order_release);
}

name_table::found name_table::find_further(const table& t, std::string_view name, std::uint64_t hash, found out) noexcept {
  std::size_t i = hash & t.mask;
  for (std::size_t n = 0; n < t.mask; ++n) {
    i = (i + 1) & t.mask;
    const std::uint64_t head = t.buckets[i].head.load(std::memory_order_acquire);  // as in find()
    if (look_into(t.buckets[i], head, name, hash, out) || passed(head) == 0) break;
  }
  return out;
}

// Relaxed loads from here on: writers take turns under the registry's mutex.

breaker_record* name_table::peek(std::string_view name, std::uint64_t hash) const noexcept {
  const table& t = *tables_.back();
  for (std::size_t i = hash & t.mask, n = 0; n <= t.mask; i = (i + 1) & t.mask, ++n) {
    const bucket& b = t.buckets[i];
    const std::uint64_t head = b.head.load(std::memory_order_relaxed);
    for (std::uint64_t left = matching(head, tag_of(hash)); left != 0; left &= left - 1) {
      breaker_record* const record = b.records[first_of(left)].load(std::memory_order_relaxed);
      if (is_named(*record, name, hash)) return record;
    }
    if (passed(head) == 0) break;
  }
  return nullptr;
}

void name_table::put(table& t, breaker_record& record) noexcept {
  for (std::size_t i = record.hash & t.mask;; i = (i + 1) & t.mask) {
    bucket& b = t.buckets[i];
    const std::uint64_t head = b.head.load(std::memory_order_relaxed);
    // Release: who sees the head sees the slot, the record, and the heads of the buckets before it.
    for (std::size_t slot = 0; slot < slots; ++slot) {
      if ((head >> 8 * slot & 255) != 0) continue;
      b.records[slot].store(&record, std::memory_order_relaxed);
      b.head.store(head | tag_of(record.hash) << 8 * slot, std::memory_order_release);
      return;
    }
    b.head.store(with_passed(head, true), std::memory_order_release);
  }
}

void name_table::insert(breaker_record& record) {
  const std::size_t next = size_.load(std::memory_order_relaxed) + 1;
  if (next > most_filled * (tables_.back()->mask + 1)) grow();
  put(*tables_.back(), record);
  size_.store(next, std::memory_order_relaxed);
}

void name_table::erase(const breaker_record& record) noexcept {
  table& t = *tables_.back();
  const std::size_t home = record.hash & t.mask;
  const auto take_out = [&record](bucket& b) {
    const std::uint64_t head = b.head.load(std::memory_order_relaxed);
    for (std::size_t slot = 0; slot < slots; ++slot) {
      const std::uint64_t tag = std::uint64_t{255} << 8 * slot;
      if ((head & tag) == 0 || b.records[slot].load(std::memory_order_relaxed) != &record) continue;
      b.head.store(head & ~tag, std::memory_order_release);
      return true;
    }
    return false;
  };
  std::size_t i = home;
  while (!take_out(t.buckets[i])) i = (i + 1) & t.mask;
  // Only now, so that nobody stops before an entry that is still there.
  for (std::size_t j = home; j != i; j = (j + 1) & t.mask) {
    auto& head = t.buckets[j].head;
    head.store(with_passed(head.load(std::memory_order_relaxed), false), std::memory_order_release);
  }
  size_.store(size_.load(std::memory_order_relaxed) - 1, std::memory_order_relaxed);
}

void name_table::grow() {
  const table& old = *tables_.back();
  tables_.reserve(tables_.size() + 1);
  auto fresh = std::make_unique<table>(2 * (old.mask + 1));
  for (std::size_t i = 0; i <= old.mask; ++i) {
    const bucket& b = old.buckets[i];
    const std::uint64_t head = b.head.load(std::memory_order_relaxed);
    for (std::size_t slot = 0; slot < slots; ++slot) {
      if ((head >> 8 * slot & 255) != 0) put(*fresh, *b.records[slot].load(std::memory_order_relaxed));
    }
  }
  tables_.push_back(std::move(fresh));
  current_.store(tables_.back().get(), std::memory_order_release);
}

}  // namespace switchgear::inline v1::detail
