// SPDX-License-Identifier: Apache-2.0
#include <switchgear/backoff.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace {

namespace sg = switchgear;
using namespace std::chrono_literals;
using std::chrono::nanoseconds;

TEST(backoff, constant_is_always_the_same) {
  const sg::backoff b = sg::constant(2s);
  for (int retry = 1; retry < 50; ++retry) EXPECT_EQ(b.delay(retry, 1s, 0.7), 2s);
}

TEST(backoff, exponential_doubles_up_to_its_longest) {
  const sg::backoff b = sg::exponential(500ms).up_to(5s);
  EXPECT_EQ(b.delay(1, 0s, 0.5), 500ms);
  EXPECT_EQ(b.delay(2, 0s, 0.5), 1s);
  EXPECT_EQ(b.delay(3, 0s, 0.5), 2s);
  EXPECT_EQ(b.delay(4, 0s, 0.5), 4s);
  EXPECT_EQ(b.delay(5, 0s, 0.5), 5s);
  EXPECT_EQ(b.delay(1000, 0s, 0.5), 5s);
}

TEST(backoff, exponential_takes_another_multiplier) {
  EXPECT_EQ(sg::exponential(1s, 3.0).delay(3, 0s, 0.0), 9s);
  EXPECT_EQ(sg::exponential(1s, 1.0).delay(30, 0s, 0.0), 1s);
}

TEST(backoff, never_exceeds_a_day_however_often_it_grows) { EXPECT_EQ(sg::exponential(1h, 10.0).delay(1000, 0s, 0.0), 24h); }

TEST(backoff, that_begins_with_nothing_stays_nothing) {
  EXPECT_EQ(sg::exponential(0s, 10.0).delay(400, 0s, 0.0), 0s);
}

TEST(backoff, full_jitter_lies_between_nothing_and_the_delay) {
  const sg::backoff b = sg::exponential(8s).with_jitter();
  EXPECT_EQ(b.delay(1, 0s, 0.0), 0s);
  EXPECT_EQ(b.delay(1, 0s, 0.25), 2s);
  EXPECT_LT(b.delay(1, 0s, 0.999999), 8s);
}

TEST(backoff, equal_jitter_keeps_half_of_the_delay) {
  const sg::backoff b = sg::exponential(8s).with_equal_jitter();
  EXPECT_EQ(b.delay(1, 0s, 0.0), 4s);
  EXPECT_EQ(b.delay(1, 0s, 0.5), 6s);
}

TEST(backoff, jitter_respects_the_least_delay) {
  const sg::backoff b = sg::exponential(4s).at_least(1s).with_jitter();
  EXPECT_EQ(b.delay(1, 0s, 0.0), 1s);
  EXPECT_EQ(b.delay(1, 0s, 0.5), 2500ms);
}

TEST(backoff, decorrelated_grows_out_of_the_delay_before) {
  const sg::backoff b = sg::decorrelated(1s).up_to(20s);
  EXPECT_EQ(b.delay(1, 0s, 0.0), 1s);
  EXPECT_EQ(b.delay(1, 0s, 0.5), 2s);
  EXPECT_EQ(b.delay(2, 4s, 0.5), 1s + 5500ms);
  EXPECT_EQ(b.delay(3, 19s, 0.0), 1s);
  EXPECT_LT(b.delay(3, 19s, 0.999999), 20s);
}

TEST(backoff, what_is_drawn_lies_within_its_bounds) {
  for (const sg::backoff& b : {sg::constant(1s), sg::exponential(100ms).up_to(3s).with_jitter(),
                               sg::exponential(100ms).at_least(50ms).up_to(3s).with_jitter(),
                               sg::exponential(100ms).with_equal_jitter(), sg::decorrelated(100ms).up_to(2s)}) {
    nanoseconds previous{0};
    for (int retry = 1; retry < 30; ++retry) {
      previous = b.delay(retry, previous);
      EXPECT_GE(previous, b.shortest(retry)) << b.describe() << " retry " << retry;
      EXPECT_LE(previous, b.longest(retry)) << b.describe() << " retry " << retry;
    }
  }
}

TEST(backoff, does_not_draw_the_same_numbers_again_and_again) {
  const sg::backoff b = sg::constant(1h).with_jitter();
  EXPECT_NE(b.delay(1, 0s), b.delay(1, 0s));
}

TEST(backoff, says_what_it_is) {
  EXPECT_EQ(sg::constant(2s).describe(), "constant 2s");
  EXPECT_EQ(sg::exponential(100ms).up_to(10s).with_jitter().describe(), "exponential 100ms … 10s, full jitter");
  EXPECT_EQ(sg::decorrelated(1s).describe(), "decorrelated 1s");
}

TEST(backoff, names_all_its_problems_at_once) {
  std::vector<std::string> keys;
  for (const auto& p : sg::exponential(-1s, 0.5).up_to(-2s).at_least(5s).validate()) keys.push_back(p.key);
  EXPECT_THAT(keys, testing::ElementsAre("backoff.base", "backoff.multiplier", "backoff.up_to", "backoff.at_least"));
  EXPECT_TRUE(sg::exponential(1s).up_to(1s).at_least(1s).validate().empty());
}

}  // namespace
