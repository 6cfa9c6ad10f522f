// SPDX-License-Identifier: Apache-2.0
#include "support.hpp"

#include <switchgear/guard.hpp>
#include <switchgear/hedge.hpp>
#include <switchgear/pipeline.hpp>
#include <switchgear/retry.hpp>
#include <switchgear/testing/event_recorder.hpp>
#include <switchgear/timeout.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

// That the events of a breaker tell whose call it was, whatever way it is settled.

namespace {

using namespace tests;
using sg::event_kind;
using testing::ElementsAre;

struct asio_correlation_id : testing::Test {
  world w;
  sg::circuit_breaker breaker{"b", {.failure_threshold = 5, .call_timeout = 10s},
                              sg::classifier{}.fail_if([](const int& v) { return v == 503; }), w.clock};
  sg::testing::event_recorder recorder{breaker};
  ending e;

  template <class Target>
  void start(Target&& target) {
    sg::asio::call(std::forward<Target>(target), {.correlation_id = "order-4711"}, w.ask(), w.handler(e));
    w.run();
  }
  std::vector<std::string> ids_of(event_kind kind) {
    sg::drain_events();
    std::vector<std::string> out;
    for (const sg::event& told : recorder.events(kind)) out.push_back(told.correlation_id);
    return out;
  }
};

TEST_F(asio_correlation_id, of_a_success_is_told) {
  start(breaker);
  w.dependency.answer(0, 1);
  w.run();
  EXPECT_EQ(e.value, 1);
  EXPECT_THAT(ids_of(event_kind::success), ElementsAre("order-4711"));
}

TEST_F(asio_correlation_id, of_a_failure_is_told) {
  start(breaker);
  w.dependency.fail(0);
  w.run();
  EXPECT_THAT(ids_of(event_kind::failure), ElementsAre("order-4711"));
}

TEST_F(asio_correlation_id, of_a_value_that_counts_as_failure_is_told) {
  start(breaker);
  w.dependency.answer(0, 503);
  w.run();
  EXPECT_EQ(e.value, 503);
  EXPECT_THAT(ids_of(event_kind::failure), ElementsAre("order-4711"));
}

TEST_F(asio_correlation_id, of_a_call_timeout_is_told) {
  start(breaker);
  w.advance(10s);
  EXPECT_TRUE(is<sg::call_timeout_error>(e.error));
  EXPECT_THAT(ids_of(event_kind::failure), ElementsAre("order-4711"));
}

TEST_F(asio_correlation_id, of_a_time_limit_further_out_is_told) {
  start(sg::pipeline(sg::timeout(2s, w.clock), sg::guard(breaker)));
  w.advance(2s);
  EXPECT_THAT(ids_of(event_kind::failure), ElementsAre("order-4711"));
}

TEST_F(asio_correlation_id, of_a_call_that_its_caller_gave_up_is_told) {
  start(breaker);
  w.cancel.emit(asio::cancellation_type::terminal);
  w.run();
  EXPECT_TRUE(is_aborted(e.error));
  EXPECT_THAT(ids_of(event_kind::ignored), ElementsAre("order-4711"));
}

TEST_F(asio_correlation_id, of_the_loser_of_a_hedge_is_told) {
  start(sg::pipeline(sg::hedge({.delay = 1s}, w.clock), sg::guard(breaker)));
  w.advance(1s);
  w.dependency.answer(1, 2);
  w.run();
  EXPECT_EQ(e.value, 2);
  EXPECT_THAT(ids_of(event_kind::ignored), ElementsAre("order-4711"));
}

TEST_F(asio_correlation_id, of_a_rejection_is_told) {
  breaker.trip();
  start(breaker);
  EXPECT_TRUE(is<sg::circuit_open_error>(e.error));
  EXPECT_THAT(ids_of(event_kind::rejected), ElementsAre("order-4711"));
}

TEST_F(asio_correlation_id, of_each_attempt_is_told) {
  start(sg::pipeline(sg::retry({.max_attempts = 2, .backoff = sg::constant(0ns)}, w.clock), sg::guard(breaker)));
  w.dependency.fail(0);
  w.run();
  w.advance(0ns);
  w.dependency.fail(1);
  w.run();
  EXPECT_THAT(ids_of(event_kind::failure), ElementsAre("order-4711", "order-4711"));
}

}  // namespace
