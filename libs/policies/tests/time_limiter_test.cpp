// SPDX-License-Identifier: Apache-2.0
#include "support/executors.hpp"

#include <switchgear/circuit_breaker.hpp>
#include <switchgear/fallback.hpp>
#include <switchgear/guard.hpp>
#include <switchgear/pipeline.hpp>
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

namespace sg = switchgear;
using namespace std::chrono_literals;
using executors::gate;
using sg::testing::manual_clock;

struct outage : std::runtime_error {
  using runtime_error::runtime_error;
};

/// Two seconds, two threads. The pool ends first, so that nothing of a test is in use when the rest goes.
struct setup {
  manual_clock clock;
  gate end;
  std::optional<sg::thread_pool> pool{std::in_place, sg::thread_pool_options{.threads = 2}};
  sg::time_limiter limiter{{.limit = 2s, .executor = &*pool}, clock};

  ~setup() { finish(); }
  /// Lets the calls that wait for `end` go, and returns when no call is out there any more.
  void finish() {
    end.open();
    pool.reset();
  }
};

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
    throw outage("too late");
  }), sg::cancelled_error);
  t.finish();
  EXPECT_EQ(ldap.snapshot().metrics.ignored, 1u);
  EXPECT_EQ(ldap.snapshot().metrics.failures, 0u);
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

TEST(time_limiter, never_begins_a_call_whose_caller_wants_to_stop_already) {
  executors::by_hand later;
  const sg::time_limiter limiter({.executor = &later});
  std::stop_source caller;
  caller.request_stop();
  EXPECT_THROW(limiter.call({.stop = caller.get_token()}, [] {}), sg::cancelled_error);
  EXPECT_EQ(later.waiting(), 0u);
}

TEST(time_limiter, never_runs_a_call_whose_caller_left_before_it_began) {
  manual_clock clock;
  executors::by_hand later;
  const sg::time_limiter limiter({.limit = 2s, .executor = &later}, clock);
  bool ran = false;
  std::jthread caller([&] { EXPECT_THROW(limiter.call([&] { ran = true; }), sg::call_timeout_error); });
  while (clock.timers() == 0) std::this_thread::yield();
  clock.advance(2s);
  caller.join();
  later.run_one();
  EXPECT_FALSE(ran);
  EXPECT_EQ(limiter.metrics().abandoned, 0u);
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
  EXPECT_EQ(t.limiter.call([p = std::make_unique<int>(2)](std::unique_ptr<int> q) { return *p + *q; }, std::make_unique<int>(3)), 5);
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

TEST(time_limiter, races_its_deadline_without_harm) {
  setup t;
  std::atomic<bool> done = false;
  std::jthread time([&] {
    while (!done) t.clock.advance(1s);
  });
  int good = 0, late = 0;
  for (int i = 0; i < 200; ++i) {
    try {
      EXPECT_EQ(*t.limiter.call([i] { return std::make_unique<int>(i); }), i);
      ++good;
    } catch (const sg::call_timeout_error&) {
      ++late;
    }
  }
  done = true;
  EXPECT_EQ(good + late, 200);
  EXPECT_EQ(t.limiter.metrics().timeouts, static_cast<std::uint64_t>(late));
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
