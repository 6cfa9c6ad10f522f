// SPDX-License-Identifier: Apache-2.0
// What other circuit breakers got wrong, one test for each trap that concerns the machine. The numbers are those of the
// list of traps in the architecture; those missing here concern other parts.
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
using sg::state;
using sg::verdict;

constexpr m::nanos second = 1'000'000'000;

class circuit {
 public:
  explicit circuit(const sg::config& c) : block(m::resolve(c), 1, 1) {}
  m::acquired acquire() { return block.machine().acquire(now, lane_); }
  m::grant permit() { return acquire().permit; }
  m::settled settle(const m::grant& g, verdict v) { return block.machine().settle(g, v, now, lane_); }
  m::settled call(verdict v) { return settle(permit(), v); }
  [[nodiscard]] m::observation seen() const { return block.machine().observe(now); }
  [[nodiscard]] m::totals counted() const { return block.machine().metrics(); }

  m::basic_storage<std::atomic> block;
  m::nanos now = 0;

 private:
  static constexpr m::lane_choice lane_{.lane = 0, .exclusive = true};
};

sg::config fragile(std::int64_t successes = 2, std::int64_t probes = 1) {
  return {.failure_threshold = 1,
          .open_duration = 1s,
          .half_open_max_calls = probes,
          .success_threshold = successes,
          .probe_timeout = 5s};
}

bool admitted(const m::acquired& got) { return got.permit.is != m::grant::kind::none; }

TEST(traps, t01_a_late_result_of_an_older_generation_does_not_decide_half_open) {
  circuit c(fragile(1));
  const m::grant old_success = c.permit(), old_failure = c.permit();
  c.call(verdict::failure);
  c.now = second;
  const m::grant probe = c.permit();
  ASSERT_EQ(c.seen().state, state::half_open);
  EXPECT_TRUE(c.settle(old_success, verdict::success).late);
  EXPECT_TRUE(c.settle(old_failure, verdict::failure).late);
  EXPECT_EQ(c.seen().state, state::half_open);
  EXPECT_EQ(c.seen().half_open_successes, 0u);
  c.settle(probe, verdict::success);
  EXPECT_EQ(c.seen().state, state::closed);
}

TEST(traps, t02_an_ignored_or_abandoned_probe_leaks_no_slot) {
  circuit c(fragile());
  c.call(verdict::failure);
  c.now = second;
  for (const verdict v : {verdict::ignored, verdict::abandoned, verdict::ignored, verdict::abandoned}) {
    const m::acquired probe = c.acquire();
    ASSERT_TRUE(admitted(probe));
    EXPECT_FALSE(admitted(c.acquire()));
    c.settle(probe.permit, v);
    EXPECT_EQ(c.seen().probes_in_flight, 0u);
  }
  EXPECT_EQ(c.seen().state, state::half_open);
}

TEST(traps, t02_a_success_or_failure_of_a_probe_leaks_no_slot) {
  circuit c(fragile(3));
  c.call(verdict::failure);
  c.now = second;
  c.call(verdict::success);
  c.call(verdict::timeout);
  c.now = 2 * second;
  EXPECT_TRUE(admitted(c.acquire()));
}

TEST(traps, t03_a_lost_probe_does_not_wedge_half_open_for_ever) {
  circuit c(fragile(1));
  c.call(verdict::failure);
  c.now = second;
  const m::grant lost = c.permit();
  c.now = 6 * second - 1;
  EXPECT_FALSE(admitted(c.acquire()));
  c.now = 6 * second;
  const m::acquired next = c.acquire();
  ASSERT_TRUE(admitted(next));
  EXPECT_TRUE(next.expired_probe);
  EXPECT_EQ(c.counted().expired_probes, 1u);
  EXPECT_TRUE(c.settle(lost, verdict::failure).late);
  EXPECT_EQ(c.seen().state, state::half_open);
  c.settle(next.permit, verdict::success);
  EXPECT_EQ(c.seen().state, state::closed);
}

TEST(traps, t04_a_success_threshold_above_half_open_max_calls_still_closes) {
  circuit c(fragile(3, 1));
  c.call(verdict::failure);
  c.now = second;
  for (int i = 0; i < 3; ++i) c.call(verdict::success);
  EXPECT_EQ(c.seen().state, state::closed);
}

TEST(traps, t05_the_call_that_makes_the_transition_is_one_of_the_probes) {
  for (std::int64_t limit = 1; limit <= 3; ++limit) {
    circuit c(fragile(9, limit));
    c.call(verdict::failure);
    c.now = second;
    int passed = 0;
    for (int i = 0; i < 10; ++i) passed += admitted(c.acquire());
    EXPECT_EQ(passed, limit);
  }
}

TEST(traps, t06_giving_a_slot_back_twice_mints_no_permit) {
  circuit c(fragile(9, 1));
  c.call(verdict::failure);
  c.now = second;
  const m::grant first = c.permit();
  c.settle(first, verdict::ignored);
  const m::grant second_probe = c.permit();
  ASSERT_EQ(second_probe.is, m::grant::kind::probe);
  c.settle(first, verdict::ignored);  // not something a permit can do; a slot answers to its ticket alone
  c.settle(first, verdict::success);
  EXPECT_FALSE(admitted(c.acquire()));
  EXPECT_EQ(c.seen().probes_in_flight, 1u);
}

TEST(traps, t07_a_rejection_is_no_failure_and_does_not_extend_the_open_time) {
  circuit c(fragile());
  c.call(verdict::failure);
  for (c.now = 1; c.now < 100; ++c.now) EXPECT_EQ(c.acquire().rejection.retry_after, second - c.now);
  EXPECT_EQ(c.counted().failures, 1u);
  EXPECT_EQ(c.counted().rejections, 99u);
  c.now = second;
  EXPECT_TRUE(admitted(c.acquire()));
}

TEST(traps, t08_a_late_failure_does_not_extend_open_and_a_late_success_does_not_close_it) {
  circuit c(fragile());
  const m::grant a = c.permit(), b = c.permit();
  c.call(verdict::failure);
  c.now = second / 2;
  EXPECT_TRUE(c.settle(a, verdict::failure).late);
  EXPECT_TRUE(c.settle(b, verdict::success).late);
  EXPECT_EQ(c.seen().state, state::open);
  EXPECT_EQ(c.seen().retry_after, second / 2);
  EXPECT_EQ(c.counted().late_results, 2u);
}

TEST(traps, t09_a_reset_leaves_no_timer_of_before) {
  circuit c(fragile());
  c.call(verdict::failure);
  c.now = second / 2;
  c.block.machine().reset(c.now);
  EXPECT_EQ(c.seen().state, state::closed);
  c.call(verdict::failure);
  c.now = second;  // the end of the first open period
  EXPECT_EQ(c.seen().state, state::open);
  EXPECT_FALSE(admitted(c.acquire()));
  c.now = second + second / 2;
  EXPECT_TRUE(admitted(c.acquire()));
}

TEST(traps, t10_an_open_state_without_its_deadline_yet_is_not_past_it) {
  // The word says open and the thread that made it so has gone before it wrote the deadline.
  circuit c(fragile());
  c.now = 100 * second;
  c.block.header().word.store(m::state_word::make(state::open, 1, m::cause::none, 1).bits);
  EXPECT_EQ(c.seen().state, state::open);
  EXPECT_EQ(c.block.machine().observed_state(c.now), state::open);
  EXPECT_EQ(c.acquire().rejection.retry_after, second);
  EXPECT_EQ(c.seen().facts.until, 101 * second);
  c.now = 101 * second;
  EXPECT_TRUE(admitted(c.acquire()));
}

TEST(traps, t13_a_transition_carries_the_numbers_of_its_own_moment) {
  circuit c(fragile(1));
  const m::settled opened = c.call(verdict::failure);
  c.now = second;
  const m::acquired probe = c.acquire();
  const m::settled reopened = c.settle(probe.permit, verdict::failure);
  c.block.machine().reset(c.now);
  ASSERT_EQ(opened.changes.count, 1);
  EXPECT_EQ(opened.changes.items[0].failure_count, 1u);
  EXPECT_EQ(opened.changes.items[0].generation, 1u);
  EXPECT_EQ(opened.changes.items[0].until, second);
  ASSERT_EQ(probe.changes.count, 1);
  EXPECT_EQ(probe.changes.items[0].generation, 2u);
  ASSERT_EQ(reopened.changes.count, 1);
  EXPECT_EQ(reopened.changes.items[0].failure_count, 2u);
  EXPECT_EQ(reopened.changes.items[0].generation, 3u);
  EXPECT_EQ(m::describe(opened.changes.items[0]), "1 consecutive failure (threshold 1)");
}

TEST(traps, t14_every_bucket_that_aged_in_an_idle_gap_is_empty) {
  for (const m::nanos gap : {10 * second, 11 * second, 19 * second, 1000 * second}) {
    circuit c({.failure_threshold = 0, .window = sg::last(10s), .window_buckets = 10, .failure_count_threshold = 20});
    for (int i = 0; i < 10; ++i) {
      c.now = i * second;
      c.call(verdict::failure);
    }
    EXPECT_EQ(c.seen().window.failures, 10u);
    c.now = 9 * second + gap;
    EXPECT_EQ(c.seen().window.calls, 0u) << gap;
    c.call(verdict::failure);
    EXPECT_EQ(c.seen().window.failures, 1u) << gap;
  }
}

TEST(traps, t15_the_consecutive_count_does_not_decay_with_the_window) {
  circuit c({.failure_threshold = 3, .window = sg::last(1s)});
  c.call(verdict::failure);
  c.now += 100 * second;
  c.call(verdict::failure);
  c.now += 100 * second;
  EXPECT_EQ(c.seen().consecutive_failures, 2u);
  c.call(verdict::failure);
  EXPECT_EQ(c.seen().state, state::open);
}

TEST(traps, t16_a_rate_of_all_calls_can_be_reached) {
  circuit c({.failure_threshold = 0, .window = sg::calls(4), .minimum_calls = 4, .failure_rate_threshold = 1.0});
  for (int i = 0; i < 4; ++i) {
    EXPECT_EQ(c.seen().state, state::closed);
    c.call(verdict::failure);
  }
  EXPECT_EQ(c.seen().state, state::open);
}

TEST(traps, t17_the_minimum_is_judged_on_successes_too) {
  circuit c({.failure_threshold = 0, .window = sg::calls(10), .minimum_calls = 4, .failure_rate_threshold = 0.5});
  c.call(verdict::failure);
  c.call(verdict::failure);
  c.call(verdict::success);
  EXPECT_EQ(c.seen().state, state::closed);
  c.call(verdict::success);
  EXPECT_EQ(c.seen().state, state::open);
}

TEST(traps, t18_what_is_ignored_does_not_pollute_the_rate) {
  circuit c({.failure_threshold = 0, .window = sg::calls(10), .minimum_calls = 2, .failure_rate_threshold = 0.5});
  for (int i = 0; i < 100; ++i) c.call(verdict::ignored);
  c.call(verdict::failure);
  EXPECT_EQ(c.seen().window.calls, 1u);
  EXPECT_EQ(c.seen().state, state::closed);
  c.call(verdict::success);
  EXPECT_EQ(c.seen().state, state::open);
}

TEST(traps, t19_in_shadow_every_opening_is_told_not_only_the_first) {
  sg::config config = fragile(1);
  config.shadow = true;
  circuit c(config);
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(c.call(verdict::failure).changes.count, 1);
    EXPECT_TRUE(admitted(c.acquire()));
    c.now += second;
    const m::acquired probe = c.acquire();
    EXPECT_EQ(probe.changes.count, 1);
    EXPECT_EQ(c.settle(probe.permit, verdict::success).changes.count, 1);
  }
  EXPECT_EQ(c.counted().transitions, 9u);
  EXPECT_EQ(c.counted().would_reject, 3u);
}

TEST(traps, t20_ignored_calls_open_nothing) {
  circuit c(fragile());
  for (int i = 0; i < 1000; ++i) c.call(verdict::ignored);
  EXPECT_EQ(c.seen().state, state::closed);
  EXPECT_EQ(c.seen().consecutive_failures, 0u);
  EXPECT_EQ(c.counted().ignored, 1000u);
}

TEST(traps, t21_zero_is_zero_and_not_the_default) {
  sg::config config = fragile();
  config.open_duration = 0ns;
  config.probe_timeout = 0ns;
  circuit c(config);
  c.call(verdict::failure);
  EXPECT_EQ(c.seen().state, state::half_open);
  ASSERT_TRUE(admitted(c.acquire()));
  c.now = 1'000'000 * second;  // a lease that never ends
  EXPECT_FALSE(admitted(c.acquire()));
  circuit off({.failure_threshold = 0, .failure_count_threshold = 1000});
  for (int i = 0; i < 100; ++i) off.call(verdict::failure);
  EXPECT_EQ(off.seen().state, state::closed);
}

TEST(traps, t24_counters_do_not_go_down) {
  circuit c(fragile(1));
  c.call(verdict::success);
  c.call(verdict::failure);
  c.acquire();
  const m::totals before = c.counted();
  c.block.machine().reset(c.now);
  c.block.reconfigure(m::resolve({.window = sg::calls(3)}));
  const m::totals after = c.counted();
  EXPECT_EQ(after.successes, before.successes);
  EXPECT_EQ(after.failures, before.failures);
  EXPECT_EQ(after.rejections, before.rejections);
  EXPECT_EQ(after.transitions, before.transitions + 1);
}

TEST(traps, t27_statistics_can_be_had_in_every_state) {
  circuit c(fragile());
  bool renewed = false;
  for (const state s : {state::closed, state::open, state::half_open, state::forced_open, state::disabled}) {
    if (s == state::open) c.call(verdict::failure);
    if (s == state::half_open) c.now += second, c.acquire();
    if (s == state::forced_open || s == state::disabled) c.block.machine().override_with(s, -1, c.now, renewed);
    EXPECT_EQ(c.seen().state, s);
    EXPECT_EQ(c.counted().failures, s == state::closed ? 0u : 1u);
  }
}

}  // namespace
