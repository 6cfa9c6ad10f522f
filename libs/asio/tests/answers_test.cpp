// SPDX-License-Identifier: Apache-2.0
#include "support.hpp"

#include <switchgear/fallback.hpp>
#include <switchgear/guard.hpp>
#include <switchgear/hedge.hpp>
#include <switchgear/last_known_good.hpp>
#include <switchgear/pipeline.hpp>
#include <switchgear/retry.hpp>

#include <gtest/gtest.h>

namespace {

using namespace tests;

// --- fallback, last_known_good ---

TEST(asio_fallback, answers_failures_rejections_and_bad_results) {
  world w;
  sg::circuit_breaker breaker{"b", {}, w.clock};
  const sg::fallback answer(
      [](const sg::failure_info& why) {
        return why.kind() == sg::failure_kind::rejection ? 1 : why.kind() == sg::failure_kind::exception ? 2 : 3;
      },
      {.when = sg::classifier{}.fail_if([](const int& v) { return v == 503; })});
  const auto p = sg::pipeline(answer, sg::guard(breaker));
  ending failed, bad, rejected;
  w.start_apart(p, failed);
  w.start_apart(p, bad);
  breaker.trip();
  w.start_apart(p, rejected);
  w.dependency.fail(0);
  w.dependency.answer(1, 503);
  w.run();
  EXPECT_EQ(rejected.value, 1);
  EXPECT_EQ(failed.value, 2);
  EXPECT_EQ(bad.value, 3);
  EXPECT_EQ(answer.metrics().answered(), 3u);
}

TEST(asio_fallback, that_throws_gives_its_own_error_with_the_first_nested) {
  world w;
  ending e;
  w.start(sg::fallback([]() -> int { throw std::runtime_error("cache is empty"); }), e);
  w.dependency.fail(0);
  w.run();
  EXPECT_TRUE(is<std::runtime_error>(e.error));
  EXPECT_TRUE(is<boost::system::system_error>(nested_in(e.error)));
}

TEST(asio_last_known_good, answers_with_the_newest_good_value_while_it_is_not_too_old) {
  world w;
  const sg::last_known_good<int> remembered({.max_age = 10s}, w.clock);
  ending good, failed, too_old;
  w.start(remembered, good);
  w.dependency.answer(0, 42);
  w.run();
  w.start(remembered, failed);
  w.dependency.fail(1);
  w.run();
  EXPECT_EQ(failed.value, 42);
  w.advance(11s);
  w.start(remembered, too_old);
  w.dependency.fail(2);
  w.run();
  EXPECT_TRUE(is<boost::system::system_error>(too_old.error));
}

// --- hedge ---

struct hedged : testing::Test {
  world w;
  sg::circuit_breaker breaker{"b", {.failure_threshold = 3}, w.clock};
  sg::hedge hedge{{.delay = 1s, .max_hedges = 1}, w.clock};
  ending e;
  void begin() {
    w.start(sg::pipeline(hedge, sg::guard(breaker)), e);
    w.run();
  }
};

TEST_F(hedged, asks_once_while_the_answer_is_quick) {
  begin();
  w.dependency.answer(0, 1);
  w.run();
  EXPECT_EQ(e.value, 1);
  EXPECT_EQ(w.dependency.started(), 1u);
  EXPECT_EQ(w.clock.timers(), 0u);
}

TEST_F(hedged, takes_the_first_good_answer_and_cancels_the_loser_which_is_no_evidence) {
  begin();
  w.advance(1s);
  ASSERT_EQ(w.dependency.started(), 2u);
  w.dependency.answer(1, 2);
  w.run();
  EXPECT_EQ(e.value, 2);
  EXPECT_EQ(w.dependency.under_way(), 0u);
  EXPECT_EQ(breaker.snapshot().metrics.successes, 1u);
  EXPECT_EQ(breaker.snapshot().metrics.ignored, 1u);
  EXPECT_EQ(hedge.metrics().won, 1u);
}

TEST_F(hedged, starts_the_next_attempt_at_once_when_one_fails) {
  begin();
  w.dependency.fail(0);
  w.run();
  ASSERT_EQ(w.dependency.started(), 2u);
  w.dependency.answer(1, 2);
  w.run();
  EXPECT_EQ(e.value, 2);
}

TEST_F(hedged, gives_what_the_first_brought_when_all_fail) {
  begin();
  w.dependency.fail(0);
  w.run();
  w.dependency.fail(1);
  w.run();
  EXPECT_TRUE(is<boost::system::system_error>(e.error));
  EXPECT_EQ(breaker.snapshot().metrics.failures, 2u);
}

TEST_F(hedged, leaves_a_loser_behind_that_cannot_be_cancelled) {
  w.dependency.how = remote::manners::deaf;
  begin();
  w.advance(1s);
  w.dependency.answer(0, 1);
  w.run();
  EXPECT_EQ(e.value, 1);
  EXPECT_EQ(breaker.snapshot().metrics.ignored, 1u);
  w.dependency.fail(1);
  w.run();
  EXPECT_EQ(e.times, 1);
  EXPECT_EQ(breaker.snapshot().metrics.failures, 0u);
}

TEST_F(hedged, inside_a_retry_starts_afresh_while_losers_of_before_are_still_about) {
  w.dependency.how = remote::manners::deaf;
  const sg::retry retry(
      {.max_attempts = 2, .backoff = sg::constant(0ns), .when = sg::classifier{}.fail_if([](const int& v) { return v == 503; })},
      w.clock);
  w.start(sg::pipeline(retry, hedge), e);
  w.run();
  w.advance(1s);
  w.dependency.answer(0, 503);
  w.run();
  ASSERT_EQ(w.dependency.started(), 3u);
  w.dependency.answer(1, 11);  // the loser of the first round
  w.run();
  EXPECT_EQ(e.times, 0);
  w.dependency.answer(2, 7);
  w.run();
  EXPECT_EQ(e.value, 7);
}

TEST_F(hedged, works_inside_another_hedge) {
  const sg::hedge outer({.delay = 10s, .max_hedges = 1}, w.clock);
  w.start(sg::pipeline(outer, hedge), e);
  w.run();
  w.advance(1s);
  w.advance(9s);
  w.advance(1s);
  ASSERT_EQ(w.dependency.started(), 4u);
  w.dependency.answer(3, 9);
  w.run();
  EXPECT_EQ(e.value, 9);
  EXPECT_EQ(w.dependency.under_way(), 0u);
}

}  // namespace
