// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <switchgear/machine/block.hpp>
#include <switchgear/machine/settings.hpp>
#include <switchgear/machine/window.hpp>

#include <atomic>
#include <cstdint>

namespace switchgear::inline v1::machine {

/// Why a transition happened, in numbers; text is made outside.
enum class trigger : std::uint8_t {
  consecutive_failures,  ///< observed: failures in a row · limit: failure_threshold
  failure_rate,          ///< observed: failures of `calls` · limit: failure_rate_threshold in millionths
  failure_count,         ///< observed: failures in the window · limit: failure_count_threshold
  slow_call_rate,        ///< observed: slow calls of `calls` · limit: slow_call_rate_threshold in millionths
  probe_failed,
  slow_probe,
  open_duration_passed,
  probes_succeeded,  ///< observed: successes · limit: success_threshold
  tripped,
  forced_open,
  disabled,
  released,
  time_to_live_ended,
  reset,
  restored,
  fleet_opened,  ///< somebody who sees more than this block decided so
  fleet_closed,
};

/// One step from one generation to the next, as seen by the one thread that made it.
struct transition {
  state from = state::closed;
  state to = state::closed;
  machine::trigger trigger = trigger::reset;
  std::uint64_t generation = 0;     ///< of the new state
  nanos at = 0;
  std::uint32_t failure_count = 0;
  std::uint64_t observed = 0;
  std::uint64_t limit = 0;
  std::uint64_t calls = 0;
  nanos until = 0;                  ///< end of the open period or of the override; 0 = none

  /// A reset of a closed circuit makes a new generation without a change of state.
  [[nodiscard]] bool changes_state() const noexcept { return from != to; }
};

/// What one step changed: at most a transition that was due and the one that was asked for, more only in races.
struct transitions {
  static constexpr std::uint8_t capacity = 4;

  // The items beyond `count` are left as they are: a call that changes nothing must not pay for clearing them.
  transitions() noexcept {}
  transitions(const transitions& other) noexcept { *this = other; }
  transitions& operator=(const transitions& other) noexcept {
    for (count = 0; count < other.count; ++count) items[count] = other.items[count];
    return *this;
  }

  std::uint8_t count = 0;
  union {
    transition items[capacity];
  };

  void add(const transition& t) noexcept { items[count++] = t; }
  [[nodiscard]] const transition* begin() const noexcept { return items; }
  [[nodiscard]] const transition* end() const noexcept { return items + count; }
};

/// The right to make one call, as the machine knows it. Plain data; circuit_breaker wraps it in a move-only permit.
struct grant {
  enum class kind : std::uint8_t {
    none,         ///< no permit at all
    call,         ///< admitted while closed or disabled
    probe,        ///< admitted while half-open; has a slot
    shadow,       ///< would have been rejected; its verdict is late
    pass_through  ///< the breaker was not enabled; its verdict is nothing
  };
  kind is = kind::none;
  std::uint32_t slot = 0;
  std::uint32_t ticket = 0;
  std::uint64_t generation = 0;
  nanos start = -1;  ///< -1 when it was not measured
  nanos lease_end = latest;
  bool gated = false;  ///< a probe that took what the gate offered; its end is told there
};

struct refusal {
  rejection_reason reason = rejection_reason::open;
  nanos retry_after = -1;  ///< -1 = none
  std::uint32_t failure_count = 0;
};

struct acquired {
  grant permit;        ///< kind::none when rejected
  refusal rejection;   ///< of a rejection, also of one that shadow mode let pass
  transitions changes;
  bool expired_probe = false;
};

struct settled {
  transitions changes;
  bool needs_time = false;  ///< a rule came true, but the time was not told: see basic_machine::finish
  bool late = false;
  bool slow = false;
  bool expired_probe = false;
};

struct totals {
  std::uint64_t successes = 0, failures = 0, timeouts = 0, ignored = 0, abandoned = 0, slow_calls = 0, rejections = 0,
                would_reject = 0, late_results = 0, expired_probes = 0, transitions = 0;
};

/// The facts of the present generation.
struct facts {
  std::uint32_t attempt = 0;
  std::uint32_t failure_count = 0;
  nanos closed_at = -1;  ///< when half-open last closed; -1 = never
  nanos since = 0;
  nanos until = 0;       ///< open: end of the open period · override: its end, -1 = none
};

struct observation {
  switchgear::state state = state::closed;  ///< as a caller would find it now
  std::uint64_t generation = 0;
  std::uint32_t consecutive_failures = 0;
  std::uint32_t half_open_successes = 0;
  std::uint32_t probes_in_flight = 0;
  nanos retry_after = -1;                   ///< -1 = none
  machine::facts facts;
  window_totals window;
  nanos last_failure_at = -1;               ///< -1 = none
};

/// The circuit breaker as a pure state machine over a block of words. No clock, lock, allocation or callback inside: time
/// comes in, what happened goes out. A machine is a view: it holds pointers to the words of one block and to the settings,
/// and is made where it is needed.
///
/// Thread safety: every function may be called from any thread at any time, on the same block, with clocks that differ a
/// little. Nothing waits for anybody: a thread (or process) that stops inside any function leaves a block that the others
/// go on with.
///
/// Invariants: the generation grows by exactly one with each transition, which is one compare-and-swap of the state word
/// from the value that was judged; facts, window cells and probe slots count for the generation they carry; a slot stays
/// taken until the verdict of its probe has been applied.
///
/// Memory orders: the words are sequentially consistent unless a comment says otherwise; two threads that each record a
/// failure and then judge must not both miss the other's. The healthy path does not come here (see circuit_breaker).
template <template <class> class Atomic>
class basic_machine {
 public:
  using header = block_header<Atomic>;
  using lane = counter_lane<Atomic>;
  using word_type = Atomic<std::uint64_t>;

  basic_machine(header& h, lane* lanes, std::uint32_t lane_count, word_type* window, const slot_segment<Atomic>* slots,
                const settings& s, std::uint64_t seed) noexcept
      : header_(h), lanes_(lanes), lane_count_(lane_count), window_(window), slots_(slots), settings_(s), seed_(seed) {}

  [[nodiscard]] const settings& in_force() const noexcept { return settings_; }

  /// Asks for a permit.
  [[nodiscard]] acquired acquire(nanos now, lane_choice by) noexcept;

  /// Settles a permit; the caller sees to it that this happens once. `now` may be unknown_time for a success, an ignored or
  /// an abandoned permit that is no probe, unless settings::needs_clock(); when settled::needs_time comes back then, finish()
  /// has to follow.
  settled settle(const grant& permit, verdict v, nanos now, lane_choice by) noexcept;

  /// The rest of a settle without the time, which turned out to be needed: judges a closed circuit of this generation.
  settled finish(std::uint64_t generation, nanos now) noexcept {
    settled out;
    conclude(generation, {.judging = true}, out, now);
    out.late = false;  // the verdict itself came in time
    return out;
  }

  /// The common cases of settle: the success of a call that began under `word`, which was closed, while that word still
  /// stands, and that was not slow. False, and nothing has happened, when it is another case.
  [[nodiscard]] bool succeed_quickly(std::uint64_t word, nanos start, nanos now, lane_choice by, settled& out) noexcept {
    if (header_.word.load(std::memory_order_relaxed) != word) return false;
    if (now == unknown_time && settings_.needs_clock()) return false;
    if (settings_.slow_call_duration > 0 && now - start >= settings_.slow_call_duration) return false;
    const bool clean = (word & state_word::clean_bit) != 0;
    bump(lanes_[by.lane].successes, lanes_[by.lane].shared_successes, by);
    if (clean && !settings_.timed_window) return true;
    if (clean) {
      timed().push(header_.word, state_word{word}.generation(), now, false, false, by);
      if (header_.word.load() == word) [[likely]] return true;
    }
    const std::uint64_t generation = state_word{word}.generation();
    if (clean) {
      conclude(generation, {.judging = true, .asks_clean = true}, out, now);
    } else {
      settle_closed({.is = grant::kind::call, .generation = generation}, false, out, now, by);
    }
    if (out.late) bump(header_.late_results);
    return true;
  }

  /// Makes the transition that is due, if one is: open → half-open, or the end of an override.
  transitions advance(nanos now, std::uint64_t generation = any_generation) noexcept;
  static constexpr std::uint64_t any_generation = ~std::uint64_t{0};

  transitions trip(nanos now) noexcept;
  /// `end` is the time at which it ends, or -1. True in `renewed` when the same override was in force and got a new end;
  /// `generation` is told which one it is in force in, if that is wanted and it came about.
  transitions override_with(state forced_or_disabled, nanos end, nanos now, bool& renewed,
                            std::uint64_t* generation = nullptr) noexcept;
  transitions release(nanos now) noexcept;
  transitions reset(nanos now) noexcept;
  void reset_metrics() noexcept;

  // --- for those who decide for many blocks; each acts only while the block is in `generation` ---

  /// An open period that was decided elsewhere.
  struct opening {
    nanos until = 0;
    std::uint32_t attempt = 0;
    std::uint32_t failure_count = 0;
  };
  /// Opens a closed or half-open circuit; of an open one the end of the period and the attempt become these, without a
  /// transition. True when the circuit is as wanted.
  bool impose_open(std::uint64_t generation, const opening& what, nanos now, transitions& out) noexcept;
  /// Closes an open or half-open circuit as recovered; with a share below ramp_word::whole the rest of the calls is turned
  /// away until set_share says more. False when it was neither.
  bool impose_closed(std::uint64_t generation, std::uint32_t share, nanos now, transitions& out) noexcept;
  /// Another share for a ramping circuit; ramp_word::whole ends the ramp. False when it is not ramping.
  bool set_share(std::uint64_t generation, std::uint32_t share) noexcept;
  /// Says that whoever conducts is there: gate and ramp count for conductor_patience from `now` on.
  void conduct(nanos now) noexcept;
  /// Compare and swap; see gate_word. Only one may conduct a block at a time.
  bool set_gate(gate_word expected, gate_word next) noexcept {
    return header_.gate.compare_exchange_strong(expected.bits, next.bits);
  }
  /// The facts of the present generation, as far as they are published.
  [[nodiscard]] facts known_facts() const noexcept { return read_facts(now_in()); }
  [[nodiscard]] gate_word gate() const noexcept { return {header_.gate.load()}; }
  /// Whether rules 2 to 4 hold for a window of these totals, as a transition with the rule and its numbers.
  [[nodiscard]] bool would_trip(const window_totals& held, transition& why) const noexcept;

  /// To be called when the settings of the block have changed: nothing may be taken for granted any more.
  void reconfigured() noexcept;

  [[nodiscard]] observation observe(nanos now) const noexcept;
  [[nodiscard]] state observed_state(nanos now) const noexcept;
  [[nodiscard]] totals metrics() const noexcept;

  /// Takes up a saved state as the generation after `generation`. Only for a block that nobody else uses yet.
  struct saved_core {
    switchgear::state state = state::closed;
    std::uint64_t generation = 0;
    std::uint64_t count = 0;
    facts known;
  };
  transition restore(const saved_core& saved, nanos now) noexcept;

 private:
  enum fact : std::uint8_t { fact_attempts, fact_closed_at, fact_since, fact_until, fact_end };

  /// The numbers of a transition that only its maker knows; who finishes it for him computes them as well as he can.
  struct outcome {
    nanos until = -1;
    std::uint32_t failure_count = 0;
    bool known = false;
    bool imposed = false;  ///< `until` and `attempt` are not to be computed
    std::uint32_t attempt = 0;
  };
  struct evidence {
    std::uint64_t observed = 0, limit = 0, calls = 0;
  };

  [[nodiscard]] word_type& fact_word(std::uint8_t which) const noexcept {
    return which == fact_attempts    ? header_.attempts
           : which == fact_closed_at ? header_.closed_at
           : which == fact_since     ? header_.since
                                     : header_.until;
  }
  [[nodiscard]] state_word now_in() const noexcept { return {header_.word.load()}; }
  [[nodiscard]] static bool is_for(std::uint64_t fact, state_word w) noexcept {
    return (fact & 15) == (w.generation() & 15);
  }
  [[nodiscard]] std::uint64_t plan(std::uint8_t which, std::uint64_t before, state_word w, nanos now,
                                   const outcome& known) const noexcept;
  void publish(state_word w, nanos now, const outcome& known = {}) noexcept;
  [[nodiscard]] facts read_facts(state_word w) const noexcept;
  [[nodiscard]] std::uint32_t attempt_after(state_word w, std::uint32_t before, nanos closed_at, nanos now) const noexcept;
  [[nodiscard]] nanos open_period(std::uint32_t attempt, std::uint64_t generation) const noexcept;

  /// One try at a transition out of `seen`; when it succeeds its facts are published and it is added to `out`.
  bool move(state_word seen, state to, cause c, trigger why, nanos now, transitions& out, outcome known = {},
            evidence numbers = {}) noexcept;
  /// Makes the transition that is due, if one is; the word after it.
  state_word settle_due(nanos now, transitions& out, std::uint64_t generation = any_generation) noexcept;
  [[nodiscard]] bool is_due(state_word w, const facts& known, nanos now) const noexcept;

  enum class claim : std::uint8_t { taken, full };
  /// What the gate says to one who wants a probe: `was` is the offer that was taken, if one was.
  enum class pass : std::uint8_t { free, taken, refused };
  pass pass_gate(nanos now, gate_word& was) noexcept;
  /// Gives an offer back that was taken in vain.
  void step_back(pass p, gate_word was) noexcept;
  /// Tells the gate how its probe ended.
  void tell_gate(const grant& permit, gate_word::phase end) noexcept;
  [[nodiscard]] bool ramp_admits(nanos now) noexcept;
  [[nodiscard]] nanos conducted_until() const noexcept { return static_cast<nanos>(header_.conducted_until.load()); }
  [[nodiscard]] bool is_conducted(gate_word g, nanos now) const noexcept { return !g.off() && now < conducted_until(); }
  claim claim_slot(std::uint64_t generation, nanos now, grant& out, bool& expired) noexcept;
  void release_slot(const grant& permit) noexcept;
  [[nodiscard]] probe_slot<Atomic>& slot_at(std::uint32_t index) const noexcept;
  [[nodiscard]] nanos lease_of(probe_slot<Atomic>& slot, slot_tag tag, nanos now) noexcept;
  [[nodiscard]] std::uint32_t probes_in_flight(std::uint64_t generation, nanos now) const noexcept;

  void refuse(acquired& out, rejection_reason reason, nanos retry_after, nanos now, lane_choice by) noexcept;
  void settle_closed(const grant& permit, bool failed, settled& out, nanos now, lane_choice by) noexcept;
  /// What is left of a verdict in a closed circuit when the window has it: judging, counting, and the clean flag.
  struct pushed_verdict {
    bool failed = false;
    bool evident = false;  ///< a failure or slow
    bool judging = false;
    bool asks_clean = false;
  };
  void conclude(std::uint64_t generation, pushed_verdict v, settled& out, nanos now) noexcept;
  void settle_probe(const grant& permit, bool failed, settled& out, nanos now) noexcept;
  void give_back(const grant& permit, settled& out, nanos now) noexcept;

  struct judgement {
    bool fires = false;
    trigger why = trigger::consecutive_failures;
    std::uint32_t failure_count = 0;
    evidence numbers;
  };
  [[nodiscard]] judgement judge(std::uint64_t generation, std::uint64_t consecutive, nanos now) const noexcept;
  [[nodiscard]] judgement judge(const window_totals& held) const noexcept;
  [[nodiscard]] bool may_be_clean(std::uint64_t generation, nanos now) const noexcept;
  void withdraw_clean() noexcept;
  [[nodiscard]] window_totals window(std::uint64_t generation, nanos now) const noexcept;
  [[nodiscard]] count_window<Atomic> counted() const noexcept { return {window_, settings_.window_calls}; }
  [[nodiscard]] time_window<Atomic> timed() const noexcept {
    return {window_, settings_, lane_count_};
  }
  static void bump(word_type& counter) noexcept { counter.fetch_add(1, std::memory_order_relaxed); }
  static void bump(word_type& own, word_type& shared, lane_choice by) noexcept {
    if (by.exclusive) {
      own.store(own.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);  // single writer
    } else {
      bump(shared);
    }
  }

  header& header_;
  lane* lanes_;
  std::uint32_t lane_count_;
  word_type* window_;
  const slot_segment<Atomic>* slots_;
  const settings& settings_;
  std::uint64_t seed_;
};

using block = block_header<std::atomic>;
using real_machine = basic_machine<std::atomic>;

}  // namespace switchgear::inline v1::machine

#include <switchgear/machine/transitions.ipp>
#include <switchgear/machine/calls.ipp>
#include <switchgear/machine/outside.ipp>

namespace switchgear::inline v1::machine {
extern template class basic_machine<std::atomic>;
}  // namespace switchgear::inline v1::machine
