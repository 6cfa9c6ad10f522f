// SPDX-License-Identifier: Apache-2.0
#include "support/limited.hpp"

#include <switchgear/circuit_breaker.hpp>
#include <switchgear/fallback.hpp>
#include <switchgear/guard.hpp>
#include <switchgear/hedge.hpp>
#include <switchgear/pipeline.hpp>
#include <switchgear/retry.hpp>
#include <switchgear/testing/manual_clock.hpp>
#include <switchgear/thread_pool.hpp>
#include <switchgear/time_limiter.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <latch>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>

namespace {

using namespace limited;

TEST(time_limiter, gives_what_the_function_returns) {
  setup t;
  EXPECT_EQ(t.limiter.call([] { return 5; }), 5);
}

TEST(time_limiter, runs_the_function_on_the_executor) {
  setup t;
  EXPECT_NE(t.limiter.call([] { return std::this_thread::get_id(); }), std::this_thread::get_id());
}

TEST(time_limiter, gives_what_the_function_throws_unchanged) {
  setup t;
  try {
    t.limiter.call([]() -> int { throw outage("connection refused"); });
    FAIL();
  } catch (const outage& e) {
    EXPECT_STREQ(e.what(), "connection refused");
  }
}

TEST(time_limiter, waits_until_the_deadline_exactly) {
  setup t;
  EXPECT_EQ(t.limiter.call([&] {
    t.clock.advance(2s - 1ns);
    return 5;
  }), 5);
  EXPECT_THROW(t.limiter.call([&] {
    t.clock.advance(2s);
    return 5;
  }), sg::call_timeout_error);
}

TEST(time_limiter, never_begins_a_call_whose_caller_wants_to_stop_already) {
  executors::by_hand later;
  const sg::time_limiter limiter({.executor = &later});
  std::stop_source caller;
  caller.request_stop();
  EXPECT_THROW(limiter.call({.stop = caller.get_token()}, [] {}), sg::cancelled_error);
  EXPECT_EQ(later.waiting(), 0u);
}

TEST(time_limiter, is_rejected_by_an_executor_without_room) {
  executors::full busy;
  const sg::time_limiter limiter({.name = "lookup", .executor = &busy});
  bool ran = false;
  EXPECT_THROW(limiter.call([&] { ran = true; }), sg::executor_full_error);
  EXPECT_FALSE(ran);
  EXPECT_EQ(limiter.metrics().refused, 1u);
}

TEST(time_limiter, is_no_evidence_when_its_executor_has_no_room) {
  executors::full busy;
  sg::circuit_breaker ldap("ldap");
  const auto guarded = sg::pipeline(sg::guard(ldap), sg::time_limiter({.executor = &busy}));
  EXPECT_THROW(guarded([] {}), sg::rejected_error);
  EXPECT_EQ(ldap.snapshot().metrics.ignored, 1u);
}

TEST(time_limiter, inside_another_hands_a_function_that_cannot_be_copied_on) {
  setup t;
  const auto twice = sg::pipeline(sg::time_limiter({.limit = 3s, .executor = &*t.pool}, t.clock), t.limiter);
  EXPECT_EQ(twice([held = std::make_unique<int>(4)](std::unique_ptr<int> more) { return *held + *more; }, std::make_unique<int>(3)), 7);
}

TEST(time_limiter, gives_a_move_only_result) {
  setup t;
  EXPECT_EQ(*t.limiter.call([] { return std::make_unique<int>(5); }), 5);
}

TEST(time_limiter, gives_a_reference) {
  setup t;
  int lives_longer = 5;
  EXPECT_EQ(&t.limiter.call([&]() -> int& { return lives_longer; }), &lives_longer);
}

TEST(time_limiter, calls_what_returns_nothing) {
  setup t;
  bool ran = false;
  t.limiter.call([&] { ran = true; });
  EXPECT_TRUE(ran);
}

TEST(time_limiter, moves_what_can_only_be_moved_to_the_other_thread) {
  setup t;
  const auto add = [](std::unique_ptr<int> p, std::unique_ptr<int> q) { return *p + *q; };
  EXPECT_EQ(t.limiter.call(add, std::make_unique<int>(2), std::make_unique<int>(3)), 5);
  EXPECT_EQ(t.limiter.call([p = std::make_unique<int>(5)] { return *p; }), 5);
}

TEST(time_limiter, leaves_nothing_of_a_call_behind_that_has_come_back) {
  setup t;
  auto held = std::make_shared<int>(5);
  EXPECT_EQ(t.limiter.call([held] { return *held; }), 5);
  EXPECT_EQ(held.use_count(), 1);
}

TEST(time_limiter, takes_its_timer_back) {
  setup t;
  t.limiter.call([] {});
  EXPECT_EQ(t.clock.timers(), 0u);
}

TEST(time_limiter, works_on_an_executor_that_runs_work_at_once) {
  manual_clock clock;
  executors::at_once here;
  const sg::time_limiter limiter({.limit = 2s, .executor = &here}, clock);
  EXPECT_EQ(limiter.call([] { return 5; }), 5);
  EXPECT_THROW(limiter.call([&] { clock.advance(2s); }), sg::call_timeout_error);
}

TEST(time_limiter, works_on_the_default_executor) {
  EXPECT_EQ(sg::time_limiter().call([] { return 5; }), 5);
}

TEST(time_limiter, hands_the_callers_context_to_policies_on_the_other_thread) {
  setup t;
  sg::circuit_breaker ldap("ldap", {}, t.clock);
  ldap.trip();
  const auto guarded = sg::pipeline(t.limiter, sg::guard(ldap));
  try {
    guarded({.context = {.correlation_id = "request-17"}}, [] {});
    FAIL();
  } catch (const sg::circuit_open_error& e) {
    EXPECT_EQ(e.correlation_id(), "request-17");
  }
}

TEST(time_limiter, gives_what_policies_on_the_other_thread_throw) {
  setup t;
  const sg::fallback cache([]() -> int { throw outage("not in the cache"); });
  const sg::retry retry({.max_attempts = 2, .backoff = sg::constant(0s)}, t.clock);
  const auto guarded = sg::pipeline(t.limiter, cache, retry);
  for (int i = 0; i < 20; ++i) {
    try {
      guarded([i]() -> int { throw outage("attempt of " + std::to_string(i)); });
      FAIL();
    } catch (const outage& e) {
      EXPECT_STREQ(e.what(), "not in the cache");
    }
  }
}

TEST(time_limiter, limits_each_attempt_of_a_retry) {
  setup t;
  std::atomic<int> calls = 0;
  const auto guarded = sg::pipeline(sg::retry({.max_attempts = 2, .backoff = sg::constant(0s)}, t.clock), t.limiter);
  EXPECT_EQ(guarded([&] {
    if (++calls == 2) return 2;
    t.clock.advance(2s);
    t.end.wait();
    return 1;
  }), 2);
}

TEST(time_limiter, limits_each_attempt_of_a_hedge) {
  setup t;
  sg::thread_pool attempts({.threads = 2});
  const sg::hedge hedge({.delay = 1s, .executor = &attempts}, t.clock);
  std::atomic<int> calls = 0;
  EXPECT_THROW(sg::pipeline(hedge, t.limiter)([&] {
    const int mine = ++calls;
    t.clock.advance(mine == 1 ? 1s : 2s);  // the first starts the second, which lets both be late
    t.end.wait();
    return mine;
  }), sg::call_timeout_error);
  EXPECT_EQ(calls, 2);
  EXPECT_EQ(t.limiter.metrics().timeouts, 2u);
}

TEST(time_limiter, serves_many_callers_at_a_time) {
  setup t;
  std::vector<std::jthread> callers;
  std::atomic<int> sum = 0;
  for (int c = 0; c < 4; ++c) {
    callers.emplace_back([&] {
      for (int i = 0; i < 50; ++i) sum += t.limiter.call([] { return 1; });
    });
  }
  callers.clear();
  EXPECT_EQ(sum, 200);
}

TEST(time_limiter, tells_its_observers) {
  setup t;
  std::vector<std::string> lines;
  const auto subscription = t.limiter.observe([&](const sg::policy_event& e) { lines.push_back(sg::log_line(e)); });
  EXPECT_THROW(t.limiter.call([&] { t.clock.advance(2s); }), sg::call_timeout_error);
  sg::drain_events();
  EXPECT_THAT(lines, testing::ElementsAre("time_limiter: timed_out: the call took longer than 2s"));
}

TEST(time_limiter, describes_itself) {
  EXPECT_EQ(sg::time_limiter({.limit = 2s}).describe(), "time_limiter(2s)");
}

TEST(time_limiter, names_every_problem_of_its_options) {
  EXPECT_EQ((sg::time_limiter_options{.name = "", .limit = 0s}.validate().size()), 2u);
  EXPECT_THROW(sg::time_limiter({.limit = 25h}), sg::config_error);
}

}  // namespace
