// SPDX-License-Identifier: Apache-2.0
#include <switchgear/adapter.hpp>

#include <switchgear/testing/manual_clock.hpp>
#include <switchgear/testing/skipping_clock.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <set>
#include <stdexcept>
#include <thread>
#include <vector>

namespace {

namespace sg = switchgear;
using namespace std::chrono_literals;

TEST(adapter_edges, name_the_breaker_like_the_target) {
  const sg::adapter guarded("cache", "cache.sessions", {});
  EXPECT_EQ(guarded.breaker().name(), "cache.sessions");
  EXPECT_EQ(guarded.transport(), "cache");
}

TEST(adapter_edges, refuse_a_target_that_no_breaker_can_be_named_by) {
  EXPECT_THROW(sg::adapter("cache", "", {}), sg::config_error);
  EXPECT_THROW(sg::adapter("cache", "cache", {.retry = {.max_attempts = 0}}), sg::config_error);
}

TEST(adapter_edges, make_a_fresh_correlation_id_for_each_call_and_one_for_all_its_attempts) {
  sg::testing::skipping_clock clock;
  const sg::adapter guarded("cache", "cache.sessions", {.clock = &clock});
  std::multiset<std::string> seen;
  for (int i = 0; i < 2; ++i) {
    guarded.repeat("get", "Failed to get", {}, [&](const sg::adapter::attempt& a) {
      seen.insert(a.correlation_id);
      if (a.number < 3) throw std::runtime_error("reset");
    });
  }
  EXPECT_EQ(seen.size(), 6u);
  EXPECT_EQ(seen.count(*seen.begin()), 3u);
}

TEST(adapter_edges, run_once_what_is_run) {
  const sg::adapter guarded("cache", "cache.sessions", {.retry = {.max_attempts = 5}});
  int calls = 0;
  EXPECT_THROW(guarded.run("put", "Failed to put", {},
                           [&](const auto&) {
                             ++calls;
                             throw std::runtime_error("reset");
                           }),
               sg::connection_error);
  EXPECT_EQ(calls, 1);
}

TEST(adapter_edges, return_values_that_only_move_and_references) {
  const sg::adapter guarded("cache", "cache.sessions", {});
  int there = 7;
  EXPECT_EQ(*guarded.repeat("get", "", {}, [](const auto&) { return std::make_unique<int>(3); }), 3);
  EXPECT_EQ(&guarded.run("get", "", {}, [&](const auto&) -> int& { return there; }), &there);
}

TEST(adapter_edges, wrap_what_is_no_exception_class) {
  const sg::adapter guarded("cache", "cache.sessions", {});
  try {
    guarded.run("get", "Failed to get", {}, [](const auto&) { throw 7; });
    FAIL();
  } catch (const sg::connection_error& e) {
    EXPECT_STREQ(e.what(), "Failed to get: an exception of an unknown type");
    EXPECT_THROW(std::rethrow_if_nested(e), int);
  }
}

TEST(adapter_edges, leave_the_connection_error_of_an_adapter_further_in_alone) {
  const sg::adapter outer("outer", "outer", {}), inner("inner", "inner", {});
  try {
    outer.run("get", "Failed outside", {}, [&](const auto&) {
      inner.run("get", "Failed inside", {}, [](const auto&) { throw std::runtime_error("reset"); });
    });
    FAIL();
  } catch (const sg::connection_error& e) {
    EXPECT_EQ(e.context().transport, "inner");
    EXPECT_STREQ(e.what(), "Failed inside: reset");
  }
}

TEST(adapter_edges, tell_how_often_it_was_tried) {
  sg::testing::skipping_clock clock;
  const sg::adapter guarded("cache", "cache.sessions", {.retry = {.max_attempts = 4}, .clock = &clock});
  try {
    guarded.repeat("get", "Failed to get", {}, [](const auto&) { throw std::runtime_error("reset"); });
    FAIL();
  } catch (const sg::connection_error&) {
    const auto report = sg::retry_report_of(std::current_exception());
    ASSERT_TRUE(report);
    EXPECT_EQ(report->attempts, 4);
    EXPECT_EQ(report->stopped, sg::retry_stop::attempts_used_up);
  }
}

TEST(adapter_edges, do_not_repeat_a_refusal_because_the_user_says_what_else_is_worth_it) {
  sg::testing::skipping_clock clock;
  const sg::adapter guarded("cache", "cache.sessions",
                            {.retry = {.when = sg::classifier{}.ignore<std::logic_error>()}, .clock = &clock});
  int calls = 0;
  EXPECT_THROW(guarded.repeat("get", "Failed to get", {},
                              [&](const auto& a) {
                                ++calls;
                                throw a.refused("no such key");
                              }),
               sg::refused_error);
  EXPECT_EQ(calls, 1);
}

TEST(adapter_edges, repeat_a_refusal_when_the_user_wants_it) {
  sg::testing::skipping_clock clock;
  const sg::adapter guarded("cache", "cache.sessions",
                            {.retry = {.when = sg::classifier{}.fail<sg::refused_error>()}, .clock = &clock});
  EXPECT_EQ(guarded.repeat("get", "", {},
                           [](const auto& a) {
                             if (a.number == 1) throw a.refused("locked");
                             return a.number;
                           }),
            2);
}

TEST(adapter_edges, stop_between_attempts_when_the_caller_gives_up) {
  sg::testing::skipping_clock clock;
  const sg::adapter guarded("cache", "cache.sessions", {.clock = &clock});
  std::stop_source stop;
  clock.on_wait([&](auto) { stop.request_stop(); });
  EXPECT_THROW(guarded.repeat("get", "Failed to get", {.stop = stop.get_token()},
                              [](const auto&) { throw std::runtime_error("reset"); }),
               sg::cancelled_error);
  EXPECT_EQ(guarded.breaker().snapshot().metrics.failures, 0u);
}

TEST(adapter_edges, ask_the_function_to_stop_when_the_call_timeout_passes) {
  sg::testing::manual_clock clock;
  const sg::adapter guarded("cache", "cache.sessions", {.breaker = {.call_timeout = 1s}, .clock = &clock});
  EXPECT_THROW(guarded.run("get", "Failed to get", {},
                           [&](const sg::adapter::attempt& a) {
                             clock.advance(1s);
                             EXPECT_TRUE(a.stop.stop_requested());
                             throw sg::cancelled_error("asked to stop");
                           }),
               sg::call_timeout_error);
  EXPECT_EQ(guarded.breaker().snapshot().metrics.timeouts, 1u);
}

TEST(adapter_edges, use_a_breaker_of_the_user) {
  sg::circuit_breaker shared("shared", {.failure_threshold = 1});
  const sg::adapter guarded("cache", "cache.sessions", {.shared_breaker = &shared});
  EXPECT_THROW(guarded.run("get", "", {}, [](const auto&) { throw std::runtime_error("reset"); }), sg::connection_error);
  EXPECT_TRUE(shared.is_open());
  EXPECT_THROW(guarded.run("get", "", {}, [](const auto&) {}), sg::circuit_open_error);
}

TEST(adapter_edges, keep_what_an_adapter_has_by_itself_when_something_else_is_set) {
  using options = sg::adapter_options_with<&sg::presets::llm, 1>;
  const sg::adapter guarded("llm", "llm.small", options{.clock = &sg::steady_clock()});
  EXPECT_EQ(guarded.breaker().configuration(), sg::presets::llm());
  int calls = 0;
  EXPECT_THROW(guarded.repeat("get", "", {},
                              [&](const auto&) {
                                ++calls;
                                throw std::runtime_error("reset");
                              }),
               sg::connection_error);
  EXPECT_EQ(calls, 1);
}

TEST(adapter_edges, judge_values_by_the_rules) {
  const sg::adapter guarded("cache", "cache.sessions", {.breaker = {.failure_threshold = 1}},
                            sg::classifier{}.fail_if([](const int& status) { return status >= 500; }));
  EXPECT_EQ(guarded.run("get", "", {}, [](const auto&) { return 503; }), 503);
  EXPECT_TRUE(guarded.breaker().is_open());
}

TEST(adapter_edges, serve_many_threads) {
  const sg::adapter guarded("cache", "cache.sessions", {});
  std::atomic<int> sum{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 200; ++i) sum += guarded.repeat("get", "", {}, [](const auto&) { return 1; });
    });
  }
  for (std::thread& t : threads) t.join();
  EXPECT_EQ(sum, 800);
  EXPECT_EQ(guarded.breaker().snapshot().metrics.successes, 800u);
}

}  // namespace
