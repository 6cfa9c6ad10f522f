// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <switchgear/machine/block.hpp>
#include <switchgear/machine/settings.hpp>

#include <atomic>
#include <bit>
#include <cstdint>

namespace switchgear::inline v1::machine {

/// What a window holds.
struct window_totals {
  std::uint64_t calls = 0;
  std::uint64_t failures = 0;
  std::uint64_t slow = 0;
};

/// Which counters a thread writes: its own lane alone, or shared ones.
struct lane_choice {
  std::uint32_t lane = 0;
  bool exclusive = false;
};

/// The last N verdicts, exactly.
///
/// Words: [0] the head: position (24 bits) and generation; then ceil(N/32) words of failure bits, then as many of slow
/// bits; each of these carries 32 bits and the low half of the generation they were written in.
///
/// Invariants: a word of another generation reads as empty, so a new generation starts empty without anybody clearing
/// anything, and a thread of an old generation that comes late cannot reach a new window. Every change is one
/// compare-and-swap; a thread that stops between taking a position and writing its bits leaves the verdict that was there.
template <template <class> class Atomic>
class count_window {
 public:
  using word_type = Atomic<std::uint64_t>;

  count_window(word_type* words, std::uint32_t size) noexcept
      : head_(words), failures_(words + 1), slow_(words + 1 + cells(size)), size_(size) {}

  [[nodiscard]] static constexpr std::uint32_t cells(std::uint32_t size) noexcept { return (size + 31) / 32; }
  [[nodiscard]] static constexpr std::uint32_t words(std::uint32_t size) noexcept { return 1 + 2 * cells(size); }

  struct pushed {
    bool stale = false;      ///< the window belongs to a newer generation; nothing was written
    bool filling = false;    ///< the window was not full before this verdict
    bool end_of_lap = false; ///< this verdict took the last position
  };

  pushed push(std::uint64_t generation, bool failed, bool slow) noexcept {
    std::uint64_t head = head_->load();
    for (;;) {
      const std::uint64_t owner = head >> 24;
      if (newer(owner, generation)) return {.stale = true};
      const auto position = static_cast<std::uint32_t>(owner == generation ? head & 0xffffff : 0);
      const std::uint32_t next = position + 1 == 2 * size_ ? size_ : position + 1;
      if (!head_->compare_exchange_strong(head, generation << 24 | next)) continue;
      const std::uint32_t index = position < size_ ? position : position - size_;
      const auto tag = static_cast<std::uint32_t>(generation);
      write(failures_[index / 32], index % 32, tag, failed);
      write(slow_[index / 32], index % 32, tag, slow);
      return {.filling = position < size_, .end_of_lap = index + 1 == size_};
    }
  }

  [[nodiscard]] window_totals totals(std::uint64_t generation) const noexcept {
    const std::uint64_t head = head_->load();
    if (head >> 24 != generation) return {};
    const auto position = static_cast<std::uint32_t>(head & 0xffffff);
    const auto tag = static_cast<std::uint32_t>(generation);
    window_totals sum{.calls = position < size_ ? position : size_};
    for (std::uint32_t i = 0; i < cells(size_); ++i) {
      sum.failures += static_cast<std::uint64_t>(std::popcount(bits(failures_[i].load(), tag)));
      sum.slow += static_cast<std::uint64_t>(std::popcount(bits(slow_[i].load(), tag)));
    }
    return sum;
  }

  /// Calls `f(failed, slow)` for every verdict it holds, oldest first.
  template <class F>
  void for_each(std::uint64_t generation, F&& f) const {
    const std::uint64_t head = head_->load();
    if (head >> 24 != generation) return;
    const auto position = static_cast<std::uint32_t>(head & 0xffffff);
    const std::uint32_t held = position < size_ ? position : size_;
    const auto tag = static_cast<std::uint32_t>(generation);
    for (std::uint32_t i = 0; i < held; ++i) {
      const std::uint32_t index = position < size_ ? i : (position + i) % size_;
      f((bits(failures_[index / 32].load(), tag) >> index % 32 & 1) != 0,
        (bits(slow_[index / 32].load(), tag) >> index % 32 & 1) != 0);
    }
  }

  /// Takes over the verdicts of `from`; the newest stay. The caller sees to it that this window is not in use yet.
  void adopt(const count_window& from, std::uint64_t generation) noexcept {
    from.for_each(generation, [&](bool failed, bool slow) { push(generation, failed, slow); });
  }

 private:
  static constexpr bool newer(std::uint64_t a, std::uint64_t b) noexcept {
    return a != b && ((a - b) & state_word::generation_mask) < (std::uint64_t{1} << 37);
  }
  static constexpr std::uint32_t bits(std::uint64_t cell, std::uint32_t tag) noexcept {
    return static_cast<std::uint32_t>(cell >> 32) == tag ? static_cast<std::uint32_t>(cell) : 0;
  }
  static void write(word_type& cell, std::uint32_t bit, std::uint32_t tag, bool value) noexcept {
    std::uint64_t seen = cell.load();
    for (;;) {
      const auto owner = static_cast<std::uint32_t>(seen >> 32);
      if (owner != tag && static_cast<std::int32_t>(owner - tag) > 0) return;
      const std::uint32_t before = bits(seen, tag);
      const std::uint32_t after = value ? before | 1u << bit : before & ~(1u << bit);
      if (after == before) return;
      if (cell.compare_exchange_strong(seen, std::uint64_t{tag} << 32 | after)) return;
    }
  }

  word_type* head_;
  word_type* failures_;
  word_type* slow_;
  std::uint32_t size_;
};

/// The verdicts of the last while, in buckets. The bucket of time t is floor(t × buckets / duration).
///
/// Words: per bucket a tag (generation 17 bits, number of the bucket 39 bits, epoch 8 bits), failures, slow; then per lane
/// the calls of each bucket and, for the thread that owns the lane, where its last call went. A counter carries in its
/// upper 8 bits the epoch of the tag it counts for; with another epoch it reads as 0, so one compare-and-swap on the tag empties a bucket, and a thread that counts for a bucket that has aged
/// meanwhile changes nothing. Who empties a bucket also zeroes its old counters, so that none is left to look young again
/// when the epoch comes round. After an idle gap every bucket that has aged is empty: its number says so.
template <template <class> class Atomic>
class time_window {
 public:
  using word_type = Atomic<std::uint64_t>;

  time_window(word_type* words, const settings& s, std::uint32_t lanes) noexcept
      : words_(words), buckets_(s.window_buckets), duration_(s.window_duration), lanes_(lanes) {}

  /// Rounded up to whole cache lines, so that lanes do not share one.
  [[nodiscard]] static constexpr std::uint32_t stride(std::uint32_t words) noexcept { return (words + 7) / 8 * 8; }
  [[nodiscard]] static constexpr std::uint32_t words(std::uint32_t buckets, std::uint32_t lanes) noexcept {
    return stride(3 * buckets) + lanes * stride(buckets + hint_words);
  }

  /// `word` is the state word of the block; a verdict of a generation that is over changes nothing.
  void push(const word_type& word, std::uint64_t generation, nanos now, bool failed, bool slow, lane_choice by) noexcept {
    word_type* const hint = &calls(by.lane, buckets_);
    if (by.exclusive && !failed && !slow && static_cast<std::uint64_t>(now) - hint[0].load(relaxed) < hint[1].load(relaxed)) {
      // Still in the bucket of this thread's last call: no division. The tag says whether it is still that bucket's.
      const std::uint64_t known = hint[2].load(relaxed);
      const auto at = static_cast<std::uint32_t>(hint[3].load(relaxed));
      if (words_[3 * at].load() == known && known >> 47 == (generation & generation_mask)) {
        count_own(calls(by.lane, at), known << 56);
        return;
      }
    }
    const std::uint64_t number = bucket(now);
    const std::uint32_t index = place(number);
    word_type& tag = words_[3 * index];
    const std::uint64_t wanted = (generation & generation_mask) << 47 | (number & number_mask) << 8;
    std::uint64_t seen = tag.load();
    while ((seen & ~std::uint64_t{0xff}) != wanted) {
      if (seen >> 47 == (generation & generation_mask) && (seen >> 8 & number_mask) > number) return;  // aged meanwhile
      // A tag of a newer generation is written only after `word` shows that generation, so if it does not, this one is older.
      if (state_word{word.load()}.generation() != generation) return;
      const std::uint64_t fresh = wanted | ((seen + 1) & 0xff);
      if (!tag.compare_exchange_strong(seen, fresh)) continue;
      seen = fresh;
      forget(index, fresh);
    }
    const std::uint64_t epoch = seen << 56;
    if (failed) add(failures(index), epoch);
    if (slow) add(slow_calls(index), epoch);
    if (!by.exclusive) {
      add(calls(by.lane, index), epoch);
      return;
    }
    count_own(calls(by.lane, index), epoch);
    const nanos start = start_of(number);
    hint[0].store(static_cast<std::uint64_t>(start), relaxed);
    hint[1].store(static_cast<std::uint64_t>(start_of(number + 1) - start), relaxed);
    hint[2].store(seen, relaxed);
    hint[3].store(index, relaxed);
  }

  [[nodiscard]] window_totals totals(std::uint64_t generation, nanos now) const noexcept {
    const std::uint64_t newest = bucket(now);
    window_totals sum;
    for (std::uint32_t i = 0; i < buckets_; ++i) {
      const std::uint64_t tag = words_[3 * i].load();
      if (tag >> 47 != (generation & generation_mask)) continue;
      const std::uint64_t number = tag >> 8 & number_mask;
      if (number + buckets_ <= newest) continue;
      const std::uint64_t epoch = tag << 56;
      sum.failures += value(failures(i).load(), epoch);
      sum.slow += value(slow_calls(i).load(), epoch);
      for (std::uint32_t lane = 0; lane < lanes_; ++lane) {
        sum.calls += value(calls(lane, i).load(), epoch);
      }
    }
    return sum;
  }

  /// Calls `f(age, totals)` for every bucket that counts at `now`; age 0 is that of `now`.
  template <class F>
  void for_each(std::uint64_t generation, nanos now, F&& f) const {
    const std::uint64_t newest = bucket(now);
    for (std::uint32_t i = 0; i < buckets_; ++i) {
      const std::uint64_t tag = words_[3 * i].load();
      const std::uint64_t number = tag >> 8 & number_mask;
      if (tag >> 47 != (generation & generation_mask) || number + buckets_ <= newest || number > newest) continue;
      const std::uint64_t epoch = tag << 56;
      window_totals held{.failures = value(failures(i).load(), epoch), .slow = value(slow_calls(i).load(), epoch)};
      for (std::uint32_t lane = 0; lane < lanes_; ++lane) held.calls += value(calls(lane, i).load(), epoch);
      f(static_cast<std::uint32_t>(newest - number), held);
    }
  }

  /// Puts a bucket of that age in place. The caller sees to it that the window is not in use yet.
  void load(std::uint64_t generation, nanos now, std::uint32_t age, const window_totals& held) noexcept {
    const std::uint64_t number = bucket(now) - age;
    const std::uint32_t index = place(number);
    constexpr std::uint64_t epoch = 1;
    words_[3 * index].store((generation & generation_mask) << 47 | (number & number_mask) << 8 | epoch);
    failures(index).store(epoch << 56 | held.failures);
    slow_calls(index).store(epoch << 56 | held.slow);
    for (std::uint32_t lane = 0; lane < lanes_; ++lane) calls(lane, index).store(lane == 0 ? epoch << 56 | held.calls : 0);
  }

  /// floor(t × buckets / duration), exactly.
  [[nodiscard]] std::uint64_t bucket(nanos t) const noexcept {
    return static_cast<std::uint64_t>(static_cast<wide>(t) * buckets_ / static_cast<std::uint64_t>(duration_));
  }

 private:
  [[nodiscard]] std::uint32_t place(std::uint64_t number) const noexcept {
    return static_cast<std::uint32_t>(number % buckets_);
  }

  __extension__ using wide = unsigned __int128;
  /// The first time that lies in a bucket.
  [[nodiscard]] nanos start_of(std::uint64_t number) const noexcept {
    return static_cast<nanos>((static_cast<wide>(number) * static_cast<std::uint64_t>(duration_) + buckets_ - 1) / buckets_);
  }

  static constexpr std::uint64_t number_mask = (std::uint64_t{1} << 39) - 1;
  static constexpr std::uint64_t count_mask = (std::uint64_t{1} << 56) - 1;
  static constexpr std::uint32_t hint_words = 4;  ///< start and length of a bucket, its tag, its place
  static constexpr auto relaxed = std::memory_order_relaxed;
  static constexpr std::uint64_t generation_mask = (std::uint64_t{1} << 17) - 1;

  static constexpr bool current(std::uint64_t counter, std::uint64_t epoch) noexcept {
    return (counter & ~count_mask) == epoch && (counter & count_mask) != 0;
  }
  /// Whether it counts for a later tag: epochs go round, and half way round is later.
  static constexpr bool younger(std::uint64_t counter, std::uint64_t epoch) noexcept {
    const std::uint64_t ahead = ((counter >> 56) - (epoch >> 56)) & 0xff;
    return (counter & count_mask) != 0 && ahead != 0 && ahead < 128;
  }
  static constexpr std::uint64_t value(std::uint64_t counter, std::uint64_t epoch) noexcept {
    return current(counter, epoch) ? counter & count_mask : 0;
  }
  [[nodiscard]] word_type& failures(std::uint32_t index) const noexcept { return words_[3 * index + 1]; }
  [[nodiscard]] word_type& slow_calls(std::uint32_t index) const noexcept { return words_[3 * index + 2]; }
  [[nodiscard]] word_type& calls(std::uint32_t lane, std::uint32_t index) const noexcept {
    return words_[stride(3 * buckets_) + lane * stride(buckets_ + hint_words) + index];
  }
  void forget(std::uint32_t index, std::uint64_t fresh) noexcept {
    const auto zero = [&tag = words_[3 * index], fresh](word_type& counter) {
      std::uint64_t seen = counter.load();
      if (seen == 0 || current(seen, fresh << 56)) return;
      // Only while the tag stands is what was seen an older count; later it may be a younger one.
      if (tag.load() == fresh) counter.compare_exchange_strong(seen, 0);
    };
    zero(failures(index));
    zero(slow_calls(index));
    for (std::uint32_t lane = 0; lane < lanes_; ++lane) zero(calls(lane, index));
  }
  /// Only by the thread that the lane belongs to. The store is sequentially consistent: it must not come after the look at
  /// the state word and at the other lanes that follows it. Of two threads that complete a rule together one sees both.
  static void count_own(word_type& counter, std::uint64_t epoch) noexcept {
    const std::uint64_t count = counter.load(relaxed);
    counter.store(current(count, epoch) ? count + 1 : epoch | 1);
  }
  static void add(word_type& counter, std::uint64_t epoch) noexcept {
    std::uint64_t seen = counter.load();
    do {
      if (younger(seen, epoch)) return;
    } while (!counter.compare_exchange_strong(seen, current(seen, epoch) ? seen + 1 : epoch | 1));
  }

  word_type* words_;
  std::uint32_t buckets_;
  std::int64_t duration_;
  std::uint32_t lanes_;
};

}  // namespace switchgear::inline v1::machine
