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
/// Words: [0] the head: position (16 bits), the newest verdict (failed, slow) and, from bit 24, the generation; then
/// ceil(N/16) cells of 16 verdicts each.
///
///     cell: bits 0 … 15 failed · 16 … 31 slow · 32 … 39 number of changes · 40 … 63 generation
///
/// Algorithm: the newest verdict stands in the head alone; the next one first puts it in its cell and then takes the head
/// over. So a verdict enters the window, and the oldest one leaves it, in one compare-and-swap, and a thread that stops
/// anywhere leaves a window that is the last N verdicts of the order in which the head was taken. The number of changes
/// keeps a thread that was asleep for a whole lap from putting an old verdict where a newer one is.
///
/// Invariants: a cell of another generation reads as empty, so a new generation starts empty without anybody clearing
/// anything, and a thread of an old generation that comes late cannot reach a new window.
template <template <class> class Atomic>
class count_window {
 public:
  using word_type = Atomic<std::uint64_t>;

  count_window(word_type* words, std::uint32_t size) noexcept : head_(words), cells_(words + 1), size_(size) {}

  [[nodiscard]] static constexpr std::uint32_t cells(std::uint32_t size) noexcept { return (size + 15) / 16; }
  [[nodiscard]] static constexpr std::uint32_t words(std::uint32_t size) noexcept { return 1 + cells(size); }

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
      const std::uint32_t position = owner == generation ? position_of(head) : 0;
      if (position != 0) write_newest(head);
      const std::uint32_t next = position + 1 >= 2 * size_ ? size_ : position + 1;
      const std::uint64_t verdict = std::uint64_t{failed} << 16 | std::uint64_t{slow} << 17;
      if (!head_->compare_exchange_strong(head, generation << 24 | verdict | next)) continue;
      return {.filling = position < size_, .end_of_lap = (position + 1) % size_ == 0};
    }
  }

  [[nodiscard]] window_totals totals(std::uint64_t generation) const noexcept {
    // Looked at again while others push, so that what is judged is a window that was. Not for ever: whoever pushes judges
    // after his push, so in the end somebody looks at a window that stands still.
    std::uint64_t head = head_->load();
    for (int tries = 0;; ++tries) {
      if (head >> 24 != generation) return {};
      const std::uint32_t position = position_of(head);
      window_totals sum{.calls = position < size_ ? position : size_};
      for (std::uint32_t i = 0; i < cells(size_); ++i) {
        const std::uint32_t held = verdicts(i, head);
        sum.failures += static_cast<std::uint64_t>(std::popcount(held & 0xffff));
        sum.slow += static_cast<std::uint64_t>(std::popcount(held >> 16));
      }
      const std::uint64_t again = head_->load();
      if (again == head || tries == 16) return sum;
      head = again;
    }
  }

  /// Calls `f(failed, slow)` for every verdict it holds, oldest first.
  template <class F>
  void for_each(std::uint64_t generation, F&& f) const {
    const std::uint64_t head = head_->load();
    if (head >> 24 != generation) return;
    const std::uint32_t position = position_of(head);
    const std::uint32_t held = position < size_ ? position : size_;
    for (std::uint32_t i = 0; i < held; ++i) {
      const std::uint32_t index = position < size_ ? i : (position + i) % size_;
      const std::uint32_t both = verdicts(index / 16, head) >> index % 16;
      f((both & 1) != 0, (both >> 16 & 1) != 0);
    }
  }

  /// Takes over the verdicts of `from`; the newest stay. The caller sees to it that this window is not in use yet.
  void adopt(const count_window& from, std::uint64_t generation) noexcept {
    from.for_each(generation, [&](bool failed, bool slow) { push(generation, failed, slow); });
  }

  /// Whether the words can be those of a window of a block in this generation; for blocks that come from outside. Only for
  /// one that nobody pushes to.
  [[nodiscard]] bool plausible(std::uint64_t generation) const noexcept {
    const std::uint64_t head = head_->load();
    const std::uint32_t position = position_of(head);
    if (newer(head >> 24, generation) || position >= 2 * size_ || (head >> 18 & 0x3f) != 0) return false;
    if (position == 0 && (head & 0x3ffff) != 0) return false;
    const bool present = head >> 24 == generation;
    const std::uint32_t held = !present ? 0 : position < size_ ? position : size_;
    for (std::uint32_t i = 0; i < cells(size_); ++i) {
      const std::uint64_t cell = cells_[i].load();
      if (tag_newer(cell >> 40, generation)) return false;
      if (!present || cell >> 40 != (generation & tag_mask)) continue;
      const std::uint32_t used = held > 16 * i ? (held - 16 * i < 16 ? held - 16 * i : 16) : 0;
      const std::uint32_t outside = 0xffffu & (used == 16 ? 0 : ~0u << used);
      if ((static_cast<std::uint32_t>(cell) & (outside | outside << 16)) != 0) return false;
    }
    return true;
  }

 private:
  static constexpr std::uint64_t tag_mask = 0xffffff;

  static constexpr bool newer(std::uint64_t a, std::uint64_t b) noexcept {
    return a != b && ((a - b) & state_word::generation_mask) < (std::uint64_t{1} << 37);
  }
  static constexpr bool tag_newer(std::uint64_t tag, std::uint64_t generation) noexcept {
    const std::uint64_t ahead = (tag - generation) & tag_mask;
    return ahead != 0 && ahead < 0x800000;
  }
  static constexpr std::uint32_t position_of(std::uint64_t head) noexcept { return static_cast<std::uint32_t>(head & 0xffff); }
  /// Where the newest verdict belongs; there is one.
  [[nodiscard]] std::uint32_t newest(std::uint64_t head) const noexcept {
    const std::uint32_t last = position_of(head) - 1;
    return last < size_ ? last : last - size_;
  }
  /// A cell's verdicts as they are with the newest one in its place.
  [[nodiscard]] static constexpr std::uint32_t with_newest(std::uint32_t held, std::uint32_t index, std::uint64_t head) noexcept {
    const std::uint32_t bit = index % 16;
    const auto verdict = static_cast<std::uint32_t>((head >> 16 & 1) | (head >> 17 & 1) << 16);
    return (held & ~(0x10001u << bit)) | verdict << bit;
  }
  [[nodiscard]] static constexpr std::uint32_t held_in(std::uint64_t cell, std::uint64_t generation) noexcept {
    return cell >> 40 == (generation & tag_mask) ? static_cast<std::uint32_t>(cell) : 0;
  }
  [[nodiscard]] std::uint32_t verdicts(std::uint32_t cell, std::uint64_t head) const noexcept {
    const std::uint32_t held = held_in(cells_[cell].load(), head >> 24);
    if (position_of(head) == 0) return held;
    const std::uint32_t index = newest(head);
    return index / 16 == cell ? with_newest(held, index, head) : held;
  }
  /// Puts the newest verdict in its cell, unless somebody has done so and taken the head over.
  void write_newest(std::uint64_t head) noexcept {
    const std::uint32_t index = newest(head);
    word_type& cell = cells_[index / 16];
    std::uint64_t seen = cell.load();
    for (;;) {
      const std::uint32_t held = held_in(seen, head >> 24);
      const std::uint32_t wanted = with_newest(held, index, head);
      // The cell was read while the head still stood, or this verdict is in it already and newer ones may be, too.
      if (wanted == held || head_->load() != head) return;
      const std::uint64_t changes = ((seen >> 32) + 1) & 0xff;
      if (cell.compare_exchange_strong(seen, (head >> 24 & tag_mask) << 40 | changes << 32 | wanted)) return;
    }
  }

  word_type* head_;
  word_type* cells_;
  std::uint32_t size_;
};

/// The verdicts of the last while, in buckets. The bucket of time t is floor(t × buckets / duration).
///
/// Words: per bucket a tag (generation 17 bits, number of the bucket 39 bits, epoch 8 bits), failures, slow; then per lane
/// the calls of each bucket and, for the thread that owns the lane, where its last call went. A counter carries in its
/// upper 8 bits the epoch of the tag it counts for; with another epoch it reads as 0, so one compare-and-swap on the tag
/// empties a bucket, and a thread that counts for a bucket that has aged meanwhile changes nothing. Who empties a bucket also zeroes its old counters, so that none is left to look young again
/// when the epoch comes round. After an idle gap every bucket that has aged is empty: its number says so.
template <template <class> class Atomic>
class time_window {
 public:
  using word_type = Atomic<std::uint64_t>;

  time_window(word_type* words, const settings& s, std::uint32_t lanes) noexcept
      : words_(words), buckets_(s.window_buckets), duration_(s.window_duration), lanes_(lanes) {}

  /// Whole cache lines and one more, so that lanes share none wherever the first word lies.
  [[nodiscard]] static constexpr std::uint32_t stride(std::uint32_t words) noexcept { return (words + 7) / 8 * 8 + 8; }
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
        add(calls(by.lane, at), known << 56);
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
    add(calls(by.lane, index), epoch);
    if (!by.exclusive) return;
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
  /// A read-modify-write also for the thread that owns the lane: threads without one add to the same word, and what follows,
  /// the look at the state word and at the other lanes, must not come before it. Of two threads that complete a rule
  /// together one sees both.
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
