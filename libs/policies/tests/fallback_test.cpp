// SPDX-License-Identifier: Apache-2.0
#include <switchgear/circuit_breaker.hpp>
#include <switchgear/fallback.hpp>
#include <switchgear/guard.hpp>
#include <switchgear/pipeline.hpp>
#include <switchgear/retry.hpp>
#include <switchgear/testing/manual_clock.hpp>
#include <switchgear/testing/skipping_clock.hpp>
#include <switchgear/timeout.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <stdexcept>
#include <stop_token>
#include <string>

namespace {

namespace sg = switchgear;
using namespace std::chrono_literals;
using sg::failure_info;
using sg::failure_kind;
using sg::testing::manual_clock;

struct outage : std::runtime_error {
  using runtime_error::runtime_error;
};
struct bad_query : std::runtime_error {
  using runtime_error::runtime_error;
};
[[noreturn]] int fail() { throw outage("down"); }

/// What the exception nested in the one that `f` throws says.
template <class F>
std::string nested_text(F&& f) {
  try {
    f();
  } catch (const std::exception& e) {
    try {
      std::rethrow_if_nested(e);
    } catch (const std::exception& nested) {
      return nested.what();
    }
    return "nothing nested";
  }
  return "nothing thrown";
}

TEST(fallback, lets_a_good_value_pass) {
  EXPECT_EQ(sg::fallback(7).call([] { return 5; }), 5);
}

TEST(fallback, answers_with_a_value) {
  EXPECT_EQ(sg::fallback(7).call(fail), 7);
}

TEST(fallback, answers_with_a_value_that_converts) {
  EXPECT_EQ(sg::fallback("cached").call([]() -> std::string { throw outage("down"); }), "cached");
}

TEST(fallback, answers_with_a_function) {
  EXPECT_EQ(sg::fallback([] { return 7; }).call(fail), 7);
}

TEST(fallback, tells_the_function_what_was_thrown) {
  const sg::fallback answer([](const failure_info& why) {
    EXPECT_EQ(why.kind(), failure_kind::exception);
    EXPECT_EQ(why.what(), "down");
    EXPECT_EQ(why.retry_after(), std::nullopt);
    EXPECT_EQ(why.circuit(), nullptr);
    EXPECT_THROW(std::rethrow_exception(why.error()), outage);
    return 7;
  });
  EXPECT_EQ(answer.call(fail), 7);
}

TEST(fallback, tells_the_function_which_circuit_is_open_and_for_how_long) {
  manual_clock clock;
  sg::circuit_breaker payments("payments", {.open_duration = 30s}, clock);
  payments.trip();
  const sg::fallback answer([](const failure_info& why) {
    EXPECT_EQ(why.kind(), failure_kind::rejection);
    EXPECT_EQ(why.retry_after(), 30s);
    EXPECT_NE(why.circuit(), nullptr);
    return why.circuit()->name() + " is " + std::string(to_string(why.circuit()->state()));
  });
  const auto guarded = sg::pipeline(answer, sg::guard(payments));
  EXPECT_EQ(guarded([] { return std::string("charged"); }), "payments is open");
}

TEST(fallback, tells_the_function_when_another_policy_said_to_come_back) {
  const sg::fallback answer([](const failure_info& why) {
    EXPECT_EQ(why.kind(), failure_kind::rejection);
    EXPECT_EQ(why.circuit(), nullptr);
    return why.retry_after() == 2s;
  });
  EXPECT_TRUE(answer.call([]() -> bool { throw sg::rejected_error("full", 2s); }));
}

TEST(fallback, shows_the_function_a_bad_result) {
  const sg::fallback answer(
      [](const failure_info& why) {
        EXPECT_EQ(why.kind(), failure_kind::bad_result);
        EXPECT_EQ(why.error(), nullptr);
        EXPECT_EQ(why.result<long>(), nullptr);
        return why.result<int>() != nullptr ? *why.result<int>() + 1 : 0;
      },
      {.when = sg::classifier{}.fail_if([](const int& v) { return v >= 500; })});
  EXPECT_EQ(answer.call([] { return 503; }), 504);
  EXPECT_EQ(answer.call([] { return 200; }), 200);
}

TEST(fallback, answers_what_is_not_a_standard_exception) {
  const sg::fallback answer([](const failure_info& why) { return std::string(why.what()); });
  EXPECT_EQ(answer.call([]() -> std::string { throw 5; }), "an exception that is not a std::exception");
}

TEST(fallback, answers_in_the_place_of_a_call_without_result) {
  int answered = 0;
  sg::fallback([&] { ++answered; }).call([] { throw outage("down"); });
  EXPECT_EQ(answered, 1);
}

TEST(fallback, answers_in_the_place_of_a_reference) {
  int spare = 7;
  int& r = sg::fallback([&]() -> int& { return spare; }).call([]() -> int& { throw outage("down"); });
  EXPECT_EQ(&r, &spare);
}

TEST(fallback, answers_with_a_reference_to_its_value) {
  const sg::fallback answer(std::string("spare"));
  const std::string& r = answer.call([]() -> const std::string& { throw outage("down"); });
  EXPECT_EQ(r, "spare");
}

TEST(fallback, answers_in_the_place_of_a_move_only_result) {
  const auto answer = sg::fallback([] { return std::make_unique<int>(7); });
  EXPECT_EQ(*answer.call([]() -> std::unique_ptr<int> { throw outage("down"); }), 7);
  EXPECT_EQ(*answer.call([] { return std::make_unique<int>(5); }), 5);
}

struct pinned {
  explicit pinned(int v) : value(v) {}
  pinned(pinned&&) = delete;
  int value;
};

TEST(fallback, answers_in_the_place_of_a_result_that_cannot_be_moved) {
  const auto answer = sg::fallback([] { return pinned(7); });
  EXPECT_EQ(answer.call([]() -> pinned { throw outage("down"); }).value, 7);
  EXPECT_EQ(answer.call([] { return pinned(5); }).value, 5);
}

TEST(fallback, lets_what_the_classifier_ignores_pass) {
  const sg::fallback answer(7, {.when = sg::classifier{}.ignore<bad_query>()});
  EXPECT_THROW(answer.call([]() -> int { throw bad_query("no such column"); }), bad_query);
  EXPECT_EQ(answer.call(fail), 7);
}

TEST(fallback, answers_a_rejection_whatever_the_classifier_says) {
  const sg::fallback answer(7, {.when = sg::classifier{}.fail_only<outage>()});
  EXPECT_EQ(answer.call([]() -> int { throw sg::rejected_error("full"); }), 7);
}

TEST(fallback, answers_the_end_of_a_time_limit_further_in) {
  const sg::fallback answer(7, {.when = sg::classifier{}.fail_only<outage>()});
  EXPECT_EQ(answer.call([]() -> int { throw sg::call_timeout_error("timeout", 2s); }), 7);
}

TEST(fallback, answers_only_rejections_when_told_so) {
  const sg::fallback answer(7, {.when = sg::classifier{}.fail_if([](const int& v) { return v == 5; }), .only_rejections = true});
  EXPECT_THROW(answer.call(fail), outage);
  EXPECT_EQ(answer.call([] { return 5; }), 5);
  EXPECT_EQ(answer.call([]() -> int { throw sg::rejected_error("full"); }), 7);
}

TEST(fallback, never_answers_a_cancellation) {
  EXPECT_THROW(sg::fallback(7).call([]() -> int { throw sg::cancelled_error("gave up"); }), sg::cancelled_error);
}

TEST(fallback, never_answers_after_a_stop_request) {
  std::stop_source stop;
  const sg::fallback answer(7, {.when = sg::classifier{}.fail_if([](const int& v) { return v == 5; })});
  stop.request_stop();
  EXPECT_THROW(answer.call({.stop = stop.get_token()}, fail), outage);
  EXPECT_THROW(answer.call({.stop = stop.get_token()}, []() -> int { throw sg::rejected_error("full"); }), sg::rejected_error);
  EXPECT_EQ(answer.call({.stop = stop.get_token()}, [] { return 5; }), 5);
  EXPECT_EQ(answer.metrics().answered(), 0u);
}

TEST(fallback, nests_the_first_failure_in_what_the_function_throws) {
  const sg::fallback answer([]() -> int { throw std::out_of_range("not in the cache"); });
  EXPECT_THROW(answer.call(fail), std::out_of_range);
  EXPECT_EQ(nested_text([&] { answer.call(fail); }), "down");
}

TEST(fallback, keeps_what_the_function_nested_itself) {
  const sg::fallback answer([]() -> int { std::throw_with_nested(bad_query("not in the cache")); });
  EXPECT_THROW(answer.call(fail), bad_query);
  EXPECT_EQ(nested_text([&] { answer.call(fail); }), "down");
}

TEST(fallback, keeps_the_type_of_what_the_function_throws_and_the_first_failure_can_be_found) {
  const sg::fallback answer([]() -> int { throw bad_query("not in the cache"); });
  try {
    answer.call(fail);
    FAIL();
  } catch (const bad_query& e) {
    EXPECT_STREQ(e.what(), "not in the cache");
    const std::exception_ptr first = sg::failure_before_fallback(std::current_exception());
    ASSERT_NE(first, nullptr);
    EXPECT_THROW(std::rethrow_exception(first), outage);
  }
}

TEST(fallback, has_nothing_before_an_exception_of_another_origin) {
  const sg::fallback answer([]() -> int { throw bad_query("not in the cache"); });
  EXPECT_THROW(answer.call(fail), bad_query);
  EXPECT_EQ(sg::failure_before_fallback(std::make_exception_ptr(outage("down"))), nullptr);
  EXPECT_EQ(sg::failure_before_fallback(nullptr), nullptr);
}

TEST(fallback, lets_the_function_throw_the_first_failure_again) {
  const sg::fallback answer([](const failure_info& why) -> int { std::rethrow_exception(why.error()); });
  EXPECT_THROW(answer.call(fail), outage);
}

TEST(fallback, lets_pass_what_the_function_throws_for_a_bad_result) {
  const sg::fallback answer([]() -> int { throw std::out_of_range("not in the cache"); },
                            {.when = sg::classifier{}.fail_if([](const int& v) { return v == 5; })});
  EXPECT_THROW(answer.call([] { return 5; }), std::out_of_range);
  EXPECT_EQ(nested_text([&] { answer.call([] { return 5; }); }), "nothing nested");
}

TEST(fallback, lets_pass_what_the_classifier_throws) {
  const sg::fallback answer(7, {.when = sg::classifier{}.fail_if([](const int&) -> bool { throw std::logic_error("rule"); })});
  EXPECT_THROW(answer.call([] { return 5; }), std::logic_error);
  EXPECT_EQ(answer.metrics().answered(), 0u);
}

TEST(fallback, answers_with_another_fallback_further_out_when_the_inner_one_fails) {
  const auto both = sg::pipeline(sg::fallback(9), sg::fallback([]() -> int { throw outage("cache down"); }));
  EXPECT_EQ(both(fail), 9);
}

TEST(fallback, counts_by_reason) {
  const sg::fallback answer([](const failure_info& why) -> int { return why.what() == "twice" ? throw outage("cache") : 7; },
                            {.when = sg::classifier{}.fail_if([](const int& v) { return v == 5; })});
  answer.call([] { return 1; });
  answer.call([] { return 5; });
  answer.call(fail);
  EXPECT_THROW(answer.call([]() -> int { throw outage("twice"); }), outage);
  answer.call([]() -> int { throw sg::rejected_error("full"); });
  const sg::fallback_metrics m = answer.metrics();
  EXPECT_EQ(m.bad_results, 1u);
  EXPECT_EQ(m.exceptions, 2u);
  EXPECT_EQ(m.rejections, 1u);
  EXPECT_EQ(m.failed, 1u);
  EXPECT_EQ(m.answered(), 3u);
}

TEST(fallback, tells_its_observers_why_it_answered) {
  const sg::fallback answer(7, {.name = "receipts"});
  std::vector<std::string> lines;
  const auto subscription = answer.observe([&](const sg::policy_event& e) { lines.push_back(sg::log_line(e)); });
  answer.call(fail);
  sg::drain_events();
  EXPECT_THAT(lines, testing::ElementsAre("fallback receipts: fell_back: down"));
}

TEST(fallback, shares_everything_with_its_copies) {
  const sg::fallback answer(7);
  const auto copy = answer;
  copy.call(fail);
  EXPECT_EQ(answer.metrics().answered(), 1u);
}

TEST(fallback, describes_itself) {
  EXPECT_EQ(sg::fallback(7).describe(), "fallback");
  EXPECT_EQ(sg::fallback(7, {.only_rejections = true}).describe(), "fallback(only rejections)");
}

TEST(fallback, refuses_a_name_that_is_none) {
  EXPECT_THROW(sg::fallback(7, {.name = ""}), sg::config_error);
}

struct receipt {
  std::string text;
};

TEST(fallback, stands_outermost_of_policies_together) {  // as in the usage guide
  sg::testing::skipping_clock clock;
  sg::circuit_breaker payments("payments", {.failure_threshold = 5, .open_duration = 30s}, clock);
  int attempts = 0;
  const auto guarded = sg::pipeline(
      sg::fallback([](const sg::failure_info& why) { return receipt{"cached: " + std::string(why.what())}; }),
      sg::retry({.max_attempts = 3, .backoff = sg::exponential(100ms).with_jitter()}, clock),
      sg::guard(payments),
      sg::timeout(2s));
  const receipt r = guarded([&](std::stop_token) -> receipt {
    ++attempts;
    throw outage("charge failed");
  });
  EXPECT_EQ(r.text, "cached: charge failed");
  EXPECT_EQ(attempts, 3);
  EXPECT_EQ(payments.snapshot().metrics.failures, 3u);
}

}  // namespace
