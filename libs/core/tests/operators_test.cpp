// SPDX-License-Identifier: Apache-2.0
#include "support/shell.hpp"

namespace {

using namespace shell;

TEST(trip, opens_by_hand_with_the_reason_given) {
  small_breaker t;
  t.breaker.trip("bad deploy");
  EXPECT_TRUE(t.breaker.is_open());
  EXPECT_EQ(t.breaker.history().back().reason, "bad deploy");
  t.clock.advance(30s);
  EXPECT_TRUE(t.breaker.is_half_open());
}

TEST(trip, does_nothing_to_a_circuit_that_is_open) {
  small_breaker t;
  t.open();
  t.clock.advance(10s);
  t.breaker.trip();
  EXPECT_EQ(t.breaker.snapshot().retry_after, 20s);
  EXPECT_EQ(t.breaker.history().size(), 1u);
}

TEST(force_open, rejects_until_it_is_released) {
  small_breaker t;
  t.breaker.force_open("maintenance", "alice");
  t.clock.advance(24h);
  EXPECT_TRUE(t.breaker.is_forced_open());
  const auto refused = t.breaker.try_acquire();
  EXPECT_FALSE(refused);
  EXPECT_EQ(refused.rejection().reason, sg::rejection_reason::forced_open);
  EXPECT_FALSE(refused.rejection().retry_after);
  t.breaker.release();
  EXPECT_TRUE(t.breaker.is_closed());
}

TEST(force_open, shows_who_holds_it_why_and_until_when) {
  small_breaker t;
  t.breaker.force_open("maintenance", "alice", 10min);
  const auto until = t.breaker.snapshot().operator_override.value();
  EXPECT_EQ(until.owner, "alice");
  EXPECT_EQ(until.reason, "maintenance");
  const auto in = until.until.value() - std::chrono::system_clock::now();
  EXPECT_GT(in, 9min);
  EXPECT_LE(in, 10min);
}

TEST(force_open, without_an_end_shows_none) {
  small_breaker t;
  t.breaker.force_open();
  EXPECT_FALSE(t.breaker.snapshot().operator_override.value().until);
}

TEST(force_open, ends_with_its_time_to_live) {
  small_breaker t;
  t.breaker.force_open("maintenance", "alice", 10min);
  t.clock.advance(10min - 1ns);
  EXPECT_TRUE(t.breaker.is_forced_open());
  t.clock.advance(1ns);
  EXPECT_TRUE(t.breaker.is_closed());
  EXPECT_FALSE(t.breaker.snapshot().operator_override);
  EXPECT_EQ(succeed_times(t.breaker, 1), 1u);
  EXPECT_EQ(t.breaker.history().back().reason, "time-to-live of the override ended");
}

TEST(force_open, with_a_time_to_live_of_nothing_is_over_at_once) {  // trap 21
  small_breaker t;
  t.breaker.force_open("maintenance", "alice", 0s);
  EXPECT_TRUE(t.breaker.is_closed());
}

TEST(force_open, again_renews_owner_reason_and_end_without_a_transition) {
  small_breaker t;
  t.breaker.force_open("maintenance", "alice", 10min);
  const auto before = t.breaker.snapshot();
  t.clock.advance(9min);
  t.breaker.force_open("still at it", "bob", 10min);
  t.clock.advance(9min);
  const auto after = t.breaker.snapshot();
  EXPECT_EQ(after.state, sg::state::forced_open);
  EXPECT_EQ(after.generation, before.generation);
  EXPECT_EQ(after.metrics.transitions, 1u);
  EXPECT_EQ(after.operator_override->owner, "bob");
  EXPECT_EQ(after.operator_override->reason, "still at it");
}

TEST(disable, admits_every_call_and_none_is_evidence) {
  small_breaker t;
  t.breaker.disable("false alarms", "alice");
  EXPECT_EQ(fail_times(t.breaker, 10), 10u);
  const auto s = t.breaker.snapshot();
  EXPECT_EQ(s.state, sg::state::disabled);
  EXPECT_EQ(s.metrics.failures, 10u);
  EXPECT_EQ(s.window.calls, 0u);
  EXPECT_EQ(s.operator_override->owner, "alice");
}

TEST(disable, of_a_forced_open_circuit_replaces_the_override) {
  small_breaker t;
  t.breaker.force_open("maintenance", "alice", 10min);
  t.breaker.disable("done early", "bob");
  const auto s = t.breaker.snapshot();
  EXPECT_EQ(s.state, sg::state::disabled);
  EXPECT_EQ(s.operator_override->owner, "bob");
  EXPECT_FALSE(s.operator_override->until);
}

TEST(release, does_nothing_where_there_is_no_override) {
  small_breaker t;
  t.open();
  t.breaker.release();
  EXPECT_TRUE(t.breaker.is_open());
  EXPECT_EQ(t.breaker.snapshot().metrics.transitions, 1u);
}

TEST(reset, closes_and_forgets_all_but_the_lifetime_metrics) {  // S4-60
  small_breaker t;
  t.open();
  t.breaker.reset("fixed");
  const auto s = t.breaker.snapshot();
  EXPECT_EQ(s.state, sg::state::closed);
  EXPECT_EQ(s.window.calls, 0u);
  EXPECT_EQ(s.consecutive_failures, 0u);
  EXPECT_EQ(s.metrics.failures, 2u);
  EXPECT_EQ(t.breaker.history().back().reason, "fixed");
}

TEST(reset, lifts_an_override) {
  small_breaker t;
  t.breaker.force_open("maintenance");
  t.breaker.reset();
  EXPECT_TRUE(t.breaker.is_closed());
  EXPECT_FALSE(t.breaker.snapshot().operator_override);
}

TEST(reset, of_a_closed_circuit_makes_a_generation_but_no_transition) {
  small_breaker t;
  fail_times(t.breaker, 1);
  t.breaker.reset();
  const auto s = t.breaker.snapshot();
  EXPECT_EQ(s.generation, 1u);
  EXPECT_EQ(s.metrics.transitions, 0u);
  EXPECT_EQ(s.consecutive_failures, 0u);
  EXPECT_TRUE(t.breaker.history().empty());
}

TEST(reset_metrics, zeroes_the_lifetime_metrics_and_nothing_else) {
  small_breaker t;
  succeed_times(t.breaker, 3);
  t.open();
  succeed_times(t.breaker, 2);
  t.breaker.reset_metrics();
  const auto s = t.breaker.snapshot();
  EXPECT_EQ(s.metrics.total_calls(), 0u);
  EXPECT_EQ(s.metrics.successes, 0u);
  EXPECT_EQ(s.metrics.rejections, 0u);
  EXPECT_EQ(s.metrics.transitions, 0u);
  EXPECT_EQ(s.state, sg::state::open);
  EXPECT_EQ(s.state_changes.size(), 1u);
}

TEST(advance, makes_the_transition_that_is_due_without_a_call) {
  small_breaker t;
  t.half_open();
  EXPECT_EQ(t.breaker.snapshot().metrics.transitions, 1u);
  t.breaker.advance();
  EXPECT_EQ(t.breaker.snapshot().metrics.transitions, 2u);
  EXPECT_EQ(t.breaker.snapshot().probes_in_flight, 0u);
  t.breaker.advance();
  EXPECT_EQ(t.breaker.snapshot().metrics.transitions, 2u);
}

// --- shadow ---

TEST(shadow, judges_as_always_but_admits_every_call) {
  small_breaker t(small_with([](auto& c) { c.shadow = true; }));
  EXPECT_EQ(fail_times(t.breaker, 2), 2u);
  EXPECT_TRUE(t.breaker.is_open());
  int called = 0;
  for (int i = 0; i < 3; ++i) (void)t.breaker.try_call([&] { ++called; });
  EXPECT_EQ(called, 3);
  const auto s = t.breaker.snapshot();
  EXPECT_EQ(s.metrics.would_reject, 3u);
  EXPECT_EQ(s.metrics.rejections, 0u);
  EXPECT_EQ(s.metrics.late_results, 3u);
  EXPECT_EQ(s.state, sg::state::open);
  EXPECT_FALSE(s.retry_after);
}

TEST(shadow, says_so_in_the_event_of_a_call_it_would_have_rejected) {
  small_breaker t(small_with([](auto& c) { c.shadow = true; }));
  t.open();
  event_recorder recorder(t.breaker);
  succeed_times(t.breaker, 1);
  sg::drain_events();
  const auto rejected = recorder.events(sg::event_kind::rejected);
  ASSERT_EQ(rejected.size(), 1u);
  EXPECT_TRUE(rejected[0].shadow);
}

TEST(shadow, recovers_through_probes_like_a_real_circuit) {
  small_breaker t(small_with([](auto& c) { c.shadow = true; }));
  t.open();
  t.clock.advance(30s);
  succeed_times(t.breaker, 1);
  EXPECT_TRUE(t.breaker.is_closed());
}

// --- not enabled ---

TEST(not_enabled, passes_every_call_through_and_counts_nothing) {  // S4-58
  small_breaker t(small_with([](auto& c) { c.enabled = false; }));
  EXPECT_EQ(fail_times(t.breaker, 10), 10u);
  EXPECT_EQ(t.breaker.call([] { return 3; }), 3);
  { auto guard = t.breaker.protect(); }
  auto twice = t.breaker.decorate([](int x) { return 2 * x; });
  EXPECT_EQ(twice(4), 8);
  const auto s = t.breaker.snapshot();
  EXPECT_EQ(s.state, sg::state::disabled);
  EXPECT_EQ(s.metrics.total_calls(), 0u);
  EXPECT_FALSE(s.last_failure_time);
  EXPECT_EQ(s.last_failure, "");
}

TEST(not_enabled, tells_observers_nothing_about_calls) {
  small_breaker t(small_with([](auto& c) { c.enabled = false; }));
  event_recorder recorder(t.breaker);
  fail_times(t.breaker, 3);
  sg::drain_events();
  EXPECT_EQ(recorder.size(), 0u);
}

TEST(not_enabled, neither_judges_nor_times_a_call) {
  int judged = 0;
  small_breaker t(small_with([](auto& c) {
                    c.enabled = false;
                    c.call_timeout = 10s;
                  }),
                  sg::classifier{}.fail_if([&](const int&) {
                    ++judged;
                    return true;
                  }));
  const auto result = t.breaker.try_call([&](std::stop_token stop) {
    t.clock.advance(20s);
    EXPECT_FALSE(stop.stop_requested());
    return 3;
  });
  EXPECT_EQ(*result, 3);
  EXPECT_EQ(result.verdict(), sg::verdict::success);
  EXPECT_EQ(judged, 0);
}

TEST(not_enabled, does_not_touch_the_text_of_an_earlier_failure) {
  small_breaker t;
  t.breaker.try_acquire().failure("connection refused");
  EXPECT_TRUE(t.breaker.reconfigure([](sg::config& c) { c.enabled = false; }).empty());
  t.breaker.try_acquire().failure("not ours");
  EXPECT_TRUE(t.breaker.reconfigure([](sg::config& c) { c.enabled = true; }).empty());
  EXPECT_EQ(t.breaker.snapshot().last_failure, "connection refused");
}

#if SWITCHGEAR_HAS_EXCEPTIONS
TEST(not_enabled, lets_exceptions_through_and_retries_work) {  // S4-58
  small_breaker t(small_with([](auto& c) { c.enabled = false; }));
  scripted_dependency service(t.clock);
  service.fail(5).succeed();
  int attempts = 0;
  for (bool done = false; !done;) {
    ++attempts;
    try {
      t.breaker.call([&] { return service(); });
      done = true;
    } catch (const sg::testing::scripted_failure&) {
    }
  }
  EXPECT_EQ(attempts, 6);
}
#endif

}  // namespace
