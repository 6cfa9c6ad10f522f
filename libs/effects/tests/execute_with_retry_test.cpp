// SPDX-License-Identifier: Apache-2.0
#include "support.hpp"

#include <switchgear/execute_with_retry.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace {

using namespace effects_tests;
using namespace std::chrono_literals;
using sg::testing::skipping_clock;
using testing::AllOf;
using testing::Each;
using testing::ElementsAre;
using testing::Ge;
using testing::IsEmpty;
using testing::Le;
using testing::SizeIs;

struct setup {
  skipping_clock clock;
  environment_switch environment;
  sg::registry circuits{environment.options(), clock};

  sg::execute_with_retry_options named(std::string name = "storage:save") {
    return {.operation_name = std::move(name), .clock = &clock, .breakers = &circuits};
  }
};

TEST(execute_with_retry, returns_what_the_function_returns) {
  EXPECT_EQ(sg::execute_with_retry([] { return 4; }), 4);
}

TEST(execute_with_retry, takes_attempts_and_waits_as_plain_arguments) {
  flaky f{.failures = 99};
  EXPECT_EQ(thrown_by([&] { sg::execute_with_retry(f, 2, 0s, 0s); }), "attempt 2");
  EXPECT_EQ(f.calls, 2);
}

TEST(execute_with_retry, makes_three_attempts_within_1_to_10_seconds_unless_told_otherwise) {
  setup t;
  flaky f{.failures = 99};
  EXPECT_EQ(thrown_by([&] { sg::execute_with_retry(f, {.clock = &t.clock}); }), "attempt 3");
  EXPECT_THAT(t.clock.waits(), AllOf(SizeIs(2), Each(AllOf(Ge(1s), Le(10s)))));
}

TEST(execute_with_retry, stops_at_the_first_success) {
  setup t;
  EXPECT_EQ(sg::execute_with_retry(flaky{.failures = 1}, {.clock = &t.clock}), 2);
  EXPECT_THAT(t.clock.waits(), SizeIs(1));
}

TEST(execute_with_retry, waits_exactly_when_both_bounds_are_the_same) {
  setup t;
  EXPECT_THROW(sg::execute_with_retry(flaky{.failures = 99}, {.min_wait = 2s, .max_wait = 2s, .clock = &t.clock}), outage);
  EXPECT_THAT(t.clock.waits(), ElementsAre(2s, 2s));
}

TEST(execute_with_retry, touches_no_registry_without_an_operation_name) {
  setup t;
  sg::execute_with_retry([] {}, t.named(""));
  EXPECT_EQ(t.circuits.size(), 0u);
}

TEST(execute_with_retry, with_an_operation_name_is_one_call_of_the_breaker_of_that_name) {
  setup t;
  EXPECT_EQ(sg::execute_with_retry(flaky{.failures = 2}, t.named()), 3);
  EXPECT_THROW(sg::execute_with_retry(flaky{.failures = 99}, t.named()), outage);
  EXPECT_THAT(t.circuits.names(), ElementsAre("storage:save"));
  const auto m = t.circuits.find("storage:save")->snapshot().metrics;
  EXPECT_EQ(m.successes, 1u);
  EXPECT_EQ(m.failures, 1u);
}

TEST(execute_with_retry, makes_no_attempt_and_does_not_wait_while_the_circuit_is_open) {
  setup t;
  t.circuits.get("storage:save").force_open("maintenance");
  flaky f;
  EXPECT_THROW(sg::execute_with_retry(f, t.named()), sg::circuit_open_error);
  EXPECT_EQ(f.calls, 0);
  EXPECT_THAT(t.clock.waits(), IsEmpty());
}

TEST(execute_with_retry, recovers_when_the_open_time_is_over) {
  setup t;
  (void)t.circuits.get("storage:save", small());
  for (int i = 0; i < 2; ++i) EXPECT_THROW(sg::execute_with_retry(flaky{.failures = 99}, t.named()), outage);
  EXPECT_THROW(sg::execute_with_retry([] {}, t.named()), sg::circuit_open_error);
  t.clock.advance(30s);
  EXPECT_NO_THROW(sg::execute_with_retry([] {}, t.named()));
  EXPECT_EQ(t.circuits.find("storage:save")->state(), sg::state::closed);
}

TEST(execute_with_retry, is_just_the_retry_while_the_environment_says_no) {
  setup t;
  t.environment.value = 0;
  flaky f{.failures = 99};
  EXPECT_THROW(sg::execute_with_retry(f, t.named()), outage);
  EXPECT_EQ(f.calls, 3);
  EXPECT_EQ(t.circuits.size(), 0u);
}

TEST(execute_with_retry, uses_the_default_registry_unless_given_one) {
  sg::execute_with_retry([] {}, 1, 0s, 0s, "execute_with_retry_test:default");
  EXPECT_TRUE(sg::default_registry().contains("execute_with_retry_test:default"));
  EXPECT_TRUE(sg::default_registry().remove("execute_with_retry_test:default"));
}

TEST(execute_with_retry, ends_its_wait_when_the_caller_asks_to_stop) {
  setup t;
  std::stop_source stop;
  t.clock.on_wait([&](std::chrono::nanoseconds) { stop.request_stop(); });
  auto options = t.named();
  options.call.stop = stop.get_token();
  flaky f{.failures = 99};
  EXPECT_THROW(sg::execute_with_retry(f, options), sg::cancelled_error);
  EXPECT_EQ(f.calls, 1);
  EXPECT_EQ(t.circuits.find("storage:save")->snapshot().metrics.ignored, 1u);
}

TEST(execute_with_retry, does_not_repeat_what_its_classifier_ignores) {
  setup t;
  int calls = 0;
  const sg::execute_with_retry_options options{.when = sg::classifier{}.ignore<bad_query>(), .clock = &t.clock};
  EXPECT_THROW(sg::execute_with_retry([&] {
    ++calls;
    throw bad_query("no such column");
  }, options), bad_query);
  EXPECT_EQ(calls, 1);
}

TEST(execute_with_retry, does_not_wait_at_all_when_both_bounds_are_zero) {
  setup t;
  EXPECT_THROW(sg::execute_with_retry(flaky{.failures = 99}, {.min_wait = 0s, .max_wait = 0s, .clock = &t.clock}), outage);
  EXPECT_THAT(t.clock.waits(), IsEmpty());
}

TEST(execute_with_retry, refuses_waits_that_would_grow_from_zero) {
  flaky f;
  EXPECT_THROW(sg::execute_with_retry(f, {.min_wait = 0s, .max_wait = 10s}), sg::config_error);
  EXPECT_EQ(f.calls, 0);
}

TEST(execute_with_retry, names_every_problem_of_its_options_and_calls_nothing) {
  const sg::execute_with_retry_options bad{.max_attempts = 0, .min_wait = 2s, .max_wait = 1s, .operation_name = "a\nb"};
  std::vector<std::string> keys;
  for (const sg::problem& p : bad.validate()) keys.push_back(p.key);
  EXPECT_THAT(keys, ElementsAre("max_attempts", "max_wait", "operation_name"));
  flaky f;
  EXPECT_THROW(sg::execute_with_retry(f, bad), sg::config_error);
  EXPECT_EQ(f.calls, 0);
}

}  // namespace
