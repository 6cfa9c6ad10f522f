// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <switchgear/config.hpp>
#include <switchgear/machine/machine.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <type_traits>

#include "checksum.hpp"
#include "text.hpp"

// The bytes of a state file.
//
//     file_header     what never changes: whose file it is, sizes, a checksum
//     commit          one word: the number of the page in force, with a check of itself
//     state_page × 2  configuration, clock, texts, machine block; the even and the odd numbers take turns
//     history_entry…  a ring of transitions, each with its number and a checksum
//
// A change is prepared in the page that is not in force and in ring entries that no reader looks at yet, and takes
// effect with the one store to `commit`. All numbers are of the host's own byte order; `byte_order` tells a file from
// elsewhere.

namespace switchgear::inline v1::host {

inline constexpr char file_magic[16] = {'s', 'w', 'i', 't', 'c', 'h', 'g', 'e', 'a', 'r', ' ', 's', 't', 'a', 't', 'e'};
inline constexpr std::uint32_t layout_version = 2;
inline constexpr std::uint32_t byte_order_mark = 0x01020304;

/// How many transitions a reader may see, and how many places the ring has: one operation makes at most
/// transitions::capacity of them, and what it writes before its commit must not be something a reader looks at.
inline constexpr std::uint64_t history_kept = 1000;
inline constexpr std::uint64_t history_places = 1008;
static_assert(history_places >= history_kept + machine::transitions::capacity);

/// The largest number of transitions, pages or reconfigurations a file can count; beyond it the bytes are not ours.
inline constexpr std::uint64_t largest_sequence = (std::uint64_t{1} << 48) - 1;
inline constexpr std::uint64_t largest_counter = std::uint64_t{1} << 60;

inline constexpr std::uint32_t largest_slots = 1000;
inline constexpr std::uint32_t count_words = machine::count_window<std::atomic>::words(10'000);
inline constexpr std::uint32_t time_words = machine::time_window<std::atomic>::words(60, 1);
inline constexpr std::uint32_t window_words = (count_words > time_words ? count_words : time_words) + 5;

/// A piece of text of bounded length.
template <std::size_t Bytes>
struct stored_text {
  std::uint16_t length;
  char bytes[Bytes - 2];

  [[nodiscard]] bool valid() const noexcept { return length <= sizeof bytes; }
  [[nodiscard]] std::string_view view() const noexcept { return {bytes, valid() ? length : 0u}; }
  void set(std::string_view text) {
    const std::string line = one_line(text, sizeof bytes);
    std::memset(bytes, 0, sizeof bytes);
    std::memcpy(bytes, line.data(), line.size());
    length = static_cast<std::uint16_t>(line.size());
  }
};

struct file_header {
  char magic[16];
  std::uint32_t layout;
  std::uint32_t byte_order;
  std::uint64_t file_bytes;
  std::uint64_t page_bytes;
  std::uint32_t history_places;
  std::uint32_t name_bytes;
  std::uint64_t seed;
  std::int64_t made_at;
  char name[200];
  char unused[240];
  std::uint64_t checksum;
};
static_assert(sizeof(file_header) == 512);

/// A config as fixed numbers. Rates as the bits of their doubles, durations as nanoseconds; `set` says which optionals
/// are.
struct stored_config {
  std::uint64_t epoch;
  std::uint64_t flags;
  std::int64_t failure_threshold, window_calls, window_duration, window_buckets, minimum_calls;
  std::uint64_t failure_rate_threshold;
  std::int64_t failure_count_threshold, slow_call_duration;
  std::uint64_t slow_call_rate_threshold;
  std::int64_t open_duration;
  std::uint64_t open_duration_multiplier;
  std::int64_t max_open_duration;
  std::uint64_t jitter;
  std::int64_t min_reset_interval, half_open_max_calls, success_threshold, probe_timeout, call_timeout, state_history;

  enum flag : std::uint64_t {
    enabled = 1, shadow = 2, timed = 4, has_minimum_calls = 8, has_slow_rate = 16, has_max_open = 32,
    has_probe_timeout = 64, all_flags = 127
  };
  static stored_config of(const config& c, std::uint64_t epoch) noexcept;
  /// May be invalid when the bytes are not ours; config::validate() tells.
  [[nodiscard]] config load() const noexcept;
};

/// The clocks at the last operation. The time on the file's timeline is `timeline` plus what has passed since.
struct stored_clock {
  std::uint8_t boot[16];
  std::int64_t since_boot;
  std::int64_t timeline;
  std::int64_t wall;
};

struct alignas(64) state_page {
  std::uint64_t checksum;  ///< of all that follows
  std::uint64_t number;    ///< grows by one with each operation
  stored_config configuration;
  stored_clock clock;
  std::uint64_t history_next;   ///< number of the next transition
  std::uint64_t history_first;  ///< number of the oldest one that is kept
  stored_text<256> owner;       ///< of an override
  stored_text<512> reason;      ///< why the circuit is in its state
  stored_text<256> last_failure;
  machine::block block;
  machine::counter_lane<std::atomic> lane;
  std::atomic<std::uint64_t> window[window_words];
  machine::probe_slot<std::atomic> slots[largest_slots];
};

struct history_entry {
  std::uint64_t checksum;  ///< of all that follows
  std::uint64_t number;
  std::int64_t wall;
  std::uint64_t generation;
  std::uint32_t failure_count;
  std::uint8_t from;
  std::uint8_t to;
  stored_text<282> reason;
};
static_assert(sizeof(history_entry) == 320);

struct file_image {
  file_header header;
  std::atomic<std::uint64_t> commit;
  char unused[56];
  state_page pages[2];
  history_entry history[history_places];

  [[nodiscard]] state_page& page(std::uint64_t number) noexcept { return pages[number & 1]; }
  [[nodiscard]] const state_page& page(std::uint64_t number) const noexcept { return pages[number & 1]; }
};
static_assert(std::is_standard_layout_v<file_image>);
static_assert(sizeof(std::atomic<std::uint64_t>) == 8);
static_assert(sizeof(file_image) % 8 == 0);

[[nodiscard]] inline std::uint64_t checksum_of(const file_header& h) noexcept {
  return checksum_of(&h, offsetof(file_header, checksum));
}
template <class T>
[[nodiscard]] std::uint64_t checksum_after_first_word(const T& t) noexcept {
  return checksum_of(reinterpret_cast<const unsigned char*>(&t) + 8, sizeof(T) - 8);
}
[[nodiscard]] inline std::uint64_t checksum_of(const state_page& p) noexcept { return checksum_after_first_word(p); }
[[nodiscard]] inline std::uint64_t checksum_of(const history_entry& e) noexcept { return checksum_after_first_word(e); }

/// The commit word of a page number: the number and 16 bits that a damaged one does not have.
[[nodiscard]] inline std::uint64_t commit_of(std::uint64_t number) noexcept {
  return number << 16 | (checksum_of(&number, 8) & 0xffff);
}

/// The state a machine needs besides the page: settings and the way to the slots. Not movable, the machine points into
/// it.
struct page_machine {
  explicit page_machine(state_page& page, std::uint64_t seed);
  page_machine(const page_machine&) = delete;
  page_machine& operator=(const page_machine&) = delete;

  config configuration;
  machine::settings settings;
  machine::slot_segment<std::atomic> slots;
  machine::real_machine machine;
};

/// Puts another valid configuration into the page and makes the window fit, as a reconfiguration of a live breaker
/// does.
void configure_page(state_page& page, const config& next, std::uint64_t seed);

/// What is wrong with the header and the page in force, or nothing. `image` has to have the right size and alignment.
[[nodiscard]] const char* problem_of_state(const file_image& image) noexcept;
/// The same for the visible part of the history. The state has to be good.
[[nodiscard]] const char* problem_of_history(const file_image& image) noexcept;

}  // namespace switchgear::inline v1::host
