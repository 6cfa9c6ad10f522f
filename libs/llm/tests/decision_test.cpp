// SPDX-License-Identifier: Apache-2.0
#include <switchgear/fallback.hpp>
#include <switchgear/guard.hpp>
#include <switchgear/llm/decision.hpp>
#include <switchgear/pipeline.hpp>

#include <gtest/gtest.h>

#include <limits>
#include <stdexcept>

namespace {

namespace sg = switchgear;
using namespace std::chrono_literals;
using sg::llm::decision;

struct fallback_decision : testing::Test {
  sg::circuit_breaker breaker{"llm.judge", {.failure_threshold = 1}};

  template <class F>
  decision ask(sg::llm::fallback_decision instead, F f) {
    const sg::pipeline policies{sg::fallback(std::move(instead)), sg::guard(breaker)};
    return policies(f);
  }
  static decision broken() { throw std::runtime_error("the prompt was: secret"); }
};

TEST_F(fallback_decision, stays_out_of_it_while_the_model_answers) {
  EXPECT_EQ(ask(sg::llm::fallback_decision(), [] { return decision{true, 0.9, "harmless"}; }), (decision{true, 0.9, "harmless"}));
}

TEST_F(fallback_decision, denies_without_confidence_when_the_model_fails) {
  EXPECT_EQ(ask(sg::llm::fallback_decision(), broken), (decision{false, 0, "the model is unavailable: the call failed"}));
  EXPECT_EQ(ask(sg::llm::fallback_decision(), broken),
            (decision{false, 0, "the model is unavailable: the circuit llm.judge is open"}));
}

TEST_F(fallback_decision, tells_a_timeout_and_a_rejection_apart) {
  EXPECT_EQ(ask(sg::llm::fallback_decision(), []() -> decision { throw sg::call_timeout_error("llm", 1s); }).reason,
            "the model is unavailable: it took too long");
  breaker.reset();
  EXPECT_EQ(ask(sg::llm::fallback_decision(), []() -> decision { throw sg::rejected_error("busy"); }).reason,
            "the model is unavailable: the call was rejected");
}

TEST_F(fallback_decision, answers_as_it_is_told) {
  const sg::llm::fallback_decision open({.allow = true, .confidence = 0.2, .reason = "fail open"});
  EXPECT_EQ(ask(open, broken), (decision{true, 0.2, "fail open"}));
}

TEST_F(fallback_decision, asks_a_rule_first) {
  const sg::llm::fallback_decision ruled({.rule = [](const sg::failure_info& why) -> std::optional<decision> {
    if (why.circuit() == nullptr) return std::nullopt;
    return decision{true, 0.1, "known to be down"};
  }});
  EXPECT_FALSE(ask(ruled, broken).allow);
  EXPECT_TRUE(ask(ruled, broken).allow);
}

TEST_F(fallback_decision, has_a_confidence_between_0_and_1) {
  for (const double confidence : {-0.1, 1.1, std::numeric_limits<double>::quiet_NaN()}) {
    EXPECT_THROW(sg::llm::fallback_decision({.confidence = confidence}), sg::config_error);
  }
}

}  // namespace
