// SPDX-License-Identifier: Apache-2.0
#include <switchgear/testing/manual_clock.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <vector>

namespace {

using namespace std::chrono_literals;
using switchgear::testing::manual_clock;
using testing::ElementsAre;

TEST(manual_clock, begins_at_zero_or_where_it_is_told) {
  EXPECT_EQ(manual_clock().now(), 0ns);
  EXPECT_EQ(manual_clock(5s).now(), 5s);
}

TEST(manual_clock, moves_only_when_it_is_moved) {
  manual_clock clock;
  clock.advance(30s);
  EXPECT_EQ(clock.now(), 30s);
  clock.advance(1ns);
  EXPECT_EQ(clock.now(), 30s + 1ns);
}

TEST(manual_clock, never_goes_back) {
  manual_clock clock(5s);
  clock.advance(-1s);
  EXPECT_EQ(clock.now(), 5s);
}

TEST(manual_clock, runs_a_timer_when_its_time_has_come_and_once) {
  manual_clock clock;
  int runs = 0;
  clock.call_at(10s, [&] { ++runs; });
  clock.advance(10s - 1ns);
  EXPECT_EQ(runs, 0);
  clock.advance(1ns);
  EXPECT_EQ(runs, 1);
  clock.advance(1h);
  EXPECT_EQ(runs, 1);
  EXPECT_EQ(clock.timers(), 0u);
}

TEST(manual_clock, runs_timers_in_the_order_of_their_times) {
  manual_clock clock;
  std::vector<std::string> order;
  clock.call_at(3s, [&] { order.push_back("three"); });
  clock.call_at(1s, [&] { order.push_back("one"); });
  clock.call_at(2s, [&] { order.push_back("two, first"); });
  clock.call_at(2s, [&] { order.push_back("two, second"); });
  clock.advance(3s);
  EXPECT_THAT(order, ElementsAre("one", "two, first", "two, second", "three"));
}

TEST(manual_clock, shows_each_timer_the_time_it_waited_for) {
  manual_clock clock;
  std::vector<std::chrono::nanoseconds> seen;
  clock.call_at(1s, [&] { seen.push_back(clock.now()); });
  clock.call_at(2s, [&] { seen.push_back(clock.now()); });
  clock.advance(10s);
  EXPECT_THAT(seen, ElementsAre(1s, 2s));
  EXPECT_EQ(clock.now(), 10s);
}

TEST(manual_clock, runs_a_timer_that_is_already_due_at_once) {
  manual_clock clock(5s);
  bool ran = false;
  clock.call_at(5s, [&] { ran = true; });
  EXPECT_TRUE(ran);
}

TEST(manual_clock, forgets_a_cancelled_timer) {
  manual_clock clock;
  bool ran = false;
  const auto timer = clock.call_at(1s, [&] { ran = true; });
  EXPECT_EQ(clock.timers(), 1u);
  clock.cancel(timer);
  clock.cancel(timer);
  clock.advance(1s);
  EXPECT_FALSE(ran);
}

TEST(manual_clock, lets_a_timer_use_the_clock) {
  manual_clock clock;
  std::vector<std::chrono::nanoseconds> seen;
  const auto never = clock.call_at(4s, [&] { seen.push_back(-1s); });
  clock.call_at(1s, [&] {
    clock.cancel(never);
    clock.call_at(clock.now() + 1s, [&] { seen.push_back(clock.now()); });
  });
  clock.advance(5s);
  EXPECT_THAT(seen, ElementsAre(2s));
}

TEST(manual_clock, adds_an_advance_that_a_timer_makes) {
  manual_clock clock;
  clock.call_at(1s, [&] { clock.advance(3s); });
  clock.advance(2s);
  EXPECT_EQ(clock.now(), 5s);
}

TEST(manual_clock, adds_the_advances_of_several_threads) {
  manual_clock clock;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int k = 0; k < 1000; ++k) clock.advance(1ms);
    });
  }
  for (auto& t : threads) t.join();
  EXPECT_EQ(clock.now(), 4s);
}

}  // namespace
