// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <switchgear/state.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace switchgear::inline v1::machine {

/// Times inside a block are nanoseconds since the block began, on one monotonic clock: 0 … latest (18 years).
using nanos = std::int64_t;
inline constexpr nanos latest = (nanos{1} << 59) - 1;

/// Where failure_count stops.
inline constexpr std::uint64_t max_failure_count = (std::uint64_t{1} << 28) - 1;

/// For verdicts that most likely need no time; see basic_machine::settle.
inline constexpr nanos unknown_time = -1;

/// The sum of a time and a duration, at most `latest`.
[[nodiscard]] constexpr nanos later(nanos time, nanos duration) noexcept {
  return duration >= latest - time ? latest : time + duration;
}

/// How the circuit got into its present state; what is needed to finish a transition whose thread went away.
enum class cause : std::uint8_t {
  none = 0,          // open: a rule fired
  manual = 1,        // open: an operator tripped it · closed: reset
  probe_failed = 2,  // open: a probe failed
  recovered = 3,     // closed: enough probes succeeded
  ramping = 2,       // closed: the same, and a share of the calls is still turned away
};

/// The one word that decides. Everything else in a block is read in its light: a time, a window cell or a probe slot
/// counts only when it carries the generation of this word.
///
///     bits  0 …  2  state
///     bit   3       clean: a success changes nothing (closed, no consecutive failure, and the window says so too)
///     bits  4 …  5  cause
///     bits  6 … 25  count: closed: consecutive failures · half-open: probe successes · open: failure_count
///     bits 26 … 63  generation
struct state_word {
  std::uint64_t bits = 0;

  static constexpr std::uint64_t max_count = (1u << 20) - 1;
  static constexpr std::uint64_t generation_mask = (std::uint64_t{1} << 38) - 1;
  static constexpr std::uint64_t clean_bit = 8;

  [[nodiscard]] static constexpr state_word make(state s, std::uint64_t generation, cause c = cause::none,
                                                 std::uint64_t count = 0) noexcept {
    return {static_cast<std::uint64_t>(s) | static_cast<std::uint64_t>(c) << 4 |
            (count < max_count ? count : max_count) << 6 | (generation & generation_mask) << 26};
  }
  [[nodiscard]] constexpr switchgear::state state() const noexcept { return static_cast<switchgear::state>(bits & 7); }
  [[nodiscard]] constexpr bool clean() const noexcept { return (bits & clean_bit) != 0; }
  [[nodiscard]] constexpr machine::cause cause() const noexcept { return static_cast<machine::cause>(bits >> 4 & 3); }
  [[nodiscard]] constexpr std::uint64_t count() const noexcept { return bits >> 6 & max_count; }
  [[nodiscard]] constexpr std::uint64_t generation() const noexcept { return bits >> 26; }

  /// The same state and generation with another count, not clean.
  [[nodiscard]] constexpr state_word with_count(std::uint64_t n) const noexcept {
    return make(state(), generation(), cause(), n);
  }
};

/// How long a conductor is believed to be there after he was last heard of.
inline constexpr nanos conductor_patience = 5'000'000'000;

/// Who conducts the recovery of an open or half-open circuit: nobody (`off`, the machine itself does), or somebody outside who
/// hands out the right to one probe at a time, and says at least every few seconds that he is still there.
///
///     bits 0 … 2   phase
///     bits 3 … 61  time: offered: until when the probe may be acquired · taken and after: when its lease ends
struct gate_word {
  enum class phase : std::uint8_t {
    off,        ///< the machine admits probes and closes the circuit by its own rules
    shut,       ///< no probe is admitted
    offered,    ///< one probe may be acquired
    taken,      ///< it was; its verdict is awaited
    succeeded,  ///< it succeeded; whether the circuit closes is for the one outside to say
    failed,     ///< it failed, and the circuit opened
    returned,   ///< it ended without evidence
  };
  std::uint64_t bits = 0;

  [[nodiscard]] static constexpr gate_word make(phase p, nanos until = 0) noexcept {
    return {static_cast<std::uint64_t>(p) | static_cast<std::uint64_t>(until) << 3};
  }
  [[nodiscard]] constexpr gate_word::phase is() const noexcept { return static_cast<phase>(bits & 7); }
  [[nodiscard]] constexpr nanos until() const noexcept { return static_cast<nanos>(bits >> 3); }
  [[nodiscard]] constexpr bool off() const noexcept { return is() == phase::off; }
  friend bool operator==(gate_word, gate_word) = default;
};

/// How much a ramping circuit admits: millionths of the calls (bits 0 … 19) and how many were asked for (above).
struct ramp_word {
  std::uint64_t bits = 0;
  static constexpr std::uint32_t whole = 1'000'000;
  static constexpr std::uint64_t one_call = std::uint64_t{1} << 20;

  [[nodiscard]] constexpr std::uint32_t share() const noexcept { return static_cast<std::uint32_t>(bits & (one_call - 1)); }
  /// Whether the next call is admitted: spread as evenly as whole calls can be.
  [[nodiscard]] constexpr bool admits_next() const noexcept {
    const std::uint64_t n = (bits >> 20) % whole;
    return (n + 1) * share() / whole > n * share() / whole;
  }
};

/// The part of a block that never moves while the breaker lives. Pointer-free and address-free: it may be a member, or
/// lie in a file that many processes map. All words start at 0, which is a closed circuit of generation 0.
///
/// Each of the four transition facts below is a 60-bit value with the low four bits of the generation it was written
/// for. A transition first changes `word`, then publishes its facts in order; whoever needs one that is not there yet
/// publishes it himself (machine::publish), so a thread that stops in between holds nobody up. No transition starts
/// before the facts of the one before are complete, so a fact belongs to this generation or to the last one.
template <template <class> class Atomic>
struct block_header {
  using word_type = Atomic<std::uint64_t>;

  word_type word;       ///< state_word
  word_type attempts;   ///< fact: back-off attempt (32 bits) and, above it, failure_count (28 bits)
  word_type closed_at;  ///< fact: when half-open last closed, + 1; 0 = never, or forgotten by a reset
  word_type since;      ///< fact: when this state began
  word_type until;      ///< fact: open: the end of the open period · override: its end + 1, 0 = none
  word_type epoch;      ///< settings::epoch of the settings in force
  word_type gate;       ///< gate_word
  word_type ramp;       ///< ramp_word; counts while the state word says `ramping`
  word_type conducted_until;  ///< from this time on gate and ramp count as off: who conducts has gone or hangs
  word_type judged;     ///< the epoch whose rules were judged last: the first verdict of another judges, whatever it is

  // Lifetime counters that calls rarely touch; the two that they often touch are in the lanes.
  word_type failures;
  word_type timeouts;
  word_type ignored;
  word_type abandoned;
  word_type slow_calls;
  word_type would_reject;
  word_type late_results;
  word_type expired_probes;
  word_type transitions;
  word_type last_failure_at;      ///< time + 1; 0 = there was none
  word_type successes_before;     ///< sum of the lanes at the last reset_metrics()
  word_type rejections_before;
};

/// Counters of one thread. Threads with a number below the number of lanes own one and write its first two words with
/// plain stores; all others share the last two and add with a read-modify-write.
template <template <class> class Atomic>
struct alignas(64) counter_lane {
  Atomic<std::uint64_t> successes;
  Atomic<std::uint64_t> rejections;
  Atomic<std::uint64_t> shared_successes;
  Atomic<std::uint64_t> shared_rejections;
};

/// One place for a probe. `tag` says whose it is, `lease` until when; the low four bits of `lease` are those of the ticket
/// it belongs to, so that a lease that was not written yet can be told from one that ended, and a thread that is a few
/// tickets behind writes none.
///
///     tag:   bits 0 … 1 occupancy · bits 2 … 25 ticket · bits 26 … 63 generation
///     lease: bits 0 … 3 those of the ticket · bits 4 … 63 the time the lease ends
template <template <class> class Atomic>
struct probe_slot {
  Atomic<std::uint64_t> tag;
  Atomic<std::uint64_t> lease;
};

enum class occupancy : std::uint8_t { vacant = 0, held = 1, settling = 2 };

struct slot_tag {
  std::uint64_t bits = 0;
  static constexpr std::uint64_t ticket_mask = (1u << 24) - 1;
  [[nodiscard]] static constexpr slot_tag make(std::uint64_t generation, std::uint64_t ticket, occupancy o) noexcept {
    return {static_cast<std::uint64_t>(o) | (ticket & ticket_mask) << 2 | (generation & state_word::generation_mask) << 26};
  }
  [[nodiscard]] constexpr occupancy held() const noexcept { return static_cast<occupancy>(bits & 3); }
  [[nodiscard]] constexpr std::uint64_t ticket() const noexcept { return bits >> 2 & ticket_mask; }
  [[nodiscard]] constexpr std::uint64_t generation() const noexcept { return bits >> 26; }
};

/// Probe slots come in segments so that a reconfiguration can append some without moving those in use.
template <template <class> class Atomic>
struct slot_segment {
  probe_slot<Atomic>* slots = nullptr;
  std::uint32_t count = 0;
  std::atomic<slot_segment*> next{nullptr};  ///< release when appended, acquire when walked
};

}  // namespace switchgear::inline v1::machine
