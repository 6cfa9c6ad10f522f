// SPDX-License-Identifier: Apache-2.0
// That the events of a guard tell whose call it was, also where somebody may stop waiting for it.
#include <switchgear/guard.hpp>
#include <switchgear/pipeline.hpp>
#include <switchgear/retry.hpp>
#include <switchgear/testing/event_recorder.hpp>
#include <switchgear/testing/manual_clock.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <vector>

namespace {

namespace sg = switchgear;
using testing::ElementsAre;

struct guard_context : testing::Test {
  sg::testing::manual_clock clock;
  sg::circuit_breaker breaker{"b", {.failure_threshold = 3}, clock};
  sg::testing::event_recorder recorder{breaker};
  std::stop_source stop;
  std::atomic<sg::call_fate> fate{sg::call_fate::wanted};
  sg::execution request{.stop = stop.get_token(), .context = {.correlation_id = "order-4711"}, .fate = &fate};

  std::vector<std::string> ids_of(sg::event_kind kind) {
    sg::drain_events();
    std::vector<std::string> out;
    for (const sg::event& e : recorder.events(kind)) out.push_back(e.correlation_id);
    return out;
  }
};

TEST_F(guard_context, is_told_of_a_failure_on_the_short_way) {
  const auto p = sg::pipeline(sg::guard(breaker));
  const sg::execution plain{.context = {.correlation_id = "order-4711"}};
  EXPECT_THROW(p(plain, []() -> int { throw std::runtime_error("refused"); }), std::runtime_error);
  EXPECT_THAT(ids_of(sg::event_kind::failure), ElementsAre("order-4711"));
}

TEST_F(guard_context, is_told_of_a_failure_of_a_call_that_may_be_stopped) {
  const auto p = sg::pipeline(sg::guard(breaker));
  EXPECT_THROW(p(request, []() -> int { throw std::runtime_error("refused"); }), std::runtime_error);
  EXPECT_THAT(ids_of(sg::event_kind::failure), ElementsAre("order-4711"));
}

TEST_F(guard_context, is_told_of_a_call_that_nobody_waits_for_any_more) {
  const auto p = sg::pipeline(sg::guard(breaker));
  EXPECT_EQ(p(request, [&] { return fate = sg::call_fate::timed_out, 1; }), 1);
  EXPECT_EQ(p(request, [&] { return fate = sg::call_fate::lost, 1; }), 1);
  EXPECT_THAT(ids_of(sg::event_kind::failure), ElementsAre("order-4711")) << "its time was up";
  EXPECT_THAT(ids_of(sg::event_kind::ignored), ElementsAre("order-4711")) << "another attempt won";
}

TEST_F(guard_context, is_told_of_a_call_that_its_caller_gave_up) {
  const auto p = sg::pipeline(sg::guard(breaker));
  const auto obeys = [&]() -> int { throw (stop.request_stop(), std::runtime_error("stopped")); };
  EXPECT_THROW(p(request, obeys), std::runtime_error);
  EXPECT_THAT(ids_of(sg::event_kind::ignored), ElementsAre("order-4711"));
}

TEST_F(guard_context, is_told_of_each_attempt) {
  const auto p = sg::pipeline(sg::retry({.max_attempts = 2, .backoff = sg::constant(std::chrono::nanoseconds(0))}, clock),
                              sg::guard(breaker));
  EXPECT_THROW(p(request, []() -> int { throw std::runtime_error("refused"); }), std::runtime_error);
  EXPECT_THAT(ids_of(sg::event_kind::failure), ElementsAre("order-4711", "order-4711"));
}

TEST_F(guard_context, is_told_of_a_rejection) {
  const auto p = sg::pipeline(sg::guard(breaker));
  breaker.trip();
  EXPECT_THROW(p(request, [] { return 1; }), sg::circuit_open_error);
  EXPECT_THAT(ids_of(sg::event_kind::rejected), ElementsAre("order-4711"));
}

}  // namespace
