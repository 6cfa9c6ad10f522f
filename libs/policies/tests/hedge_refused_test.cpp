// SPDX-License-Identifier: Apache-2.0
#include "support/executors.hpp"

#include <switchgear/hedge.hpp>
#include <switchgear/pipeline.hpp>
#include <switchgear/retry.hpp>
#include <switchgear/testing/manual_clock.hpp>
#include <switchgear/thread_pool.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <latch>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

// What a hedge cannot start, and what must not make it start more.

namespace {

namespace sg = switchgear;
using namespace std::chrono_literals;
using executors::gate;
using sg::testing::manual_clock;

TEST(hedge, counts_and_tells_when_the_executor_has_no_room_for_the_first_attempt) {
  executors::full busy;
  const sg::hedge hedge({.name = "search", .executor = &busy});
  std::vector<std::string> lines;
  const auto subscription = hedge.observe([&](const sg::policy_event& e) { lines.push_back(sg::log_line(e)); });
  EXPECT_THROW(hedge.call([] {}), sg::executor_full_error);
  EXPECT_EQ(hedge.metrics().refused, 1u);
  sg::drain_events();
  EXPECT_THAT(lines, testing::ElementsAre(testing::HasSubstr("rejected: the executor has no room for an attempt")));
}

TEST(hedge, counts_a_first_attempt_that_the_executor_turned_away_at_its_end) {
  std::latch inside(1);
  gate end;
  std::optional<sg::thread_pool> pool(std::in_place, sg::thread_pool_options{.threads = 1});
  manual_clock clock;
  const sg::hedge hedge({.delay = 1s, .executor = &*pool}, clock);
  ASSERT_TRUE(pool->post([&] {
    inside.count_down();
    end.wait();
  }));
  inside.wait();
  std::jthread caller([&] { EXPECT_THROW(hedge.call([] {}), sg::executor_full_error); });
  while (pool->metrics().waiting == 0) std::this_thread::yield();
  const std::stop_callback on_closing(pool->closing(), [&] { end.open(); });
  pool.reset();
  caller.join();
  EXPECT_EQ(hedge.metrics().refused, 1u);
}

TEST(hedge, gives_the_budget_back_what_an_attempt_cost_that_the_executor_refused) {
  manual_clock clock;
  executors::by_hand one(1);
  const sg::retry_budget budget({.ratio = 0, .reserve = 1});
  const sg::hedge hedge({.delay = 1s, .executor = &one, .budget = budget}, clock);
  std::jthread caller([&] { EXPECT_EQ(hedge.call([] { return 5; }), 5); });
  while (clock.timers() == 0) std::this_thread::yield();
  clock.advance(1s);
  while (hedge.metrics().refused == 0) std::this_thread::yield();
  one.run_one();
  caller.join();
  EXPECT_EQ(budget.metrics().retries, 0u);
  EXPECT_TRUE(budget.spend());
}

// trap 34: a classifier that throws
TEST(hedge, trap_34_runs_the_function_once_when_the_rule_about_its_value_throws) {
  executors::at_once here;
  int calls = 0;
  const sg::hedge hedge({.delay = 1s, .executor = &here,
                         .when = sg::classifier{}.fail_if([](const int&) -> bool { throw std::logic_error("rule"); })});
  EXPECT_THROW(hedge.call([&] { return ++calls; }), std::logic_error);
  EXPECT_EQ(calls, 1);
  EXPECT_EQ(hedge.metrics().hedges, 0u);
}

TEST(hedge, carries_the_report_of_a_retry_further_in_to_the_caller) {
  sg::thread_pool pool({.threads = 2});
  const sg::hedge hedge({.delay = 1h, .executor = &pool, .when = sg::classifier{}.ignore<std::runtime_error>()});
  try {
    sg::pipeline(hedge, sg::retry({.max_attempts = 3, .backoff = sg::constant(0s)}))([] { throw std::runtime_error("down"); });
    FAIL();
  } catch (const std::runtime_error&) {
    const auto report = sg::retry_report_of(std::current_exception());
    ASSERT_TRUE(report);
    EXPECT_EQ(report->attempts, 3);
  }
}

}  // namespace
