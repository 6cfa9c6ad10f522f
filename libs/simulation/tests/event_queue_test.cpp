// SPDX-License-Identifier: Apache-2.0
#include "event_queue.hpp"

#include <algorithm>
#include <vector>

#include "node_clock.hpp"
#include "random.hpp"

namespace simulation = switchgear::simulation;

namespace {

enum class kind { one };

TEST(simulation_event_queue, events_come_by_time_and_those_of_one_moment_in_the_order_in_which_they_were_put_in) {
  simulation::event_queue<kind> queue;
  simulation::random_stream luck(7, 1);
  std::vector<std::pair<std::int64_t, std::uint32_t>> wanted;
  for (std::uint32_t i = 0; i < 2000; ++i) {
    const auto time = static_cast<std::int64_t>(luck.below(100));
    queue.put(time, kind::one, i);
    wanted.emplace_back(time, i);
  }
  std::stable_sort(wanted.begin(), wanted.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  std::vector<std::pair<std::int64_t, std::uint32_t>> got;
  while (!queue.empty()) {
    const auto e = queue.take();
    got.emplace_back(e.time, e.who);
  }
  EXPECT_EQ(got, wanted);
}

TEST(simulation_clock, a_fast_clock_gains_its_rate_and_knows_when_it_will_show_a_time) {
  std::int64_t world = 1'000;
  simulation::node_clock clock(world, 5'000, 20'000);  // 2 %
  world += 1'000'000'000;
  EXPECT_EQ(clock.now().count(), 5'000 + 1'020'000'000);
  const std::int64_t at = clock.when(3'000'000'000);
  EXPECT_LT(clock.at(at - 1'000), 3'000'000'000);
  EXPECT_GE(clock.at(at), 3'000'000'000);
}

TEST(simulation_clock, another_rate_changes_the_future_only) {
  std::int64_t world = 0;
  simulation::node_clock clock(world, 0, -10'000);
  world = 1'000'000'000;
  const auto before = clock.now();
  clock.set_rate(10'000);
  EXPECT_EQ(clock.now(), before);
  world += 1'000'000'000;
  EXPECT_EQ((clock.now() - before).count(), 1'010'000'000);
}

TEST(simulation_clock, timers_run_once_when_they_are_due) {
  std::int64_t world = 0;
  simulation::node_clock clock(world, 0, 0);
  int runs = 0;
  clock.call_at(std::chrono::nanoseconds(100), [&] { ++runs; });
  const auto taken_back = clock.call_at(std::chrono::nanoseconds(100), [&] { runs += 100; });
  clock.cancel(taken_back);
  world = 99;
  clock.run_due();
  EXPECT_EQ(runs, 0);
  world = 100;
  clock.run_due();
  clock.run_due();
  EXPECT_EQ(runs, 1);
}

TEST(simulation_random, streams_of_one_seed_are_the_same_and_of_two_purposes_are_not) {
  simulation::random_stream a(5, 1, 9), b(5, 1, 9), c(5, 2, 9);
  EXPECT_EQ(a.next(), b.next());
  EXPECT_NE(a.next(), c.next());
  double sum = 0;
  for (int i = 0; i < 10'000; ++i) sum += a.exponential(3);
  EXPECT_NEAR(sum / 10'000, 3, 0.2);
}

}  // namespace
