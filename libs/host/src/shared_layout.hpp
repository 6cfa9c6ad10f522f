// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <switchgear/host/host_clock.hpp>
#include <switchgear/host/shared_options.hpp>
#include <switchgear/machine/machine.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "checked_words.hpp"
#include "layout.hpp"

// The bytes of a file of shared circuits.
//
//     shared_header          what never changes (sizes, a checksum), and behind it the clock
//     process_place × P      one for each process that may have the file open; its first byte is what the process locks
//     circuit_entry × C      names, and who maps what
//     record × C             whole pages each: shared_record, then a counter_lane for each lane, then the window areas
//
// Nothing in the file is ever waited for. What several processes write is single words, or groups of words with a checksum
// that a reader leaves out when they are torn (checked_words.hpp). The two things that take a lock are the table of names and
// configurations; it is a lock of the kernel's, which it gives back when its holder dies.

namespace switchgear::inline v1::host {

inline constexpr char shared_magic[16] = {'s', 'w', 'i', 't', 'c', 'h', 'g', 'e', 'a', 'r', ' ', 's', 'h', 'a', 'r', 'e'};
inline constexpr std::uint32_t shared_layout_version = 1;

inline constexpr std::size_t page_size = 4096;
inline constexpr std::uint32_t shared_history_places = 64;
inline constexpr std::uint32_t shared_slots = 1000;
inline constexpr std::uint32_t most_processes = 512;
/// A window of another shape begins in the next area, so that a thread which is still at work on the one of before does no harm
/// there. After a full round, that is, to one that slept through so many changes, it may: then a few verdicts are wrong until
/// they are out of the window.
inline constexpr std::uint64_t window_areas = 4;
inline constexpr std::uint64_t most_bytes = std::uint64_t{1} << 34;

using word = std::atomic<std::uint64_t>;

struct shared_header {
  char magic[16];
  std::uint32_t layout;
  std::uint32_t byte_order;
  std::uint64_t file_bytes;
  std::uint64_t record_bytes;
  std::uint32_t max_circuits, max_processes, lanes_per_process, history_places;
  std::uint64_t seed;
  std::int64_t made_at;
  std::uint64_t checksum;  ///< of all that precedes
  char unused[48];
  /// The timeline: CLOCK_MONOTONIC in the boot of the host that the first word stands for, and its reading at time 0. `boot` is
  /// written last. Changed only after a reboot, when nobody can be using it.
  word boot, origin, clock_check;
  /// seen_word: a moment on the timeline and on the wall clock not long ago.
  word seen;
  char unused_too[4096 - 128 - 32];
};
static_assert(sizeof(shared_header) == page_size && offsetof(shared_header, boot) == 128);

/// A moment in whole seconds, in one word: 30 bits of the timeline (34 years) and 34 of the wall clock.
struct seen_word {
  std::uint64_t bits = 0;
  [[nodiscard]] static constexpr seen_word make(std::int64_t timeline, std::int64_t wall) noexcept {
    constexpr std::int64_t second = 1'000'000'000;
    return {static_cast<std::uint64_t>(timeline / second) << 34 |
            (static_cast<std::uint64_t>(wall / second) & ((std::uint64_t{1} << 34) - 1))};
  }
  [[nodiscard]] constexpr std::int64_t timeline() const noexcept { return static_cast<std::int64_t>(bits >> 34) * 1'000'000'000; }
  [[nodiscard]] constexpr std::int64_t wall() const noexcept {
    return static_cast<std::int64_t>(bits & ((std::uint64_t{1} << 34) - 1)) * 1'000'000'000;
  }
};

/// Who has this place, for people; that somebody has it is only known by the lock on its first byte.
struct process_place {
  word pid;
  word since;  ///< wall clock
  char unused[48];
};
static_assert(sizeof(process_place) == 64);

enum class place_state : std::uint8_t {
  vacant = 0,
  making = 1,   ///< under the lock; found by somebody else who has it: the maker died
  live = 2,
  removed = 3,  ///< reused when nobody maps it
};

/// State, and how often the place was given a circuit; both in one word, so that who looked without the lock notices.
struct place_word {
  std::uint64_t bits = 0;
  [[nodiscard]] static constexpr place_word make(place_state s, std::uint64_t incarnation) noexcept {
    return {static_cast<std::uint64_t>(s) | incarnation << 8};
  }
  [[nodiscard]] constexpr place_state state() const noexcept { return static_cast<place_state>(bits & 0xff); }
  [[nodiscard]] constexpr std::uint64_t incarnation() const noexcept { return bits >> 8; }
};

struct circuit_entry {
  word is;                                ///< place_word
  checked_words<27> named;                ///< circuit_name; written while `making`
  word users[most_processes / 64];        ///< the process places that map it
  char unused[512 - 8 - 28 * 8 - 64];
};
static_assert(sizeof(circuit_entry) == 512);

struct circuit_name {
  std::uint64_t seed;
  std::uint64_t bytes;
  char text[200];
  [[nodiscard]] std::string_view view() const noexcept { return {text, bytes <= sizeof text ? bytes : 0u}; }
};
static_assert(sizeof(circuit_name) == 27 * 8);

/// A configuration and the window area that goes with it. The one in force is that of `epoch` (header), in page epoch & 1.
struct config_page {
  stored_config configuration;
  std::uint64_t area;
};
static_assert(sizeof(config_page) % 8 == 0);

struct last_failure_text {
  stored_text<64> text;
};
struct override_text {
  std::uint64_t generation;
  stored_text<256> owner;
  stored_text<512> reason;
};
/// One transition.
struct shared_change {
  std::uint64_t generation;
  std::int64_t wall;
  std::uint32_t failure_count;
  std::uint8_t from, to;
  stored_text<282> reason;
};
static_assert(sizeof(shared_change) == 304);

template <class T>
using checked = checked_words<sizeof(T) / 8>;

struct alignas(64) shared_record {
  machine::block block;
  alignas(64) checked<config_page> pages[2];
  text_pair<last_failure_text> last_failure;
  text_pair<override_text> override_by;
  checked<shared_change> history[shared_history_places];  ///< that of generation g in place g mod 64
  alignas(64) machine::probe_slot<std::atomic> slots[shared_slots];
};
static_assert(std::is_standard_layout_v<shared_record>);

/// A count window finds its cells by 16 bits of a word. With room for all of them not even a damaged word, or a thread that
/// slept while the area was given to a window of another size, leads out of the area.
inline constexpr std::uint32_t count_window_words = machine::count_window<std::atomic>::words(0x10000);
static_assert(count_window_words >= machine::count_window<std::atomic>::words(10'000));

/// Where everything lies in a file of these sizes.
struct shared_places {
  std::uint32_t circuits = 0, processes = 0, lanes_each = 0;

  explicit constexpr shared_places(const shared_options& o) noexcept
      : circuits(o.max_circuits), processes(o.max_processes), lanes_each(o.lanes_per_process) {}

  [[nodiscard]] constexpr std::uint32_t lanes() const noexcept { return processes * lanes_each; }
  [[nodiscard]] constexpr std::uint64_t window_words() const noexcept {
    const std::uint64_t timed = machine::time_window<std::atomic>::words(60, lanes());
    return ((timed > count_window_words ? timed : count_window_words) + 7) / 8 * 8;
  }
  [[nodiscard]] constexpr std::uint64_t lanes_at() const noexcept { return sizeof(shared_record); }
  [[nodiscard]] constexpr std::uint64_t window_at(std::uint64_t area) const noexcept {
    return lanes_at() + lanes() * sizeof(machine::counter_lane<std::atomic>) + area * window_words() * 8;
  }
  [[nodiscard]] constexpr std::uint64_t record_bytes() const noexcept {
    return (window_at(window_areas) + page_size - 1) / page_size * page_size;
  }
  [[nodiscard]] constexpr std::uint64_t process_at(std::uint32_t i) const noexcept {
    return sizeof(shared_header) + std::uint64_t{i} * sizeof(process_place);
  }
  [[nodiscard]] constexpr std::uint64_t entry_at(std::uint32_t i) const noexcept {
    return process_at(processes) + std::uint64_t{i} * sizeof(circuit_entry);
  }
  [[nodiscard]] constexpr std::uint64_t record_at(std::uint32_t i) const noexcept {
    return (entry_at(circuits) + page_size - 1) / page_size * page_size + std::uint64_t{i} * record_bytes();
  }
  [[nodiscard]] constexpr std::uint64_t file_bytes() const noexcept { return record_at(circuits); }
};

/// One circuit's memory, in the mapped file or in a copy.
struct record_view {
  std::byte* base = nullptr;
  shared_places places;

  [[nodiscard]] shared_record& fixed() const noexcept { return *reinterpret_cast<shared_record*>(base); }
  [[nodiscard]] machine::block& block() const noexcept { return fixed().block; }
  [[nodiscard]] machine::counter_lane<std::atomic>* lanes() const noexcept {
    return reinterpret_cast<machine::counter_lane<std::atomic>*>(base + places.lanes_at());
  }
  [[nodiscard]] word* window(std::uint64_t area) const noexcept {
    return reinterpret_cast<word*>(base + places.window_at(area % window_areas));
  }
  /// The configuration in force; false when it cannot be read.
  [[nodiscard]] bool configuration(config_page& out) const noexcept;
  /// A change of configuration and, when `fresh_area`, of the window area; in force with the store of the epoch, which is
  /// left to the caller. Under the lock.
  void write_configuration(const config_page& next) const noexcept;
};

/// Settings, slots and the machine over one circuit's memory; not movable, the machine points into it.
struct record_machine {
  record_machine(const record_view& record, const config_page& page, std::uint64_t seed);
  record_machine(const record_machine&) = delete;
  record_machine& operator=(const record_machine&) = delete;

  config configuration;
  machine::settings settings;
  machine::slot_segment<std::atomic> slots;
  machine::real_machine machine;
};

[[nodiscard]] inline std::uint64_t checksum_of(const shared_header& h) noexcept {
  return checksum_of(&h, offsetof(shared_header, checksum));
}
/// Which boot, in one word.
[[nodiscard]] std::uint64_t boot_word(const moment& at) noexcept;
/// The time on a timeline with that origin: 0 … latest.
[[nodiscard]] machine::nanos time_since(std::uint64_t origin, const moment& at) noexcept;
/// The time on the file's timeline in another boot than that of its clock; `last` is known to lie behind.
[[nodiscard]] machine::nanos time_after_boot(const shared_header& h, machine::nanos last, const moment& at) noexcept;
[[nodiscard]] std::uint64_t clock_check_of(std::uint64_t boot, std::uint64_t origin) noexcept;

/// What is wrong with the part of the header that never changes, or null. `bytes` is the length of the file, at least a header.
[[nodiscard]] const char* problem_of_header(const shared_header& h, std::uint64_t bytes) noexcept;
/// The sizes in a header that is good.
[[nodiscard]] shared_options sizes_of(const shared_header& h) noexcept;
/// What is wrong with a name, or null; of an entry that is live.
[[nodiscard]] const char* problem_of_name(const circuit_entry& e, circuit_name& out) noexcept;
/// What would lead the machine astray, or null: looked at while others may be using it, so each word on its own.
[[nodiscard]] const char* problem_of_record(const record_view& r) noexcept;

}  // namespace switchgear::inline v1::host
