// SPDX-License-Identifier: Apache-2.0
#include <switchgear/testing/skipping_clock.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

namespace {

using namespace std::chrono_literals;
using switchgear::testing::skipping_clock;
using testing::ElementsAre;
using testing::IsEmpty;

TEST(skipping_clock, begins_at_zero_or_where_it_is_told) {
  EXPECT_EQ(skipping_clock().now(), 0ns);
  EXPECT_EQ(skipping_clock(5s).now(), 5s);
}

TEST(skipping_clock, jumps_to_the_time_that_is_waited_for) {
  skipping_clock clock(5s);
  std::chrono::nanoseconds seen{0};
  clock.call_at(30s, [&] { seen = clock.now(); });
  EXPECT_EQ(seen, 30s);
  EXPECT_EQ(clock.now(), 30s);
}

TEST(skipping_clock, runs_the_action_on_the_calling_thread) {
  skipping_clock clock;
  std::thread::id ran;
  clock.call_at(1s, [&] { ran = std::this_thread::get_id(); });
  EXPECT_EQ(ran, std::this_thread::get_id());
}

TEST(skipping_clock, records_each_wait) {
  skipping_clock clock(1s);
  clock.call_at(3s, [] {});
  clock.call_at(3s + 1ns, [] {});
  EXPECT_THAT(clock.waits(), ElementsAre(2s, 1ns));
  EXPECT_EQ(clock.waited(), 2s + 1ns);
}

TEST(skipping_clock, a_time_that_is_not_in_the_future_is_no_wait) {
  skipping_clock clock(5s);
  int runs = 0;
  clock.call_at(5s, [&] { ++runs; });
  clock.call_at(1s, [&] { ++runs; });
  EXPECT_EQ(runs, 2);
  EXPECT_EQ(clock.now(), 5s);
  EXPECT_THAT(clock.waits(), IsEmpty());
}

TEST(skipping_clock, advancing_is_no_wait) {
  skipping_clock clock;
  clock.advance(3s);
  EXPECT_EQ(clock.now(), 3s);
  EXPECT_THAT(clock.waits(), IsEmpty());
}

TEST(skipping_clock, never_goes_back) {
  skipping_clock clock(5s);
  clock.advance(-1s);
  EXPECT_EQ(clock.now(), 5s);
}

TEST(skipping_clock, tells_of_a_wait_before_it_moves) {
  skipping_clock clock;
  bool ran = false;
  std::chrono::nanoseconds length{0}, at{-1};
  clock.on_wait([&](std::chrono::nanoseconds wait) {
    length = wait;
    at = clock.now();
    EXPECT_FALSE(ran);
  });
  clock.call_at(2s, [&] { ran = true; });
  EXPECT_EQ(length, 2s);
  EXPECT_EQ(at, 0s);
  EXPECT_TRUE(ran);
}

TEST(skipping_clock, time_that_passes_in_the_handler_is_part_of_the_wait) {
  skipping_clock clock;
  clock.on_wait([&](std::chrono::nanoseconds) { clock.advance(1s); });
  clock.call_at(3s, [] {});
  EXPECT_EQ(clock.now(), 3s);
  clock.on_wait([&](std::chrono::nanoseconds) { clock.advance(1h); });
  clock.call_at(4s, [] {});
  EXPECT_EQ(clock.now(), 3s + 1h);
}

TEST(skipping_clock, timers_may_set_timers) {
  skipping_clock clock;
  clock.call_at(1s, [&] { clock.call_at(3s, [] {}); });
  EXPECT_THAT(clock.waits(), ElementsAre(1s, 2s));
}

TEST(skipping_clock, cancelling_what_has_run_does_nothing) {
  skipping_clock clock;
  int runs = 0;
  clock.cancel(clock.call_at(1s, [&] { ++runs; }));
  EXPECT_EQ(runs, 1);
}

}  // namespace
