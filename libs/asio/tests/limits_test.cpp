// SPDX-License-Identifier: Apache-2.0
#include "support.hpp"

#include <switchgear/adaptive_limiter.hpp>
#include <switchgear/bulkhead.hpp>
#include <switchgear/guard.hpp>
#include <switchgear/pipeline.hpp>
#include <switchgear/rate_limiter.hpp>
#include <switchgear/timeout.hpp>

#include <gtest/gtest.h>

#include <array>

namespace {

using namespace tests;

// --- bulkhead ---

TEST(asio_bulkhead, rejects_what_finds_no_place_and_is_no_evidence) {
  world w;
  sg::circuit_breaker breaker{"b", {.failure_threshold = 1}, w.clock};
  const sg::bulkhead places({.max_concurrent = 1}, w.clock);
  const auto p = sg::pipeline(sg::guard(breaker), places);
  ending first, second;
  w.start_apart(p, first);
  w.start_apart(p, second);
  w.run();
  EXPECT_TRUE(is<sg::bulkhead_full_error>(second.error));
  w.dependency.answer(0, 1);
  w.run();
  EXPECT_EQ(first.value, 1);
  EXPECT_EQ(places.metrics().in_use, 0);
  EXPECT_EQ(breaker.snapshot().metrics.ignored, 1u);
}

TEST(asio_bulkhead, queues_without_a_thread_first_come_first_served) {
  world w;
  const sg::bulkhead places({.max_concurrent = 1, .max_queue = 2}, w.clock);
  std::array<ending, 4> e;
  for (ending& one : e) w.start_apart(places, one);
  w.run();
  EXPECT_TRUE(is<sg::bulkhead_full_error>(e[3].error));
  EXPECT_EQ(w.dependency.started(), 1u);
  EXPECT_EQ(places.metrics().queued, 2);
  for (std::size_t i = 0; i < 3; ++i) {
    ASSERT_EQ(w.dependency.started(), i + 1);
    w.dependency.answer(i, static_cast<int>(i) + 10);
    w.run();
    EXPECT_EQ(e[i].value, static_cast<int>(i) + 10);
  }
  EXPECT_EQ(places.metrics().in_use, 0);
  EXPECT_EQ(places.metrics().queued, 0);
  EXPECT_EQ(w.clock.timers(), 0u);
}

TEST(asio_bulkhead, ends_a_wait_that_takes_too_long) {
  world w;
  const sg::bulkhead places({.max_concurrent = 1, .max_queue = 1, .max_wait = 2s}, w.clock);
  ending first, second;
  w.start_apart(places, first);
  w.start(places, second);
  w.run();
  w.advance(2s);
  EXPECT_TRUE(is<sg::bulkhead_full_error>(second.error));
  EXPECT_EQ(places.metrics().timed_out, 1u);
  EXPECT_EQ(places.metrics().queued, 0);
  w.dependency.answer(0, 1);
  w.run();
  EXPECT_EQ(places.metrics().in_use, 0);
}

TEST(asio_bulkhead, takes_the_timer_back_when_the_place_comes) {
  world w;
  const sg::bulkhead places({.max_concurrent = 1, .max_queue = 1, .max_wait = 2s}, w.clock);
  ending first, second;
  w.start_apart(places, first);
  w.start(places, second);
  w.run();
  w.dependency.answer(0, 1);
  w.run();
  EXPECT_EQ(w.dependency.started(), 2u);
  EXPECT_EQ(w.clock.timers(), 0u);
  w.dependency.answer(1, 1);
  w.run();
}

TEST(asio_bulkhead, gives_a_place_back_that_comes_when_its_call_is_gone) {
  world w;
  const sg::bulkhead places({.max_concurrent = 1, .max_queue = 1}, w.clock);
  ending first, second;
  w.start_apart(places, first);
  w.start(places, second);
  w.run();
  w.dependency.answer(0, 1);
  while (places.metrics().queued == 1) ASSERT_EQ(w.io->poll_one(), 1u);  // granted, and not yet heard of
  w.cancel.emit(asio::cancellation_type::terminal);
  w.run();
  EXPECT_EQ(places.metrics().in_use, 0);
  EXPECT_EQ(second.times, 1);
}

TEST(asio_bulkhead, a_place_in_the_queue_ends_with_the_time_limit_around_it) {
  world w;
  const sg::bulkhead places({.max_concurrent = 1, .max_queue = 1}, w.clock);
  ending first, second;
  w.start_apart(places, first);
  w.start(sg::pipeline(sg::timeout(1s, w.clock), places), second);
  w.run();
  w.advance(1s);
  EXPECT_TRUE(is<sg::call_timeout_error>(second.error));
  EXPECT_EQ(places.metrics().queued, 0);
}

// --- rate_limiter ---

TEST(asio_rate_limiter, waits_for_its_turn_on_the_clock) {
  world w;
  const sg::rate_limiter rate({.permits = 1, .per = 1s, .max_wait = 1s}, w.clock);
  ending first, second, third;
  w.start_apart(rate, first);
  w.start(rate, second);
  w.start_apart(rate, third);
  w.run();
  EXPECT_EQ(w.dependency.started(), 1u);
  EXPECT_TRUE(is<sg::rate_limited_error>(third.error));
  w.advance(1s);
  EXPECT_EQ(w.dependency.started(), 2u);
  w.dependency.answer(0, 1);
  w.dependency.answer(1, 2);
  w.run();
  EXPECT_EQ(second.value, 2);
  EXPECT_EQ(rate.metrics().delayed, 1u);
}

TEST(asio_rate_limiter, gives_a_turn_back_that_is_not_used) {
  world w;
  const sg::rate_limiter rate({.permits = 1, .per = 1s, .max_wait = 1s}, w.clock);
  ending first, second;
  w.start_apart(rate, first);
  w.start(rate, second);
  w.cancel.emit(asio::cancellation_type::total);
  w.run();
  EXPECT_TRUE(is_aborted(second.error));
  EXPECT_EQ(rate.metrics().cancelled, 1u);
  EXPECT_EQ(rate.metrics().lost, 0u);
  EXPECT_EQ(w.clock.timers(), 0u);
}

// --- adaptive_limiter ---

TEST(asio_adaptive_limiter, limits_the_calls_in_flight_and_tells_how_they_ended) {
  world w;
  const sg::adaptive_limiter limiter({.initial_limit = 3, .min_limit = 1, .max_limit = 3}, w.clock);
  std::array<ending, 4> e;
  for (ending& one : e) w.start_apart(sg::pipeline(sg::timeout(1s, w.clock), limiter), one);
  w.run();
  EXPECT_TRUE(is<sg::limit_exceeded_error>(e[3].error));
  EXPECT_EQ(limiter.metrics().in_flight, 3);
  w.dependency.answer(0, 1);
  w.run();
  w.advance(1s);
  EXPECT_EQ(limiter.metrics().succeeded, 1u);
  EXPECT_EQ(limiter.metrics().dropped, 2u);
  EXPECT_EQ(limiter.metrics().in_flight, 0);
}

TEST(asio_adaptive_limiter, learns_nothing_from_a_cancelled_call) {
  world w;
  const sg::adaptive_limiter limiter({}, w.clock);
  ending e;
  w.start(limiter, e);
  w.cancel.emit(asio::cancellation_type::terminal);
  w.run();
  EXPECT_EQ(limiter.metrics().ignored, 1u);
  EXPECT_EQ(limiter.metrics().in_flight, 0);
}

}  // namespace
