// SPDX-License-Identifier: Apache-2.0
#include "support/shell.hpp"

namespace {

using namespace shell;

TEST(reconfigure, takes_effect_at_the_next_verdict) {
  small_breaker t(small_with([](auto& c) { c.failure_threshold = 5; }));
  fail_times(t.breaker, 1);
  EXPECT_TRUE(t.breaker.reconfigure([](sg::config& c) { c.failure_threshold = 2; }).empty());
  EXPECT_EQ(t.breaker.configuration().failure_threshold, 2);
  fail_times(t.breaker, 1);
  EXPECT_TRUE(t.breaker.is_open());
}

TEST(reconfigure, keeps_what_is_not_named) {
  small_breaker t;
  EXPECT_TRUE(t.breaker.reconfigure([](sg::config& c) { c.success_threshold = 4; }).empty());
  const auto now = t.breaker.configuration();
  EXPECT_EQ(now.failure_threshold, 2);
  EXPECT_EQ(now.open_duration, 30s);
  EXPECT_EQ(now.success_threshold, 4);
}

TEST(reconfigure, refuses_a_bad_configuration_with_every_problem_and_changes_nothing) {
  small_breaker t;
  const auto before = t.breaker.configuration();
  const auto problems = t.breaker.reconfigure([](sg::config& c) {
    c.failure_threshold = -1;
    c.jitter = 2;
    c.success_threshold = 7;
  });
  std::vector<std::string> keys;
  for (const auto& p : problems) keys.push_back(p.key);
  EXPECT_THAT(keys, testing::ElementsAre("failure_threshold", "jitter"));
  EXPECT_EQ(t.breaker.configuration(), before);
}

TEST(reconfigure, keeps_state_generation_permits_and_the_end_of_the_open_period) {
  small_breaker t;
  t.open();
  t.clock.advance(10s);
  EXPECT_TRUE(t.breaker.reconfigure([](sg::config& c) { c.open_duration = 5s; }).empty());
  EXPECT_EQ(t.breaker.snapshot().retry_after, 20s);
  t.clock.advance(20s);
  auto probe = t.breaker.try_acquire();
  EXPECT_TRUE(t.breaker.reconfigure([](sg::config& c) { c.success_threshold = 2; }).empty());
  EXPECT_EQ(t.breaker.snapshot().probes_in_flight, 1u);
  probe.success();
  EXPECT_TRUE(t.breaker.is_half_open());
  EXPECT_EQ(t.breaker.snapshot().generation, 2u);
}

TEST(reconfigure, keeps_the_newest_verdicts_of_a_count_window) {
  small_breaker t(small_with([](auto& c) {
    c.failure_threshold = 0;
    c.failure_count_threshold = 9;
    c.window = sg::calls(6);
    c.minimum_calls = 1;
  }));
  fail_times(t.breaker, 2);
  succeed_times(t.breaker, 3);
  fail_times(t.breaker, 1);
  EXPECT_TRUE(t.breaker.reconfigure([](sg::config& c) { c.window = sg::calls(4); }).empty());
  EXPECT_EQ(t.breaker.snapshot().window.calls, 4u);
  EXPECT_EQ(t.breaker.snapshot().window.failures, 1u);
}

TEST(reconfigure, keeps_an_override_with_its_owner) {
  small_breaker t;
  t.breaker.force_open("maintenance", "alice");
  EXPECT_TRUE(t.breaker.reconfigure([](sg::config& c) { c.success_threshold = 2; }).empty());
  EXPECT_TRUE(t.breaker.is_forced_open());
  EXPECT_EQ(t.breaker.snapshot().operator_override->owner, "alice");
}

TEST(reconfigure, tells_observers_once_and_only_of_a_change) {
  small_breaker t;
  event_recorder recorder(t.breaker);
  EXPECT_TRUE(t.breaker.reconfigure(t.breaker.configuration()).empty());
  EXPECT_TRUE(t.breaker.reconfigure([](sg::config& c) { c.success_threshold = 2; }).empty());
  EXPECT_FALSE(t.breaker.reconfigure([](sg::config& c) { c.success_threshold = -2; }).empty());
  sg::drain_events();
  EXPECT_THAT(recorder.kinds(), testing::ElementsAre(sg::event_kind::config_changed));
}

TEST(reconfigure, gives_a_quick_breaker_the_rules_it_had_not) {
  sg::circuit_breaker breaker{"payments", {.window = sg::calls(10)}};
  for (int i = 0; i < 100; ++i) breaker.call([] {});
  EXPECT_TRUE(breaker.reconfigure([](sg::config& c) { c.failure_rate_threshold = 0.2; }).empty());
  fail_times(breaker, 1);
  EXPECT_TRUE(breaker.is_closed());
  fail_times(breaker, 1);
  EXPECT_TRUE(breaker.is_open());
}

}  // namespace
