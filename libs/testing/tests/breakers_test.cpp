// SPDX-License-Identifier: Apache-2.0
#include <switchgear/any_breaker.hpp>
#include <switchgear/testing/breakers.hpp>

#include <gtest/gtest.h>

namespace {

namespace sg = switchgear;
using namespace std::chrono_literals;

TEST(test_breakers, read_as_the_readme_says) {
  sg::testing::manual_clock clock;
  sg::circuit_breaker payments{"payments", {.failure_threshold = 2, .open_duration = 30s}, clock};
  sg::testing::fail_times(payments, 2);
  EXPECT_TRUE(payments.is_open());
  clock.advance(30s);
  EXPECT_EQ(payments.state(), sg::state::half_open);
}

TEST(test_breakers, share_nothing_with_each_other) {  // S4-61
  sg::testing::manual_clock clock;
  const auto first = sg::testing::make_breaker(clock);
  const auto second = sg::testing::make_breaker(clock);
  sg::testing::fail_times(*first, 2);
  EXPECT_TRUE(first->is_open());
  EXPECT_TRUE(second->is_closed());
}

TEST(test_breakers, take_any_configuration_and_name) {
  sg::testing::manual_clock clock;
  const auto breaker = sg::testing::make_breaker(clock, {.failure_threshold = 7}, "orders");
  EXPECT_EQ(breaker->name(), "orders");
  EXPECT_EQ(breaker->configuration().failure_threshold, 7);
}

TEST(test_breakers, tell_how_many_calls_were_admitted) {
  sg::testing::manual_clock clock;
  const auto breaker = sg::testing::make_breaker(clock);
  EXPECT_EQ(sg::testing::succeed_times(*breaker, 3), 3u);
  EXPECT_EQ(sg::testing::fail_times(*breaker, 5), 2u);
  EXPECT_EQ(breaker->snapshot().last_failure, "scripted failure");
}

TEST(test_breakers, may_be_driven_through_any_handle) {
  sg::testing::manual_clock clock;
  const auto breaker = sg::testing::make_breaker(clock);
  sg::any_breaker handle(*breaker);
  EXPECT_EQ(sg::testing::fail_times(handle, 2), 2u);
  EXPECT_EQ(handle.state(), sg::state::open);
}

}  // namespace
