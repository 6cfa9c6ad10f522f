// SPDX-License-Identifier: Apache-2.0
#include "exposition.hpp"

#include <switchgear/local_bus.hpp>
#include <switchgear/prometheus_collector.hpp>
#include <switchgear/testing/manual_clock.hpp>
#include <switchgear/testing/skipping_clock.hpp>

#include <gtest/gtest.h>

#include <chrono>
#include <optional>
#include <stdexcept>
#include <string>

namespace {

namespace sg = switchgear;
using namespace std::chrono_literals;

[[noreturn]] int fail() { throw std::runtime_error("failed"); }

struct prometheus_policies : testing::Test {
  [[nodiscard]] std::optional<double> read(const std::string& name, exposition::labels more = {}) const {
    more["name"] = "a";
    return exposition::page(sg::to_prometheus_text(metrics.Collect()))("switchgear_" + name, more);
  }
  sg::testing::skipping_clock clock;
  sg::prometheus_collector metrics;
};

TEST_F(prometheus_policies, show_retries_by_how_they_ended) {
  const sg::retry again({.max_attempts = 3}, clock);
  metrics.add("a", again);
  EXPECT_THROW(again.call(fail), std::runtime_error);
  again.call([] {});
  EXPECT_EQ(read("retry_calls_total", {{"outcome", "attempts_used_up"}}), 1);
  EXPECT_EQ(read("retry_calls_total", {{"outcome", "first_try"}}), 1);
  EXPECT_EQ(read("retry_calls_total", {{"outcome", "after_retries"}}), 0);
  EXPECT_EQ(read("retry_retries_total"), 2);
}

TEST_F(prometheus_policies, show_a_retry_budget) {
  const sg::retry_budget budget({.ratio = 0.0, .reserve = 1});
  metrics.add("a", budget);
  const sg::retry again({.max_attempts = 3, .budget = budget}, clock);
  EXPECT_THROW(again.call(fail), std::runtime_error);
  EXPECT_EQ(read("retry_budget_retries_total"), 1);
  EXPECT_EQ(read("retry_budget_refused_total"), 1);
  EXPECT_EQ(read("retry_budget_saved"), 0);
}

TEST_F(prometheus_policies, show_timeouts_of_all_three_kinds) {
  const sg::timeout quick(1s, clock);
  metrics.add("a", quick);
  metrics.add("b", quick.per_attempt());
  metrics.add("c", quick.total());
  EXPECT_THROW(quick.call([&] { clock.advance(2s); }), sg::call_timeout_error);
  const exposition::page page(sg::to_prometheus_text(metrics.Collect()));
  for (const char* name : {"a", "b", "c"}) EXPECT_EQ(page("switchgear_timeout_timeouts_total", {{"name", name}}), 1) << name;
}

TEST_F(prometheus_policies, show_a_time_limiter_and_its_pool) {
  sg::thread_pool pool({.threads = 1});
  const sg::time_limiter limited({.limit = 1h, .executor = &pool});
  metrics.add("a", limited);
  metrics.add("a", pool);
  EXPECT_EQ(limited.call([] { return 1; }), 1);
  EXPECT_EQ(read("time_limiter_timeouts_total"), 0);
  EXPECT_EQ(read("time_limiter_abandoned"), 0);
  EXPECT_EQ(read("thread_pool_threads"), 1);
  EXPECT_EQ(read("thread_pool_refused_total"), 0);
}

TEST_F(prometheus_policies, show_fallbacks_by_what_was_answered) {
  const sg::fallback answer([] { return 1; });
  metrics.add("a", answer);
  EXPECT_EQ(answer.call(fail), 1);
  EXPECT_EQ(read("fallback_failures_total", {{"kind", "exception"}}), 1);
  EXPECT_EQ(read("fallback_failures_total", {{"kind", "rejection"}}), 0);
  EXPECT_EQ(read("fallback_failed_total"), 0);
}

TEST_F(prometheus_policies, show_a_bulkhead) {
  const sg::bulkhead narrow({.max_concurrent = 1});
  metrics.add("a", narrow);
  narrow.call([&] {
    EXPECT_THROW(narrow.call([] {}), sg::bulkhead_full_error);
    EXPECT_EQ(read("bulkhead_in_use"), 1);
  });
  EXPECT_EQ(read("bulkhead_calls_total", {{"outcome", "entered"}}), 1);
  EXPECT_EQ(read("bulkhead_calls_total", {{"outcome", "rejected"}}), 1);
  EXPECT_EQ(read("bulkhead_in_use"), 0);
  EXPECT_EQ(read("bulkhead_most_in_use"), 1);
}

TEST_F(prometheus_policies, show_a_rate_limiter) {
  const sg::rate_limiter slow({.permits = 1, .per = 1h}, clock);
  metrics.add("a", slow);
  slow.call([] {});
  EXPECT_THROW(slow.call([] {}), sg::rate_limited_error);
  EXPECT_EQ(read("rate_limiter_calls_total", {{"outcome", "at_once"}}), 1);
  EXPECT_EQ(read("rate_limiter_calls_total", {{"outcome", "rejected"}}), 1);
}

TEST_F(prometheus_policies, show_an_adaptive_limiter) {
  const sg::adaptive_limiter limiter({}, clock);
  metrics.add("a", limiter);
  limiter.call([&] { EXPECT_EQ(read("adaptive_limiter_in_flight"), 1); });
  EXPECT_EQ(read("adaptive_limiter_entered_total"), 1);
  EXPECT_EQ(read("adaptive_limiter_limit"), static_cast<double>(limiter.metrics().limit));
  EXPECT_EQ(read("adaptive_limiter_normal_latency_seconds"), 0);
}

TEST_F(prometheus_policies, show_a_hedge) {
  const sg::hedge second({.delay = 1h});
  metrics.add("a", second);
  EXPECT_EQ(second.call([] { return 1; }), 1);
  EXPECT_EQ(read("hedge_calls_total"), 1);
  EXPECT_EQ(read("hedge_hedges_total"), 0);
}

TEST_F(prometheus_policies, show_what_was_answered_from_memory) {
  const sg::last_known_good<int> memory({}, clock);
  metrics.add("a", memory);
  EXPECT_THROW(memory.call(fail), std::runtime_error);
  memory.call([] { return 1; });
  EXPECT_EQ(memory.call(fail), 1);
  EXPECT_EQ(read("last_known_good_stored_total"), 1);
  EXPECT_EQ(read("last_known_good_failures_total", {{"outcome", "hit"}}), 1);
  EXPECT_EQ(read("last_known_good_failures_total", {{"outcome", "miss"}}), 1);
}

TEST_F(prometheus_policies, show_every_provider_of_a_chain) {
  sg::provider_chain<int()> chain;
  chain.add("first", fail).add("second", [] { return 2; });
  metrics.add("a", chain);
  EXPECT_EQ(chain(), 2);
  EXPECT_EQ(read("provider_calls_total", {{"provider", "first"}, {"outcome", "failed"}}), 1);
  EXPECT_EQ(read("provider_calls_total", {{"provider", "second"}, {"outcome", "answered"}}), 1);
}

TEST_F(prometheus_policies, show_a_bus) {
  sg::local_bus bus;
  metrics.add("a", bus);
  const auto heard = bus.subscribe(sg::topics::all, [](std::string_view, const sg::event&) {});
  sg::event told;
  told.service = "orders";
  bus.publish(told);
  ASSERT_TRUE(bus.flush(1min));
  EXPECT_EQ(read("bus_published_total"), 1);
  EXPECT_EQ(read("bus_dropped_total"), 0);
  EXPECT_EQ(read("bus_missed_total"), 0);
  EXPECT_EQ(read("bus_delivered_total"), 1);
  EXPECT_EQ(read("bus_connected"), 1);
}

TEST_F(prometheus_policies, are_kept_by_the_collector) {
  {
    const sg::retry gone({}, clock);
    gone.call([] {});
    metrics.add("a", gone);
  }
  EXPECT_EQ(read("retry_calls_total", {{"outcome", "first_try"}}), 1);
}

TEST_F(prometheus_policies, have_names_of_their_own_within_a_sort) {
  metrics.add("a", sg::retry());
  metrics.add("a", sg::bulkhead());
  EXPECT_THROW(metrics.add("a", sg::retry()), sg::config_error);
  EXPECT_THROW(metrics.add("", sg::retry()), sg::config_error);
  EXPECT_THROW(metrics.add("a\nb", sg::retry()), sg::config_error);
}

TEST_F(prometheus_policies, without_circuits_say_nothing_of_circuits) {
  EXPECT_EQ(exposition::page(sg::to_prometheus_text(metrics.Collect())).families().size(), 1U);
}

}  // namespace
