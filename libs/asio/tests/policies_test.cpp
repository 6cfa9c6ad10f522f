// SPDX-License-Identifier: Apache-2.0
#include "support.hpp"

#include <switchgear/guard.hpp>
#include <switchgear/pipeline.hpp>
#include <switchgear/retry.hpp>
#include <switchgear/time_limiter.hpp>
#include <switchgear/timeout.hpp>

#include <gtest/gtest.h>

namespace {

using namespace tests;

// --- guard ---

TEST(asio_guard, counts_what_the_operation_brings) {
  world w;
  sg::circuit_breaker breaker{"b", {.failure_threshold = 2}, w.clock};
  ending first, second;
  w.start_apart(breaker, first);
  w.start_apart(breaker, second);
  w.dependency.answer(0, 7);
  w.dependency.fail(1);
  w.run();
  EXPECT_EQ(first.value, 7);
  EXPECT_TRUE(is<boost::system::system_error>(second.error));
  EXPECT_EQ(breaker.snapshot().metrics.successes, 1u);
  EXPECT_EQ(breaker.snapshot().metrics.failures, 1u);
}

TEST(asio_guard, rejects_without_starting_the_operation_and_says_who_asked) {
  world w;
  sg::circuit_breaker breaker{"b", {}, w.clock};
  breaker.trip();
  ending e;
  sg::asio::call(breaker, {.correlation_id = "order-7"}, w.ask(), w.handler(e));
  EXPECT_EQ(e.times, 0) << "the handler may not be called from within call()";
  w.run();
  ASSERT_EQ(e.times, 1);
  EXPECT_EQ(w.dependency.started(), 0u);
  try {
    std::rethrow_exception(e.error);
  } catch (const sg::circuit_open_error& error) {
    EXPECT_EQ(error.correlation_id(), "order-7");
  }
}

TEST(asio_guard, asks_the_classifier_about_values_and_error_codes) {
  world w;
  sg::circuit_breaker breaker{"b",
                              {.failure_threshold = 5},
                              sg::classifier{}
                                  .fail_if([](const int& v) { return v == 503; })
                                  .judge_exception<boost::system::system_error>([](const auto& e) {
                                    return e.code() == asio::error::connection_refused ? sg::verdict::ignored
                                                                                       : sg::verdict::failure;
                                  })};
  ending bad, refused;
  w.start_apart(breaker, bad);
  w.start_apart(breaker, refused);
  w.dependency.answer(0, 503);
  w.dependency.fail(1);
  w.run();
  EXPECT_EQ(bad.value, 503);
  EXPECT_EQ(breaker.snapshot().metrics.failures, 1u);
  EXPECT_EQ(breaker.snapshot().metrics.ignored, 1u);
}

// trap 34
TEST(asio_guard, settles_as_a_failure_when_a_rule_throws_and_lets_its_exception_pass) {
  world w;
  sg::circuit_breaker breaker{"b", {}, sg::classifier{}.fail_if([](const int&) -> bool { throw std::domain_error("rule"); })};
  ending e;
  w.start(breaker, e);
  w.dependency.answer(0, 1);
  w.run();
  EXPECT_TRUE(is<std::domain_error>(e.error));
  EXPECT_EQ(breaker.snapshot().metrics.failures, 1u);
}

TEST(asio_guard, opens_closes_and_gives_probes_like_a_blocking_one) {
  world w;
  sg::circuit_breaker breaker{"b", {.failure_threshold = 1, .open_duration = 1s, .success_threshold = 1}, w.clock};
  ending e;
  w.start(breaker, e);
  w.dependency.fail(0);
  w.run();
  EXPECT_TRUE(breaker.is_open());
  w.advance(1s);
  ending probe, other;
  w.start_apart(breaker, probe);
  w.start_apart(breaker, other);
  EXPECT_EQ(breaker.snapshot().probes_in_flight, 1u);
  w.dependency.answer(1, 1);
  w.run();
  EXPECT_TRUE(is<sg::circuit_open_error>(other.error));
  EXPECT_EQ(probe.value, 1);
  EXPECT_TRUE(breaker.is_closed());
}

TEST(asio_guard, cancels_the_operation_at_the_call_timeout) {
  world w;
  sg::circuit_breaker breaker{"b", {.call_timeout = 10s}, w.clock};
  ending e;
  w.start(breaker, e);
  w.run();
  w.advance(9s);
  EXPECT_EQ(e.times, 0);
  w.advance(1s);
  ASSERT_EQ(e.times, 1);
  EXPECT_TRUE(is<sg::call_timeout_error>(e.error));
  EXPECT_TRUE(is_aborted(nested_in(e.error)));
  EXPECT_EQ(breaker.snapshot().metrics.timeouts, 1u);
  EXPECT_EQ(w.dependency.under_way(), 0u);
}

TEST(asio_guard, takes_its_timer_back_when_the_operation_is_in_time) {
  world w;
  sg::circuit_breaker breaker{"b", {.call_timeout = 10s}, w.clock};
  ending e;
  w.start(breaker, e);
  w.run();
  EXPECT_EQ(w.clock.timers(), 1u);
  w.dependency.answer(0, 1);
  w.run();
  EXPECT_EQ(e.value, 1);
  EXPECT_EQ(w.clock.timers(), 0u);
  EXPECT_EQ(breaker.snapshot().metrics.successes, 1u);
}

// --- retry ---

TEST(asio_retry, tries_again_after_the_back_off) {
  world w;
  const sg::retry retry({.max_attempts = 3, .backoff = sg::constant(1s)}, w.clock);
  ending e;
  w.start(retry, e);
  w.dependency.fail(0);
  w.run();
  EXPECT_EQ(w.dependency.started(), 1u);
  w.advance(1s);
  ASSERT_EQ(w.dependency.started(), 2u);
  w.dependency.answer(1, 5);
  w.run();
  EXPECT_EQ(e.value, 5);
  EXPECT_EQ(retry.metrics().after_retries, 1u);
}

TEST(asio_retry, gives_the_original_error_after_the_last_attempt_with_a_report) {
  world w;
  const sg::retry retry({.max_attempts = 2, .backoff = sg::constant(0ns)}, w.clock);
  std::optional<sg::retry_report> report;
  ending e;
  sg::asio::call(retry, w.ask(), asio::bind_executor(w.io->get_executor(), [&](std::exception_ptr error, int) {
                   report = sg::retry_report_of(error);
                   e.error = std::move(error);
                 }));
  w.dependency.fail(0);
  w.run();
  w.dependency.fail(1);
  w.run();
  EXPECT_TRUE(is<boost::system::system_error>(e.error));
  ASSERT_TRUE(report);
  EXPECT_EQ(report->attempts, 2);
  EXPECT_EQ(report->stopped, sg::retry_stop::attempts_used_up);
}

TEST(asio_retry, does_not_try_an_open_circuit_again) {
  world w;
  sg::circuit_breaker breaker{"b", {.failure_threshold = 1}, w.clock};
  const auto p = sg::pipeline(sg::retry({.max_attempts = 5, .backoff = sg::constant(1s)}, w.clock), sg::guard(breaker));
  ending e;
  w.start(p, e);
  w.dependency.fail(0);
  w.run();
  w.advance(1s);
  EXPECT_TRUE(is<sg::circuit_open_error>(e.error));
  EXPECT_EQ(w.dependency.started(), 1u);
}

TEST(asio_retry, survives_a_thousand_attempts_that_end_at_once) {
  world w;
  const sg::retry retry({.max_attempts = 1000, .backoff = sg::constant(0ns)}, w.clock);
  int calls = 0;
  ending e;
  sg::asio::call(
      retry,
      [&](auto token) {
        if (++calls <= 1000) throw std::runtime_error("no socket");
        return w.dependency.async_ask(token);
      },
      w.handler(e));
  w.run();
  EXPECT_EQ(calls, 1000);
  EXPECT_TRUE(is<std::runtime_error>(e.error));
}

TEST(asio_retry, judges_values) {
  world w;
  const sg::retry retry(
      {.max_attempts = 2, .backoff = sg::constant(0ns), .when = sg::classifier{}.fail_if([](const int& v) { return v == 503; })},
      w.clock);
  ending e;
  w.start(retry, e);
  w.dependency.answer(0, 503);
  w.run();
  w.dependency.answer(1, 200);
  w.run();
  EXPECT_EQ(e.value, 200);
}

// --- timeout ---

TEST(asio_timeout, cancels_an_operation_that_listens_and_completes_when_it_has_ended) {
  world w;
  const sg::timeout limit(2s, w.clock);
  ending e;
  w.start(limit, e);
  w.run();
  w.advance(2s);
  ASSERT_EQ(e.times, 1);
  EXPECT_TRUE(is<sg::call_timeout_error>(e.error));
  EXPECT_TRUE(is_aborted(nested_in(e.error)));
  EXPECT_EQ(w.dependency.under_way(), 0u);
  EXPECT_EQ(limit.metrics().timeouts, 1u);
  EXPECT_EQ(w.clock.timers(), 0u);
}

TEST(asio_timeout, leaves_an_operation_behind_at_once_that_cannot_be_cancelled) {
  world w;
  w.dependency.how = remote::manners::deaf;
  ending e;
  w.start(sg::timeout(2s, w.clock), e);
  w.run();
  w.advance(2s);
  ASSERT_EQ(e.times, 1);
  EXPECT_TRUE(is<sg::call_timeout_error>(e.error));
  EXPECT_EQ(w.dependency.under_way(), 1u);
  w.dependency.answer(0, 3);
  w.run();
  EXPECT_EQ(e.times, 1);
}

TEST(asio_timeout, leaves_an_operation_behind_that_does_not_end_in_spite_of_it) {
  world w;
  w.dependency.how = remote::manners::stubborn;
  sg::circuit_breaker breaker{"b", {}, w.clock};
  ending e;
  sg::asio::call(sg::pipeline(sg::timeout(2s, w.clock), sg::guard(breaker)), {.abandon_after = 50ms}, w.ask(), w.handler(e));
  w.run();
  w.advance(2s);
  EXPECT_EQ(e.times, 0);
  EXPECT_EQ(w.dependency.asked(0), 1);
  EXPECT_EQ(breaker.snapshot().metrics.timeouts, 1u) << "the verdict is settled at the deadline";
  w.advance(50ms);
  ASSERT_EQ(e.times, 1);
  EXPECT_TRUE(is<sg::call_timeout_error>(e.error));
  w.dependency.answer(0, 3);
  w.run();
  EXPECT_EQ(e.times, 1);
  EXPECT_EQ(breaker.snapshot().metrics.timeouts, 1u);
  EXPECT_EQ(breaker.snapshot().metrics.total_calls(), 1u);
}

TEST(asio_timeout, waits_for_an_operation_as_long_as_it_takes_if_asked_to) {
  world w;
  w.dependency.how = remote::manners::stubborn;
  ending e;
  sg::asio::call(sg::timeout(2s, w.clock), {.abandon_after = std::chrono::nanoseconds::max()}, w.ask(), w.handler(e));
  w.run();
  w.advance(2s);
  w.advance(24h);
  EXPECT_EQ(e.times, 0);
  w.dependency.answer(0, 3);
  w.run();
  EXPECT_TRUE(is<sg::call_timeout_error>(e.error)) << "a value that comes too late is a timeout";
}

TEST(asio_timeout, keeps_the_function_while_an_operation_left_behind_may_refer_to_it) {
  world w;
  w.dependency.how = remote::manners::deaf;
  const auto owned = std::make_shared<int>(1);
  ending e;
  sg::asio::call(
      sg::timeout(2s, w.clock), [&w, owned](auto token) { return w.dependency.async_ask(token); }, w.handler(e));
  w.run();
  w.advance(2s);
  EXPECT_EQ(e.times, 1);
  EXPECT_EQ(owned.use_count(), 2);
  w.dependency.answer(0, 1);
  w.run();
  EXPECT_EQ(owned.use_count(), 1);
}

TEST(asio_timeout, starts_the_next_attempt_beside_an_operation_left_behind_and_does_not_mix_them_up) {
  world w;
  w.dependency.how = remote::manners::deaf;
  const auto p = sg::pipeline(sg::retry({.max_attempts = 2, .backoff = sg::constant(0ns)}, w.clock), sg::timeout(2s, w.clock));
  ending e;
  w.start(p, e);
  w.run();
  w.advance(2s);
  ASSERT_EQ(w.dependency.started(), 2u);
  w.dependency.answer(0, 100);
  w.run();
  EXPECT_EQ(e.times, 0);
  w.dependency.answer(1, 5);
  w.run();
  EXPECT_EQ(e.value, 5);
}

TEST(asio_timeout, lets_rejections_and_errors_in_time_pass) {
  world w;
  sg::circuit_breaker breaker{"b", {}, w.clock};
  breaker.trip();
  ending rejected, failed;
  w.start_apart(sg::pipeline(sg::timeout(2s, w.clock), sg::guard(breaker)), rejected);
  w.start_apart(sg::timeout(2s, w.clock), failed);
  w.run();
  w.dependency.fail(0);
  w.run();
  EXPECT_TRUE(is<sg::circuit_open_error>(rejected.error));
  EXPECT_TRUE(is<boost::system::system_error>(failed.error));
  EXPECT_EQ(w.clock.timers(), 0u);
}

TEST(asio_timeout, is_a_timeout_for_a_breaker_outside_it_too) {
  world w;
  sg::circuit_breaker breaker{"b", {}, w.clock};
  ending e;
  w.start(sg::pipeline(sg::guard(breaker), sg::timeout(2s, w.clock)), e);
  w.run();
  w.advance(2s);
  EXPECT_EQ(breaker.snapshot().metrics.timeouts, 1u);
}

TEST(asio_time_limiter, is_a_timeout_that_needs_no_thread) {
  world w;
  const sg::time_limiter limiter({.limit = 2s}, w.clock);
  ending late, good;
  w.start_apart(limiter, late);
  w.start_apart(limiter, good);
  w.run();
  w.dependency.answer(1, 4);
  w.run();
  w.advance(2s);
  EXPECT_TRUE(is<sg::call_timeout_error>(late.error));
  EXPECT_EQ(good.value, 4);
  EXPECT_EQ(limiter.metrics().timeouts, 1u);
}

}  // namespace
