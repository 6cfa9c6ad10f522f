// SPDX-License-Identifier: Apache-2.0
#include "support/executors.hpp"

#include <switchgear/adaptive_limiter.hpp>
#include <switchgear/circuit_breaker.hpp>
#include <switchgear/guard.hpp>
#include <switchgear/hedge.hpp>
#include <switchgear/pipeline.hpp>
#include <switchgear/rate_limiter.hpp>
#include <switchgear/retry.hpp>
#include <switchgear/time_limiter.hpp>
#include <switchgear/timeout.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace {

namespace sg = switchgear;
using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

TEST(order, says_when_one_budget_is_earned_twice) {
  const sg::retry_budget shared, other;
  const sg::retry retry({.budget = shared});
  EXPECT_THAT(sg::pipeline(retry, sg::hedge({.budget = shared})).warnings(), ElementsAre(HasSubstr("the same budget")));
  EXPECT_THAT(sg::pipeline(retry, sg::hedge({.budget = other})).warnings(), IsEmpty());
  EXPECT_THAT(sg::pipeline(retry, sg::hedge()).warnings(), IsEmpty());
}

TEST(order, says_when_a_call_timeout_is_shorter_than_the_limit_inside) {
  sg::circuit_breaker payments("payments", {.call_timeout = 2s});
  EXPECT_THAT(sg::pipeline(sg::guard(payments), sg::timeout(2s)).warnings(), ElementsAre(HasSubstr("the inner limit")));
  EXPECT_THAT(sg::pipeline(sg::guard(payments), sg::timeout(1s)).warnings(), IsEmpty());
}

TEST(order, says_when_attempts_are_not_limited) {
  const sg::rate_limiter rate;
  EXPECT_THAT(sg::pipeline(rate, sg::retry()).warnings(), ElementsAre(HasSubstr("exceed the rate")));
  EXPECT_THAT(sg::pipeline(rate, sg::hedge()).warnings(), ElementsAre(HasSubstr("exceed the rate")));
  EXPECT_THAT(sg::pipeline(sg::retry(), rate).warnings(), IsEmpty());
  EXPECT_THAT(sg::pipeline(sg::adaptive_limiter(), sg::hedge()).warnings(), ElementsAre(HasSubstr("sees several")));
}

TEST(order, says_when_the_attempts_of_a_hedge_retry) {
  EXPECT_THAT(sg::pipeline(sg::hedge(), sg::retry()).warnings(), ElementsAre(HasSubstr("attempts multiply")));
  EXPECT_THAT(sg::pipeline(sg::retry(), sg::hedge()).warnings(), IsEmpty());
}

TEST(order, says_when_a_circuit_counts_each_call_twice) {
  sg::circuit_breaker a("a"), b("b");
  const auto shared = std::make_shared<sg::circuit_breaker>("c");
  EXPECT_THAT(sg::pipeline(sg::guard(a), sg::guard(a)).warnings(), ElementsAre(HasSubstr("the same circuit")));
  EXPECT_THAT(sg::pipeline(sg::guard(shared), sg::guard(shared)).warnings(), ElementsAre(HasSubstr("the same circuit")));
  EXPECT_THAT(sg::pipeline(sg::guard(a), sg::guard(b)).warnings(), IsEmpty());
}

TEST(order, says_when_calls_wait_for_threads_of_the_executor_on_which_they_run) {
  executors::at_once pool, another;
  const sg::hedge hedge({.executor = &pool});
  EXPECT_THAT(sg::pipeline(hedge, sg::time_limiter({.executor = &pool})).warnings(), ElementsAre(HasSubstr("one executor")));
  EXPECT_THAT(sg::pipeline(hedge, sg::time_limiter({.executor = &another})).warnings(), IsEmpty());
}

TEST(non_idempotent, can_be_called_when_it_is_const) {
  const sg::non_idempotent transfer([](int x) { return x + 1; });
  EXPECT_EQ(transfer(1), 2);
  EXPECT_EQ(sg::pipeline(sg::retry())(transfer, 1), 2);
}

}  // namespace
