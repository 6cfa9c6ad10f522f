// SPDX-License-Identifier: Apache-2.0
#include "support/limited.hpp"

#include <switchgear/circuit_breaker.hpp>
#include <switchgear/guard.hpp>
#include <switchgear/pipeline.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <latch>
#include <memory>
#include <optional>
#include <thread>

// A time_limiter whose caller leaves before the call ends, and what becomes of the call.

namespace {

using namespace limited;

TEST(time_limiter, does_not_wait_for_a_function_that_blocks) {  // trap 31
  setup t;
  try {
    t.limiter.call([&] {
      t.clock.advance(2s);
      t.end.wait();
    });
    FAIL();
  } catch (const sg::call_timeout_error& e) {
    EXPECT_EQ(e.name(), "time_limiter");
    EXPECT_EQ(e.limit(), 2s);
  }
  EXPECT_EQ(t.limiter.metrics().timeouts, 1u);
  EXPECT_EQ(t.limiter.metrics().abandoned, 1u);
}

TEST(time_limiter, asks_the_abandoned_function_to_stop) {
  setup t;
  std::latch stopped(1);
  EXPECT_THROW(t.limiter.call([&](std::stop_token stop) {
    gate asked;
    const std::stop_callback on_stop(stop, [&] { asked.open(); });
    t.clock.advance(2s);
    asked.wait();
    stopped.count_down();
  }), sg::call_timeout_error);
  stopped.wait();
}

TEST(time_limiter, tells_a_breaker_further_in_that_the_abandoned_call_was_a_timeout) {
  setup t;
  sg::circuit_breaker ldap("ldap", {}, t.clock);
  const auto guarded = sg::pipeline(t.limiter, sg::guard(ldap));
  EXPECT_THROW(guarded([&] {
    t.clock.advance(2s);
    t.end.wait();
  }), sg::call_timeout_error);
  t.finish();
  EXPECT_EQ(ldap.snapshot().metrics.timeouts, 1u);
  EXPECT_EQ(ldap.snapshot().metrics.total_calls(), 1u);
}

TEST(time_limiter, is_a_timeout_for_a_breaker_further_out_at_the_deadline) {
  setup t;
  sg::circuit_breaker ldap("ldap", {}, t.clock);
  const auto guarded = sg::pipeline(sg::guard(ldap), t.limiter);
  EXPECT_THROW(guarded([&] {
    t.clock.advance(2s);
    t.end.wait();
  }), sg::call_timeout_error);
  EXPECT_EQ(ldap.snapshot().metrics.timeouts, 1u);
}

TEST(time_limiter, drops_what_an_abandoned_call_brings) {
  setup t;
  std::weak_ptr<int> brought;
  EXPECT_THROW(t.limiter.call([&] {
    t.clock.advance(2s);
    t.end.wait();
    auto value = std::make_shared<int>(5);
    brought = value;
    return value;
  }), sg::call_timeout_error);
  t.finish();
  EXPECT_TRUE(brought.expired());
  EXPECT_EQ(t.limiter.metrics().abandoned, 0u);
}

TEST(time_limiter, drops_what_an_abandoned_call_throws) {
  setup t;
  EXPECT_THROW(t.limiter.call([&]() -> int {
    t.clock.advance(2s);
    t.end.wait();
    throw outage("too late");
  }), sg::call_timeout_error);
  t.finish();
  EXPECT_EQ(t.limiter.metrics().abandoned, 0u);
}

TEST(time_limiter, leaves_at_once_when_the_caller_asks_to_stop) {
  setup t;
  std::stop_source caller;
  EXPECT_THROW(t.limiter.call({.stop = caller.get_token()}, [&] {
    caller.request_stop();
    t.end.wait();
  }), sg::cancelled_error);
  EXPECT_EQ(t.limiter.metrics().cancelled, 1u);
  EXPECT_EQ(t.limiter.metrics().timeouts, 0u);
}

TEST(time_limiter, passes_the_callers_stop_request_on) {
  setup t;
  std::stop_source caller;
  std::latch stopped(1);
  EXPECT_THROW(t.limiter.call({.stop = caller.get_token()}, [&](std::stop_token stop) {
    gate asked;
    const std::stop_callback on_stop(stop, [&] { asked.open(); });
    caller.request_stop();
    asked.wait();
    stopped.count_down();
  }), sg::cancelled_error);
  stopped.wait();
}

TEST(time_limiter, leaves_no_evidence_when_the_caller_gave_up) {
  setup t;
  sg::circuit_breaker ldap("ldap", {}, t.clock);
  const auto guarded = sg::pipeline(t.limiter, sg::guard(ldap));
  std::stop_source caller;
  EXPECT_THROW(guarded({.stop = caller.get_token()}, [&] {
    caller.request_stop();
    t.end.wait();
  }), sg::cancelled_error);
  t.finish();
  EXPECT_EQ(ldap.snapshot().metrics.ignored, 1u);
  EXPECT_EQ(ldap.snapshot().metrics.successes, 0u);
}

TEST(time_limiter, says_further_in_what_became_of_the_call_further_out) {
  setup t;
  sg::circuit_breaker ldap("ldap", {}, t.clock);
  const auto guarded = sg::pipeline(t.limiter, sg::guard(ldap));
  std::stop_source caller;
  std::atomic<sg::call_fate> fate{sg::call_fate::wanted};
  EXPECT_THROW(guarded({.stop = caller.get_token(), .fate = &fate}, [&] {
    fate = sg::call_fate::timed_out;
    caller.request_stop();
    t.end.wait();
  }), sg::cancelled_error);
  t.finish();
  EXPECT_EQ(ldap.snapshot().metrics.timeouts, 1u);
}

TEST(time_limiter, never_runs_a_call_whose_caller_left_before_it_began) {
  manual_clock clock;
  executors::by_hand later;
  const sg::time_limiter limiter({.limit = 2s, .executor = &later}, clock);
  bool ran = false;
  std::jthread caller([&] { EXPECT_THROW(limiter.call([&] { ran = true; }), sg::executor_full_error); });
  while (clock.timers() == 0) std::this_thread::yield();
  clock.advance(2s);
  caller.join();
  later.run_one();
  EXPECT_FALSE(ran);
  EXPECT_EQ(limiter.metrics().abandoned, 0u);
}

TEST(time_limiter, asks_the_function_to_stop_when_the_executor_ends) {
  setup t;
  std::latch inside(1);
  std::jthread caller([&] {
    EXPECT_EQ(t.limiter.call([&](std::stop_token stop) {
      gate asked;
      const std::stop_callback on_stop(stop, [&] { asked.open(); });
      inside.count_down();
      asked.wait();
      return 5;
    }), 5);
  });
  inside.wait();
  t.pool.reset();
}

TEST(time_limiter, is_rejected_when_the_executor_ends_before_the_call_begins) {
  manual_clock clock;
  std::latch inside(1);
  gate end;
  std::optional<sg::thread_pool> pool(std::in_place, sg::thread_pool_options{.threads = 1});
  const sg::time_limiter limiter({.limit = 2s, .executor = &*pool}, clock);
  ASSERT_TRUE(pool->post([&] {
    inside.count_down();
    end.wait();
  }));
  inside.wait();
  std::jthread caller([&] { EXPECT_THROW(limiter.call([] {}), sg::executor_full_error); });
  while (pool->metrics().waiting == 0) std::this_thread::yield();
  const std::stop_callback on_closing(pool->closing(), [&] { end.open(); });
  pool.reset();
}

TEST(time_limiter, can_be_gone_before_the_call_that_it_abandoned) {
  manual_clock clock;
  gate end;
  sg::thread_pool pool;
  EXPECT_THROW(sg::pipeline(sg::time_limiter({.limit = 2s, .executor = &pool}, clock))([&] {
    clock.advance(2s);
    end.wait();
  }), sg::call_timeout_error);
  end.open();
}

TEST(time_limiter, races_its_deadline_without_harm) {
  constexpr int calls = 200;
  manual_clock clock;
  sg::thread_pool pool({.threads = 2, .max_queue = calls});  // room for all of them, should all be abandoned
  const sg::time_limiter limiter({.limit = 2s, .executor = &pool}, clock);
  const std::jthread time([&](std::stop_token stop) {
    while (!stop.stop_requested()) clock.advance(1s);
  });
  int good = 0, late = 0, not_begun = 0;
  for (int i = 0; i < calls; ++i) {
    try {
      EXPECT_EQ(*limiter.call([i] { return std::make_unique<int>(i); }), i);
      ++good;
    } catch (const sg::call_timeout_error&) {
      ++late;
    } catch (const sg::executor_full_error&) {
      ++not_begun;
    }
  }
  EXPECT_EQ(good + late + not_begun, calls);
  EXPECT_EQ(limiter.metrics().timeouts, static_cast<std::uint64_t>(late));
  EXPECT_EQ(limiter.metrics().refused, static_cast<std::uint64_t>(not_begun));
}

}  // namespace
