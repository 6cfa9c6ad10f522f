// SPDX-License-Identifier: Apache-2.0
// What somebody outside decides for a block: the gate, the ramp, imposed openings and closings.
#include <switchgear/machine/describe.hpp>
#include <switchgear/machine/storage.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <string>

namespace {

using namespace std::chrono_literals;
namespace sg = switchgear;
namespace m = switchgear::machine;
using phase = m::gate_word::phase;
using sg::rejection_reason;
using sg::state;
using sg::verdict;

constexpr m::nanos second = 1'000'000'000;

class circuit {
 public:
  explicit circuit(const sg::config& c) : block(m::resolve(c), 1, 1) {}
  m::real_machine machine() { return block.machine(); }
  m::acquired acquire() { return machine().acquire(now, lane_); }
  m::settled settle(const m::grant& g, verdict v) { return machine().settle(g, v, now, lane_); }
  void call(verdict v) { settle(acquire().permit, v); }
  [[nodiscard]] m::observation seen() const { return block.machine().observe(now); }
  [[nodiscard]] std::uint64_t generation() { return m::state_word{block.header().word.load()}.generation(); }
  [[nodiscard]] m::gate_word gate() { return machine().gate(); }
  void set_gate(phase p, m::nanos until = 0) {
    machine().conduct(now);
    ASSERT_TRUE(machine().set_gate(gate(), m::gate_word::make(p, until)));
  }
  /// Half-open, conducted from outside, with nothing offered.
  void shut() {
    call(verdict::failure);
    now += second;
    set_gate(phase::shut);
  }
  bool impose_closed(std::uint32_t share) {
    m::transitions out;
    return machine().impose_closed(generation(), share, now, out);
  }

  m::basic_storage<std::atomic> block;
  m::nanos now = 0;

 private:
  static constexpr m::lane_choice lane_{.lane = 0, .exclusive = true};
};

sg::config fragile(std::int64_t successes = 1, std::int64_t probes = 3) {
  return {.failure_threshold = 1,
          .open_duration = 1s,
          .half_open_max_calls = probes,
          .success_threshold = successes,
          .probe_timeout = 2s};
}

bool admitted(const m::acquired& got) { return got.permit.is != m::grant::kind::none; }

TEST(gate, shut_admits_no_probe_and_the_circuit_is_half_open_all_the_same) {
  circuit c(fragile());
  c.shut();
  const m::acquired got = c.acquire();
  EXPECT_FALSE(admitted(got));
  EXPECT_EQ(got.rejection.reason, rejection_reason::half_open_limit);
  EXPECT_EQ(got.rejection.retry_after, 0);
  ASSERT_EQ(got.changes.count, 1);
  EXPECT_EQ(got.changes.items[0].to, state::half_open);
  EXPECT_EQ(c.seen().retry_after, 0);
  EXPECT_EQ(c.seen().probes_in_flight, 0u);
}

TEST(gate, shut_does_not_shorten_the_open_period) {
  circuit c(fragile());
  c.call(verdict::failure);
  c.set_gate(phase::shut);
  EXPECT_EQ(c.acquire().rejection.reason, rejection_reason::open);
}

TEST(gate, an_offer_admits_one_probe_whatever_the_limit_is) {
  circuit c(fragile());
  c.shut();
  c.set_gate(phase::offered, c.now + second);
  const m::acquired probe = c.acquire();
  EXPECT_EQ(probe.permit.is, m::grant::kind::probe);
  EXPECT_EQ(c.gate(), m::gate_word::make(phase::taken, c.now + 2 * second));
  EXPECT_FALSE(admitted(c.acquire()));
}

TEST(gate, an_offer_that_ended_admits_none) {
  circuit c(fragile());
  c.shut();
  c.set_gate(phase::offered, c.now + second);
  c.now += second;
  EXPECT_FALSE(admitted(c.acquire()));
  EXPECT_EQ(c.gate().is(), phase::offered);
}

TEST(gate, a_success_is_told_and_does_not_close_the_circuit) {
  circuit c(fragile(1));
  c.shut();
  c.set_gate(phase::offered, c.now + second);
  c.settle(c.acquire().permit, verdict::success);
  EXPECT_EQ(c.gate().is(), phase::succeeded);
  EXPECT_EQ(c.seen().state, state::half_open);
  EXPECT_EQ(c.seen().half_open_successes, 1u);
  EXPECT_EQ(c.seen().probes_in_flight, 0u);
}

TEST(gate, a_failure_is_told_and_reopens_at_once) {
  circuit c(fragile());
  c.shut();
  c.set_gate(phase::offered, c.now + second);
  c.settle(c.acquire().permit, verdict::failure);
  EXPECT_EQ(c.gate().is(), phase::failed);
  EXPECT_EQ(c.seen().state, state::open);
  EXPECT_EQ(c.seen().facts.attempt, 1u);
}

TEST(gate, a_probe_without_evidence_is_told) {
  for (const verdict v : {verdict::ignored, verdict::abandoned}) {
    circuit c(fragile());
    c.shut();
    c.set_gate(phase::offered, c.now + second);
    c.settle(c.acquire().permit, v);
    EXPECT_EQ(c.gate().is(), phase::returned);
    EXPECT_EQ(c.seen().state, state::half_open);
  }
}

TEST(gate, a_verdict_after_the_lease_tells_nothing) {
  for (const verdict v : {verdict::success, verdict::failure, verdict::ignored}) {
    circuit c(fragile());
    c.shut();
    c.set_gate(phase::offered, c.now + second);
    const m::grant probe = c.acquire().permit;
    c.now += 2 * second;
    c.machine().conduct(c.now);
    c.settle(probe, v);
    EXPECT_EQ(c.gate().is(), phase::taken);
    EXPECT_EQ(c.seen().state, state::half_open);
  }
}

TEST(gate, a_probe_from_before_tells_nothing_of_the_one_that_was_offered) {
  circuit c(fragile(2));
  c.call(verdict::failure);
  c.now = second;
  const m::grant own = c.acquire().permit;
  c.set_gate(phase::shut);
  c.set_gate(phase::offered, c.now + second);
  const m::grant offered = c.acquire().permit;
  ASSERT_EQ(offered.is, m::grant::kind::probe);
  c.settle(own, verdict::ignored);
  EXPECT_EQ(c.gate().is(), phase::taken);
  c.settle(offered, verdict::ignored);
  EXPECT_EQ(c.gate().is(), phase::returned);
}

TEST(gate, a_probe_that_was_given_up_tells_nothing_of_the_next_one) {
  circuit c(fragile(2));
  c.shut();
  c.set_gate(phase::offered, c.now + second);
  const m::grant given_up = c.acquire().permit;
  c.set_gate(phase::off);
  c.now += 10;
  c.set_gate(phase::offered, c.now + second);
  const m::grant next = c.acquire().permit;
  ASSERT_EQ(next.is, m::grant::kind::probe);
  c.settle(given_up, verdict::success);
  EXPECT_EQ(c.gate().is(), phase::taken);
  c.settle(next, verdict::success);
  EXPECT_EQ(c.gate().is(), phase::succeeded);
}

TEST(gate, an_offer_that_finds_every_slot_taken_stands) {
  circuit c(fragile(2, 1));
  c.call(verdict::failure);
  c.now = second;
  const m::grant own = c.acquire().permit;
  c.set_gate(phase::shut);
  c.set_gate(phase::offered, c.now + second);
  EXPECT_FALSE(admitted(c.acquire()));
  EXPECT_EQ(c.gate().is(), phase::offered);
  c.settle(own, verdict::ignored);
  EXPECT_TRUE(admitted(c.acquire()));
}

TEST(gate, off_again_leaves_the_machine_to_its_own_rules) {
  circuit c(fragile(2));
  c.shut();
  c.set_gate(phase::offered, c.now + second);
  c.settle(c.acquire().permit, verdict::success);
  c.set_gate(phase::off);
  c.call(verdict::success);
  EXPECT_EQ(c.seen().state, state::closed);
}

TEST(gate, who_conducts_and_is_not_heard_of_any_more_holds_nobody_up) {
  circuit c(fragile(1));
  c.shut();
  c.now += m::conductor_patience - 1;
  EXPECT_FALSE(admitted(c.acquire()));
  c.now += 1;
  c.call(verdict::success);
  EXPECT_EQ(c.seen().state, state::closed);
}

TEST(ramp, admits_its_share_spread_evenly) {
  circuit c(fragile());
  c.shut();
  ASSERT_TRUE(c.impose_closed(300'000));
  std::string pattern;
  for (int i = 0; i < 20; ++i) pattern += admitted(c.acquire()) ? '+' : '.';
  EXPECT_EQ(pattern, "...+..+..+...+..+..+");
  EXPECT_EQ(c.seen().state, state::closed);
}

TEST(ramp, what_it_turns_away_is_rejected_and_is_no_evidence) {
  circuit c(fragile());
  c.shut();
  ASSERT_TRUE(c.impose_closed(1));
  const m::acquired got = c.acquire();
  EXPECT_EQ(got.rejection.reason, rejection_reason::ramp);
  EXPECT_EQ(got.rejection.retry_after, 0);
  EXPECT_EQ(c.block.machine().metrics().rejections, 1u);
  EXPECT_EQ(c.seen().window.calls, 0u);
}

TEST(ramp, grows_and_ends) {
  circuit c({.failure_threshold = 1, .window = sg::calls(4), .open_duration = 1s});
  c.shut();
  ASSERT_TRUE(c.impose_closed(500'000));
  EXPECT_TRUE(c.machine().set_share(c.generation(), 750'000));
  int let_in = 0;
  for (int i = 0; i < 100; ++i) let_in += admitted(c.acquire()) ? 1 : 0;
  EXPECT_EQ(let_in, 75);
  EXPECT_TRUE(c.machine().set_share(c.generation(), m::ramp_word::whole));
  for (int i = 0; i < 100; ++i) EXPECT_TRUE(admitted(c.acquire()));
  EXPECT_FALSE(c.machine().set_share(c.generation(), 500'000)) << "it ramps no more";
}

TEST(ramp, calls_that_succeed_do_not_take_the_way_of_the_healthy_before_it_ends) {
  circuit c({.failure_threshold = 1, .window = sg::calls(2), .open_duration = 1s});
  c.shut();
  ASSERT_TRUE(c.impose_closed(999'999));
  for (int i = 0; i < 10; ++i) c.call(verdict::success);
  EXPECT_FALSE(m::state_word{c.block.header().word.load()}.clean());
  ASSERT_TRUE(c.machine().set_share(c.generation(), m::ramp_word::whole));
  for (int i = 0; i < 10; ++i) c.call(verdict::success);
  EXPECT_TRUE(m::state_word{c.block.header().word.load()}.clean());
}

TEST(ramp, a_failure_in_it_trips_and_counts_as_a_failed_recovery) {
  circuit c(fragile());
  c.shut();
  ASSERT_TRUE(c.impose_closed(999'999));
  c.call(verdict::success);  // the first of a million is turned away
  c.call(verdict::failure);
  EXPECT_EQ(c.seen().state, state::open);
  EXPECT_EQ(c.seen().facts.attempt, 1u);
}

TEST(ramp, who_conducts_and_is_not_heard_of_any_more_holds_nobody_up) {
  circuit c(fragile());
  c.shut();
  ASSERT_TRUE(c.impose_closed(1));
  EXPECT_FALSE(admitted(c.acquire()));
  c.now += m::conductor_patience;
  EXPECT_TRUE(admitted(c.acquire()));
}

TEST(imposed_opening, opens_a_closed_circuit_with_the_given_end_and_attempt) {
  circuit c(fragile());
  m::transitions out;
  ASSERT_TRUE(c.machine().impose_open(0, {.until = 7 * second, .attempt = 3, .failure_count = 5}, 10, out));
  ASSERT_EQ(out.count, 1);
  EXPECT_EQ(out.items[0].trigger, m::trigger::fleet_opened);
  EXPECT_EQ(out.items[0].until, 7 * second);
  EXPECT_EQ(out.items[0].failure_count, 5u);
  c.now = 10;
  EXPECT_EQ(c.seen().retry_after, 7 * second - 10);
  EXPECT_EQ(c.seen().facts.attempt, 3u);
  EXPECT_EQ(m::describe(out.items[0], "fleet: web-1 opened"), "fleet: web-1 opened");
}

TEST(imposed_opening, moves_the_end_of_an_open_circuit_without_a_transition) {
  circuit c(fragile());
  c.call(verdict::failure);
  m::transitions out;
  ASSERT_TRUE(c.machine().impose_open(1, {.until = 9 * second, .attempt = 2, .failure_count = 4}, 10, out));
  EXPECT_EQ(out.count, 0);
  EXPECT_EQ(c.generation(), 1u);
  EXPECT_EQ(c.seen().facts.until, 9 * second);
  EXPECT_EQ(c.seen().facts.attempt, 2u);
  EXPECT_EQ(c.seen().facts.failure_count, 4u);
}

TEST(imposed_opening, acts_in_its_generation_alone) {
  circuit c(fragile());
  m::transitions out;
  EXPECT_FALSE(c.machine().impose_open(1, {.until = second}, 0, out));
  EXPECT_FALSE(c.machine().impose_closed(0, m::ramp_word::whole, 0, out)) << "a closed circuit has nothing to close";
  EXPECT_EQ(out.count, 0);
  EXPECT_EQ(c.seen().state, state::closed);
}

TEST(imposed_opening, leaves_an_override_alone) {
  circuit c(fragile());
  bool renewed = false;
  c.machine().override_with(state::forced_open, -1, 0, renewed);
  m::transitions out;
  EXPECT_FALSE(c.machine().impose_open(1, {.until = second}, 0, out));
  EXPECT_EQ(c.seen().state, state::forced_open);
}

TEST(imposed_closing, closes_as_recovered) {
  circuit c(fragile());
  c.shut();
  ASSERT_TRUE(c.impose_closed(m::ramp_word::whole));
  EXPECT_EQ(c.seen().state, state::closed);
  EXPECT_EQ(c.seen().facts.closed_at, c.now);
  EXPECT_TRUE(admitted(c.acquire()));
}

TEST(imposed_closing, makes_the_probes_of_before_late) {
  circuit c(fragile());
  c.shut();
  c.set_gate(phase::offered, c.now + second);
  const m::grant probe = c.acquire().permit;
  ASSERT_TRUE(c.impose_closed(m::ramp_word::whole));
  EXPECT_TRUE(c.settle(probe, verdict::failure).late);
  EXPECT_EQ(c.seen().state, state::closed);
}

TEST(judging_for_others, holds_any_window_against_the_rules) {
  circuit c({.failure_threshold = 0, .window = sg::calls(10), .minimum_calls = 4, .failure_rate_threshold = 0.5});
  m::transition why;
  EXPECT_FALSE(c.machine().would_trip({.calls = 3, .failures = 3}, why));
  EXPECT_FALSE(c.machine().would_trip({.calls = 100, .failures = 49}, why));
  ASSERT_TRUE(c.machine().would_trip({.calls = 100, .failures = 50}, why));
  EXPECT_EQ(m::describe(why), "50 of 100 calls failed (50%, threshold 50%)");
}

}  // namespace
