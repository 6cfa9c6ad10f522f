// SPDX-License-Identifier: Apache-2.0
#include <switchgear/circuit_breaker.hpp>
#include <switchgear/fallback.hpp>
#include <switchgear/guard.hpp>
#include <switchgear/pipeline.hpp>
#include <switchgear/provider_chain.hpp>
#include <switchgear/retry.hpp>
#include <switchgear/testing/manual_clock.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <stdexcept>
#include <stop_token>
#include <string>

// What the breakers of a provider_chain, and those around it, learn from its calls.

namespace {

namespace sg = switchgear;
using namespace std::chrono_literals;
using sg::testing::manual_clock;

struct outage : std::runtime_error {
  using runtime_error::runtime_error;
};

struct chain_of_one {
  manual_clock clock;
  sg::circuit_breaker large{"large", {.open_duration = 30s}, clock};
  sg::provider_chain<int()> chain;
};

TEST(provider_chain, is_no_evidence_for_a_breaker_when_the_provider_obeys_the_callers_stop_request) {
  chain_of_one t;
  std::stop_source caller;
  t.chain.add("large", t.large, [&](std::stop_token stop) -> int {
    caller.request_stop();
    if (stop.stop_requested()) throw outage("interrupted");
    return 1;
  });
  EXPECT_THROW(t.chain(caller.get_token()), outage);
  EXPECT_EQ(t.large.snapshot().metrics.failures, 0u);
  EXPECT_EQ(t.large.snapshot().metrics.ignored, 1u);
}

TEST(provider_chain, is_no_evidence_for_a_breaker_when_its_call_has_lost_a_hedge) {
  chain_of_one t;
  t.chain.add("large", t.large, [] { return 1; });
  const std::atomic<sg::call_fate> fate{sg::call_fate::lost};
  EXPECT_EQ(t.chain.call({.fate = &fate}), 1);
  EXPECT_EQ(t.large.snapshot().metrics.successes, 0u);
  EXPECT_EQ(t.large.snapshot().metrics.ignored, 1u);
}

TEST(provider_chain, is_a_timeout_for_a_breaker_when_a_limit_further_out_has_passed) {
  chain_of_one t;
  t.chain.add("large", t.large, [] { return 1; });
  const std::atomic<sg::call_fate> fate{sg::call_fate::timed_out};
  EXPECT_EQ(t.chain.call({.fate = &fate}), 1);
  EXPECT_EQ(t.large.snapshot().metrics.timeouts, 1u);
}

TEST(provider_chain, is_a_rejection_when_every_provider_rejected) {
  chain_of_one t;
  t.chain.add("large", t.large, [] { return 1; }).add("small", []() -> int { throw sg::rejected_error("full", 10s); });
  t.large.trip();
  try {
    t.chain();
    FAIL();
  } catch (const sg::rejected_error& e) {
    EXPECT_EQ(e.retry_after(), 10s);
    EXPECT_EQ(dynamic_cast<const sg::provider_failures&>(e).failures().size(), 2u);
  }
}

// trap 7: rejection recorded as failure
TEST(provider_chain, trap_7_is_no_evidence_for_a_breaker_around_it_when_every_provider_rejected) {
  chain_of_one t;
  t.chain.add("large", t.large, [] { return 1; });
  t.large.trip();
  sg::circuit_breaker outer("outer", {}, t.clock);
  EXPECT_THROW(sg::pipeline(sg::guard(outer))(t.chain), sg::all_providers_rejected_error);
  EXPECT_EQ(outer.snapshot().metrics.failures, 0u);
  EXPECT_EQ(outer.snapshot().metrics.ignored, 1u);
}

TEST(provider_chain, is_not_retried_when_every_provider_rejected) {
  chain_of_one t;
  t.chain.add("large", t.large, [] { return 1; });
  t.large.trip();
  const sg::retry retry({.max_attempts = 5, .backoff = sg::constant(0s)}, t.clock);
  EXPECT_THROW(retry.call(t.chain), sg::all_providers_rejected_error);
  EXPECT_EQ(retry.metrics().retries, 0u);
}

TEST(provider_chain, is_a_failure_when_one_provider_was_called) {
  chain_of_one t;
  t.chain.add("large", t.large, [] { return 1; }).add("small", []() -> int { throw outage("down"); });
  t.large.trip();
  EXPECT_THROW(t.chain(), sg::all_providers_failed_error);
}

TEST(provider_chain, counts_an_answer_that_cannot_be_moved) {
  sg::provider_chain<std::atomic<int>()> chain;
  chain.add("first", []() -> std::atomic<int> { throw outage("down"); }).add("second", [] { return std::atomic<int>(5); });
  EXPECT_EQ(chain().load(), 5);
  EXPECT_EQ(chain.metrics()[0].answered, 0u);
  EXPECT_EQ(chain.metrics()[1].answered, 1u);
}

TEST(provider_chain, in_a_fallback_is_asked_to_stop_with_the_caller_and_knows_the_correlation_id) {
  chain_of_one t;
  std::stop_source caller;
  bool stopped = false;
  t.chain.add("large", t.large, [] { return 1; }).add("small", [&](std::stop_token stop) {
    caller.request_stop();
    stopped = stop.stop_requested();
    return 2;
  });
  t.large.trip();
  std::string id;
  const auto subscription = t.chain.observe([&](const sg::policy_event& e) { id = e.correlation_id; });
  const sg::execution e{.stop = caller.get_token(), .context = {.correlation_id = "request-17"}};
  EXPECT_EQ(sg::fallback(t.chain).call(e, []() -> int { throw outage("down"); }), 2);
  EXPECT_TRUE(stopped);
  sg::drain_events();
  EXPECT_EQ(id, "request-17");
}

TEST(fallback, hands_its_function_the_stop_token_and_all_that_the_caller_told) {
  std::stop_source caller;
  const sg::execution e{.stop = caller.get_token(), .context = {.correlation_id = "request-17"}};
  const auto fail = []() -> int { throw outage("down"); };
  const auto by_token = [](std::stop_token stop) { return stop.stop_possible() ? 1 : 0; };
  const auto told = [](std::stop_token stop, const sg::failure_info& why) { return stop.stop_possible() && why.error() ? 2 : 0; };
  const auto told_all = [](const sg::execution& from, const sg::failure_info&) { return int(from.context.correlation_id.size()); };
  EXPECT_EQ(sg::fallback(by_token).call(e, fail), 1);
  EXPECT_EQ(sg::fallback(told).call(e, fail), 2);
  EXPECT_EQ(sg::fallback(told_all).call(e, fail), 10);
}

TEST(fallback, takes_a_generic_function_that_is_told_why) {
  EXPECT_EQ(sg::fallback([](const auto& why) { return int(why.what().size()); }).call([]() -> int { throw outage("down"); }), 4);
}

}  // namespace
