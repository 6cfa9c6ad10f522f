// SPDX-License-Identifier: Apache-2.0
#include "support/limited.hpp"

#include <switchgear/circuit_breaker.hpp>
#include <switchgear/fallback.hpp>
#include <switchgear/guard.hpp>
#include <switchgear/pipeline.hpp>
#include <switchgear/retry.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <latch>
#include <optional>
#include <string>
#include <thread>
#include <vector>

// A time_limiter whose call did not get to do its work, or says more than its exception.

namespace {

using namespace limited;

/// A call through `policy` that is still in the queue when the two seconds are over.
template <class Policy, class Check>
void wait_in_the_queue(manual_clock& clock, executors::by_hand& queue, const Policy& policy, const Check& check) {
  std::jthread caller([&] { check([&] { policy([] {}); }); });
  while (clock.timers() == 0) std::this_thread::yield();
  clock.advance(2s);
  caller.join();
  queue.run_one();
}

TEST(time_limiter, is_rejected_when_no_thread_was_free_until_the_deadline) {
  manual_clock clock;
  executors::by_hand later;
  const sg::time_limiter limiter({.name = "lookup", .limit = 2s, .executor = &later}, clock);
  wait_in_the_queue(clock, later, sg::pipeline(limiter), [](const auto& call) {
    try {
      call();
      ADD_FAILURE();
    } catch (const sg::executor_full_error& e) {
      EXPECT_STREQ(e.what(), "lookup: by_hand had no thread within 2s");
      EXPECT_EQ(e.executor_name(), "by_hand");
    }
  });
  EXPECT_EQ(limiter.metrics().refused, 1u);
  EXPECT_EQ(limiter.metrics().timeouts, 0u);
}

// trap 18: own limits pollute the rate
TEST(time_limiter, trap_18_is_no_evidence_for_a_breaker_around_it_when_no_thread_was_free) {
  manual_clock clock;
  executors::by_hand later;
  sg::circuit_breaker ldap("ldap", {.failure_threshold = 1}, clock);
  const auto guarded = sg::pipeline(sg::guard(ldap), sg::time_limiter({.limit = 2s, .executor = &later}, clock));
  wait_in_the_queue(clock, later, guarded, [](const auto& call) { EXPECT_THROW(call(), sg::rejected_error); });
  EXPECT_EQ(ldap.snapshot().metrics.ignored, 1u);
  EXPECT_TRUE(ldap.is_closed());
}

TEST(time_limiter, lets_a_late_rejection_pass) {
  manual_clock clock;
  executors::at_once here;
  const sg::time_limiter limiter({.limit = 2s, .executor = &here}, clock);
  EXPECT_THROW(limiter.call([&] {
    clock.advance(2s);
    throw sg::rejected_error("full");
  }), sg::rejected_error);
  EXPECT_EQ(limiter.metrics().timeouts, 0u);
}

TEST(time_limiter, counts_and_tells_of_a_call_that_the_executor_turned_away_at_its_end) {
  manual_clock clock;
  std::latch inside(1);
  gate end;
  std::optional<sg::thread_pool> pool(std::in_place, sg::thread_pool_options{.name = "ldap", .threads = 1});
  const sg::time_limiter limiter({.limit = 2s, .executor = &*pool}, clock);
  std::vector<std::string> lines;
  const auto subscription = limiter.observe([&](const sg::policy_event& e) { lines.push_back(sg::log_line(e)); });
  ASSERT_TRUE(pool->post([&] {
    inside.count_down();
    end.wait();
  }));
  inside.wait();
  std::jthread caller([&] { EXPECT_THROW(limiter.call([] {}), sg::executor_full_error); });
  while (pool->metrics().waiting == 0) std::this_thread::yield();
  const std::stop_callback on_closing(pool->closing(), [&] { end.open(); });
  pool.reset();
  caller.join();
  EXPECT_EQ(limiter.metrics().refused, 1u);
  sg::drain_events();
  EXPECT_THAT(lines, testing::ElementsAre("time_limiter: rejected: time_limiter: ldap is about to end"));
}

TEST(time_limiter, says_whether_a_cancelled_call_had_begun) {
  executors::by_hand later;
  const sg::time_limiter limiter({.executor = &later});
  std::stop_source caller;
  caller.request_stop();
  try {
    limiter.call({.stop = caller.get_token()}, [] {});
    FAIL();
  } catch (const sg::cancelled_error& e) {
    EXPECT_STREQ(e.what(), "time_limiter: cancelled before the call began");
  }
}

TEST(time_limiter, carries_the_report_of_a_retry_further_in_to_the_caller) {
  setup t;
  const auto guarded = sg::pipeline(t.limiter, sg::retry({.max_attempts = 3, .backoff = sg::constant(0s)}, t.clock));
  try {
    guarded([] { throw outage("down"); });
    FAIL();
  } catch (const outage&) {
    const auto report = sg::retry_report_of(std::current_exception());
    ASSERT_TRUE(report);
    EXPECT_EQ(report->attempts, 3);
    EXPECT_EQ(report->stopped, sg::retry_stop::attempts_used_up);
  }
}

TEST(time_limiter, carries_the_failure_before_a_fallback_further_in_to_the_caller) {
  setup t;
  const sg::fallback cache([]() -> int { throw outage("not in the cache"); });
  try {
    sg::pipeline(t.limiter, cache)([]() -> int { throw std::logic_error("first"); });
    FAIL();
  } catch (const outage&) {
    EXPECT_THROW(std::rethrow_exception(sg::failure_before_fallback(std::current_exception())), std::logic_error);
  }
}

}  // namespace
