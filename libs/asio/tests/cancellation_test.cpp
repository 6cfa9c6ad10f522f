// SPDX-License-Identifier: Apache-2.0
#include "support.hpp"

#include <switchgear/fallback.hpp>
#include <switchgear/guard.hpp>
#include <switchgear/hedge.hpp>
#include <switchgear/pipeline.hpp>
#include <switchgear/retry.hpp>
#include <switchgear/timeout.hpp>

#include <boost/asio/post.hpp>

#include <gtest/gtest.h>

namespace {

using namespace tests;
using asio::cancellation_type;

TEST(asio_cancellation, is_handed_on_and_is_no_evidence) {
  world w;
  sg::circuit_breaker breaker{"b", {.failure_threshold = 1}, w.clock};
  ending e;
  w.start(breaker, e);
  w.cancel.emit(cancellation_type::terminal);
  w.run();
  EXPECT_TRUE(is_aborted(e.error));
  EXPECT_EQ(breaker.snapshot().metrics.ignored, 1u);
  EXPECT_TRUE(breaker.is_closed());
}

// trap 2
TEST(asio_cancellation, of_a_probe_gives_its_slot_back) {
  world w;
  sg::circuit_breaker breaker{"b", {.open_duration = 1s}, w.clock};
  breaker.trip();
  w.clock.advance(1s);
  ending e;
  w.start(breaker, e);
  EXPECT_EQ(breaker.snapshot().probes_in_flight, 1u);
  w.cancel.emit(cancellation_type::terminal);
  w.run();
  EXPECT_EQ(breaker.snapshot().probes_in_flight, 0u);
  EXPECT_TRUE(breaker.is_half_open());
}

TEST(asio_cancellation, that_comes_too_late_for_the_operation_counts_what_it_brings) {
  world w;
  w.dependency.how = remote::manners::stubborn;
  sg::circuit_breaker breaker{"b", {}, w.clock};
  ending e;
  w.start(breaker, e);
  w.cancel.emit(cancellation_type::partial);
  w.run();
  EXPECT_EQ(e.times, 0) << "the caller waits as long as the operation takes";
  EXPECT_EQ(w.dependency.asked(0), 1);
  w.dependency.answer(0, 4);
  w.run();
  EXPECT_EQ(e.value, 4);
  EXPECT_EQ(breaker.snapshot().metrics.successes, 1u);
}

// trap 33
TEST(asio_cancellation, ends_a_back_off_at_once_with_the_last_failure_nested) {
  world w;
  const sg::retry retry({.max_attempts = 3, .backoff = sg::constant(1s)}, w.clock);
  ending e;
  w.start(retry, e);
  w.dependency.fail(0);
  w.run();
  EXPECT_EQ(w.clock.timers(), 1u);
  w.cancel.emit(cancellation_type::total);
  w.run();
  EXPECT_TRUE(is_aborted(e.error));
  EXPECT_FALSE(is_aborted(nested_in(e.error)));
  EXPECT_TRUE(is<boost::system::system_error>(nested_in(e.error)));
  EXPECT_EQ(w.clock.timers(), 0u);
  EXPECT_EQ(retry.metrics().cancelled, 1u);
}

TEST(asio_cancellation, from_a_handler_on_the_same_executor_ends_a_wait_at_once) {
  world w;
  ending e;
  w.start(sg::retry({.max_attempts = 3, .backoff = sg::constant(1s)}, w.clock), e);
  w.dependency.fail(0);
  w.run();
  asio::post(*w.io, [&] {
    w.cancel.emit(cancellation_type::terminal);
    EXPECT_EQ(e.times, 1);
  });
  w.run();
  EXPECT_TRUE(is_aborted(e.error));
}

TEST(asio_cancellation, of_an_attempt_ends_the_retries) {
  world w;
  const sg::retry retry({.max_attempts = 3, .backoff = sg::constant(0ns)}, w.clock);
  ending e;
  w.start(retry, e);
  w.cancel.emit(cancellation_type::terminal);
  w.run();
  EXPECT_TRUE(is_aborted(e.error));
  EXPECT_EQ(w.dependency.started(), 1u);
  EXPECT_EQ(retry.metrics().cancelled, 1u);
}

TEST(asio_cancellation, that_an_attempt_ignores_ends_the_retries_too) {
  world w;
  w.dependency.how = remote::manners::stubborn;
  ending e;
  w.start(sg::retry({.max_attempts = 3, .backoff = sg::constant(0ns)}, w.clock), e);
  w.cancel.emit(cancellation_type::terminal);
  w.run();
  w.dependency.fail(0);
  w.run();
  EXPECT_EQ(e.times, 1);
  EXPECT_EQ(w.dependency.started(), 1u);
}

TEST(asio_cancellation, passes_a_fallback) {
  world w;
  const sg::fallback answer(3);
  ending e;
  w.start(answer, e);
  w.cancel.emit(cancellation_type::terminal);
  w.run();
  EXPECT_TRUE(is_aborted(e.error));
  EXPECT_EQ(answer.metrics().answered(), 0u);
}

TEST(asio_cancellation, within_a_time_limit_is_no_timeout) {
  world w;
  sg::circuit_breaker breaker{"b", {}, w.clock};
  const sg::timeout limit(1s, w.clock);
  ending e;
  w.start(sg::pipeline(limit, sg::guard(breaker)), e);
  w.run();
  w.cancel.emit(cancellation_type::terminal);
  w.run();
  EXPECT_TRUE(is_aborted(e.error));
  EXPECT_EQ(breaker.snapshot().metrics.ignored, 1u);
  EXPECT_EQ(limit.metrics().timeouts, 0u);
  EXPECT_EQ(w.clock.timers(), 0u);
}

TEST(asio_cancellation, that_is_ignored_does_not_lift_the_time_limit) {
  world w;
  w.dependency.how = remote::manners::stubborn;
  ending e;
  w.start(sg::timeout(1s, w.clock), e);
  w.run();
  w.cancel.emit(cancellation_type::total);
  w.run();
  w.advance(1s);
  w.advance(100ms);
  EXPECT_EQ(e.times, 1);
  EXPECT_TRUE(is_aborted(e.error)) << "the caller was first";
}

TEST(asio_cancellation, of_a_hedge_cancels_every_attempt) {
  world w;
  sg::circuit_breaker breaker{"b", {.failure_threshold = 1}, w.clock};
  ending e;
  w.start(sg::pipeline(sg::hedge({.delay = 1s, .max_hedges = 2}, w.clock), sg::guard(breaker)), e);
  w.run();
  w.advance(1s);
  w.advance(1s);
  EXPECT_EQ(w.dependency.under_way(), 3u);
  w.cancel.emit(cancellation_type::terminal);
  w.run();
  EXPECT_TRUE(is_aborted(e.error));
  EXPECT_EQ(w.dependency.under_way(), 0u);
  EXPECT_EQ(breaker.snapshot().metrics.ignored, 3u);
}

TEST(asio_cancellation, after_the_end_does_nothing) {
  world w;
  ending e;
  w.start(sg::retry({}, w.clock), e);
  w.dependency.answer(0, 1);
  w.run();
  EXPECT_FALSE(w.cancel.slot().has_handler());
  w.cancel.emit(cancellation_type::terminal);
  w.run();
  EXPECT_EQ(e.times, 1);
}

TEST(asio_cancellation, of_an_operation_whose_handler_was_dropped_does_nothing) {
  world w;
  sg::circuit_breaker breaker{"b", {}, w.clock};
  ending e;
  const auto drops = [](auto token) { return asio::async_initiate<decltype(token), void(error_code, int)>([](auto) {}, token); };
  sg::asio::call(breaker, drops, w.handler(e));
  EXPECT_EQ(breaker.snapshot().metrics.abandoned, 1u);
  w.cancel.emit(cancellation_type::terminal);
  w.run();
  EXPECT_EQ(e.times, 0);
}

TEST(asio_cancellation, is_heard_once_by_an_operation_that_ends_while_it_is_asked_to) {
  world w;
  sg::circuit_breaker breaker{"b", {}, w.clock};
  ending e;
  const auto ends_at_once = [](auto token) {
    return asio::async_initiate<decltype(token), void(error_code, int)>(
        [](auto handler) {
          auto slot = asio::get_associated_cancellation_slot(handler);
          const auto shared = std::make_shared<decltype(handler)>(std::move(handler));
          slot.assign([shared](cancellation_type) mutable {
            auto h = std::move(*shared);
            std::move(h)(error_code(asio::error::operation_aborted), 0);
          });
        },
        token);
  };
  sg::asio::call(sg::pipeline(sg::timeout(1s, w.clock), sg::guard(breaker)), ends_at_once, w.handler(e));
  w.run();
  w.advance(1s);
  EXPECT_EQ(e.times, 1);
  EXPECT_TRUE(is<sg::call_timeout_error>(e.error));
  EXPECT_EQ(breaker.snapshot().metrics.timeouts, 1u);
}

}  // namespace
