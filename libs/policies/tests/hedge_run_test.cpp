// SPDX-License-Identifier: Apache-2.0
#include <switchgear/hedge.hpp>

#include <gtest/gtest.h>

#include <chrono>
#include <optional>
#include <utility>

namespace {

namespace sg = switchgear;
using namespace std::chrono_literals;
using ending = sg::hedge_run::ending;
using step = sg::hedge_run::step;

struct decisions {
  sg::hedge policy;
  sg::hedge_run run;
  explicit decisions(sg::hedge_options o = {.delay = 1s}) : policy(std::move(o)), run(policy, {}) {}

  void expect_start(std::chrono::nanoseconds now, std::size_t attempt) {
    const auto d = run.next(now);
    EXPECT_EQ(d.what, step::start);
    EXPECT_EQ(d.attempt, attempt);
  }
  void expect_wait(std::chrono::nanoseconds now, std::optional<std::chrono::nanoseconds> until) {
    const auto d = run.next(now);
    EXPECT_EQ(d.what, step::wait);
    EXPECT_EQ(d.until, until);
  }
  void expect_answer(std::size_t attempt) {
    const auto d = run.next(0s);
    EXPECT_EQ(d.what, step::answer);
    EXPECT_EQ(d.attempt, attempt);
  }
};

TEST(hedge_run, starts_one_attempt_and_waits_for_the_delay) {
  decisions d;
  d.expect_start(10s, 0);
  d.expect_wait(10s, 11s);
  d.expect_wait(11s - 1ns, 11s);
  d.expect_start(11s, 1);
}

TEST(hedge_run, starts_no_more_than_it_may) {
  decisions d({.delay = 1s, .max_hedges = 2});
  d.expect_start(0s, 0);
  d.expect_start(1s, 1);
  d.expect_start(5s, 2);
  d.expect_wait(100s, std::nullopt);
}

TEST(hedge_run, starts_all_at_once_without_a_delay) {
  decisions d({.delay = 0s, .max_hedges = 2});
  d.expect_start(0s, 0);
  d.expect_start(0s, 1);
  d.expect_start(0s, 2);
}

TEST(hedge_run, answers_with_the_first_good_one) {
  decisions d;
  d.expect_start(0s, 0);
  d.expect_start(1s, 1);
  d.run.finished(1, ending::good);
  EXPECT_TRUE(d.run.is_decided());
  d.run.finished(0, ending::good);
  d.expect_answer(1);
  EXPECT_EQ(d.policy.metrics().won, 1u);
}

TEST(hedge_run, starts_the_next_at_once_when_one_fails) {
  decisions d;
  d.expect_start(0s, 0);
  d.run.finished(0, ending::failed);
  d.expect_start(0s, 1);
}

TEST(hedge_run, waits_for_the_others_when_one_fails_and_no_more_may_start) {
  decisions d;
  d.expect_start(0s, 0);
  d.expect_start(1s, 1);
  d.run.finished(0, ending::failed);
  d.expect_wait(1s, std::nullopt);
  d.run.finished(1, ending::good);
  d.expect_answer(1);
}

TEST(hedge_run, answers_with_the_first_attempt_when_all_fail) {
  decisions d;
  d.expect_start(0s, 0);
  d.expect_start(1s, 1);
  d.run.finished(1, ending::failed);
  d.run.finished(0, ending::failed);
  d.expect_answer(0);
  EXPECT_EQ(d.policy.metrics().won, 0u);
}

TEST(hedge_run, passes_a_rejection_of_the_first_attempt_at_once) {
  decisions d;
  d.expect_start(0s, 0);
  d.run.finished(0, ending::rejected);
  d.expect_answer(0);
}

TEST(hedge_run, starts_no_more_after_a_rejection) {
  decisions d({.delay = 1s, .max_hedges = 5});
  d.expect_start(0s, 0);
  d.expect_start(1s, 1);
  d.run.finished(1, ending::rejected);
  d.expect_wait(10s, std::nullopt);
  d.run.finished(0, ending::good);
  d.expect_answer(0);
}

TEST(hedge_run, stays_within_its_budget) {
  decisions d({.delay = 1s, .max_hedges = 5, .budget = sg::retry_budget({.ratio = 0, .reserve = 1})});
  d.expect_start(0s, 0);
  d.expect_start(1s, 1);
  d.expect_wait(2s, std::nullopt);
  EXPECT_EQ(d.policy.metrics().hedges, 1u);
  EXPECT_EQ(d.policy.metrics().refused, 1u);
}

TEST(hedge_run, goes_on_without_an_attempt_that_could_not_be_started) {
  decisions d({.delay = 1s, .max_hedges = 5});
  d.expect_start(0s, 0);
  d.expect_start(1s, 1);
  d.run.not_started(1);
  d.expect_wait(1s, std::nullopt);
  EXPECT_EQ(d.run.started(), 1u);
  EXPECT_EQ(d.policy.metrics().hedges, 0u);
  EXPECT_EQ(d.policy.metrics().refused, 1u);
}

}  // namespace
