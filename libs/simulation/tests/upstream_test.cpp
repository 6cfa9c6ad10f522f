// SPDX-License-Identifier: Apache-2.0
#include "upstream.hpp"

namespace simulation = switchgear::simulation;
using condition = simulation::upstream::condition;

namespace {

constexpr std::int64_t ms = 1'000'000;
constexpr std::int64_t second = 1'000 * ms;

simulation::upstream::settings hundred_a_second() {
  return {.capacity = 100,
          .cold_share = 0.2,
          .warm_up = 10 * second,
          .collapse = 2 * second,
          .queue = second / 2,
          .latency = 5 * ms,
          .fails_after = 20 * ms,
          .slow_latency = 2 * second};
}

TEST(simulation_upstream, what_it_can_work_off_succeeds_and_a_dead_one_answers_nothing) {
  simulation::upstream u(hundred_a_second(), 1);
  for (int i = 0; i < 100; ++i) EXPECT_TRUE(u.call(i * 10 * ms).good);
  u.fail(second);
  const auto a = u.call(second + ms);
  EXPECT_FALSE(a.good);
  EXPECT_FALSE(a.overloaded);
}

TEST(simulation_upstream, capacity_grows_from_the_cold_share_to_the_whole) {
  simulation::upstream u(hundred_a_second(), 1);
  u.fail(0);
  u.revive(second);
  EXPECT_NEAR(u.capacity(second), 20, 0.01);
  EXPECT_NEAR(u.capacity(6 * second), 60, 0.01);
  EXPECT_NEAR(u.capacity(11 * second), 100, 0.01);
}

TEST(simulation_upstream, when_it_is_overloaded_while_it_warms_up_it_falls_over_and_begins_anew) {
  simulation::upstream u(hundred_a_second(), 1);
  u.fail(0);
  u.revive(0);
  int good = 0;
  std::int64_t now = 0;
  while (u.state(now) == condition::warming && good < 100) {
    good += u.call(now).good ? 1 : 0;
    now += ms;
  }
  EXPECT_EQ(u.state(now), condition::collapsed);
  EXPECT_LT(good, 100);
  EXPECT_EQ(u.collapses(), 1u);
  EXPECT_FALSE(u.call(now).good);
  EXPECT_EQ(u.state(now + 3 * second), condition::warming);
}

TEST(simulation_upstream, when_it_is_warm_too_many_calls_are_turned_away_and_it_stays) {
  simulation::upstream u(hundred_a_second(), 1);
  int good = 0;
  for (int i = 0; i < 1000; ++i) good += u.call(i * ms).good ? 1 : 0;  // ten times as much as it can do
  EXPECT_NEAR(good, 150, 5);                                            // a second of work, and half a second waits
  EXPECT_EQ(u.state(second), condition::healthy);
}

TEST(simulation_upstream, a_slow_one_answers_late) {
  simulation::upstream u(hundred_a_second(), 1);
  u.slow_down(0);
  const auto a = u.call(ms);
  EXPECT_TRUE(a.good);
  EXPECT_GT(a.takes, second);
}

}  // namespace
