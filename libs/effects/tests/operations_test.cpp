// SPDX-License-Identifier: Apache-2.0
// The four types, their retries, arguments and decorators.
#include "support.hpp"

#include <switchgear/operations.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>

namespace {

using namespace effects_tests;
using namespace std::chrono_literals;
using sg::testing::skipping_clock;
using testing::ElementsAre;
using testing::Each;
using testing::AllOf;
using testing::Ge;
using testing::IsEmpty;
using testing::Le;
using testing::SizeIs;

struct setup {
  skipping_clock clock;
  environment_switch environment;
  sg::registry circuits{environment.options(), clock};
  sg::operations ops;
  explicit setup(sg::operations_options o = {}) : ops(circuits, std::move(o), clock) {}

  /// How long a failing operation of this type waits before each further attempt.
  std::vector<std::chrono::nanoseconds> waits_of(std::string_view type) {
    EXPECT_THROW(ops.run(type, "f", flaky{.failures = 99}), outage);
    return clock.waits();
  }
};

TEST(operations, of_a_worker_are_tried_three_times_within_1_to_10_seconds) {
  setup t;
  EXPECT_THAT(t.waits_of("worker"), AllOf(SizeIs(2), Each(AllOf(Ge(1s), Le(10s)))));
}

TEST(operations, of_a_storage_are_tried_five_times_with_waits_that_double_without_jitter) {
  setup t;
  EXPECT_THAT(t.waits_of("storage"), ElementsAre(500ms, 1s, 2s, 4s));
}

TEST(operations, of_a_scheduler_are_tried_three_times_within_1_to_8_seconds) {
  setup t;
  EXPECT_THAT(t.waits_of("scheduler"), AllOf(SizeIs(2), Each(AllOf(Ge(1s), Le(8s)))));
}

TEST(operations, of_an_api_are_tried_four_times_within_1_to_15_seconds) {
  setup t;
  EXPECT_THAT(t.waits_of("api"), AllOf(SizeIs(3), Each(AllOf(Ge(1s), Le(15s)))));
}

TEST(operations, return_what_the_function_returns_and_pass_its_arguments) {
  setup t;
  const auto add = [](int a, int b) { return a + b; };
  EXPECT_EQ(t.ops.worker("add", add, 1, 2), 3);
  EXPECT_EQ(t.ops.storage("add", add, 1, 2), 3);
  EXPECT_EQ(t.ops.scheduler("add", add, 1, 2), 3);
  EXPECT_EQ(t.ops.api("add", add, 1, 2), 3);
  EXPECT_EQ(t.ops.run("worker", "add", add, 1, 2), 3);
}

TEST(operations, have_breakers_named_after_type_and_function) {
  setup t;
  t.ops.worker("run_task", [] {});
  t.ops.storage("save_task", [] {});
  t.ops.scheduler("plan", [] {});
  t.ops.api("ask", [] {});
  EXPECT_THAT(t.circuits.names(), ElementsAre("api:ask", "scheduler:plan", "storage:save_task", "worker:run_task"));
}

TEST(operations, of_a_type_of_ones_own_use_its_retries) {
  setup t({.others = {{"mail", {.max_attempts = 2, .backoff = sg::constant(3s)}}}});
  EXPECT_THAT(t.waits_of("mail"), ElementsAre(3s));
  EXPECT_EQ(t.ops.policy("mail").name(), "mail");
  EXPECT_TRUE(t.circuits.contains("mail:f"));
}

TEST(operations, of_an_unknown_type_are_refused_by_name) {
  setup t;
  EXPECT_THAT(thrown_by([&] { t.ops.run("storge", "f", [] {}); }), testing::HasSubstr("storge"));
  EXPECT_THROW((void)t.ops.decorate("storge", "f", [] {}), sg::config_error);
}

TEST(operations, use_the_retries_that_the_options_give) {
  setup t({.storage = {.max_attempts = 2, .backoff = sg::constant(7s)}});
  EXPECT_THAT(t.waits_of("storage"), ElementsAre(7s));
}

TEST(operations, do_not_repeat_what_their_classifier_ignores) {
  setup t({.storage = {.when = sg::classifier{}.ignore<bad_query>()}});
  int calls = 0;
  EXPECT_THROW(t.ops.storage("f", [&] {
    ++calls;
    throw bad_query("no such column");
  }), bad_query);
  EXPECT_EQ(calls, 1);
}

TEST(operations, name_every_problem_of_their_options) {
  const sg::operations_options bad{.worker = {.max_attempts = 0},
                                   .others = {{"api", {}}},
                                   .breaker = sg::config{.success_threshold = 0}};
  std::vector<std::string> keys;
  for (const sg::problem& p : bad.validate()) keys.push_back(p.key);
  EXPECT_THAT(keys, ElementsAre("worker.max_attempts", "others", "breaker.success_threshold"));
  sg::registry circuits(hermetic());
  EXPECT_THROW(sg::operations(circuits, bad), sg::config_error);
}

TEST(operations, stop_waiting_when_the_caller_asks_to) {
  setup t;
  std::stop_source stop;
  t.clock.on_wait([&](std::chrono::nanoseconds) { stop.request_stop(); });
  flaky f{.failures = 99};
  EXPECT_THROW(t.ops.storage({.stop = stop.get_token()}, "f", f), sg::cancelled_error);
  EXPECT_EQ(f.calls, 1);
  EXPECT_EQ(t.circuits.find("storage:f")->snapshot().metrics.ignored, 1u);
}

TEST(operations, give_the_callers_stop_token_to_a_function_that_takes_one) {
  setup t;
  std::stop_source stop;
  EXPECT_TRUE(t.ops.api({.stop = stop.get_token()}, "f", [](std::stop_token s, int) { return s.stop_possible(); }, 1));
}

TEST(operations, count_in_the_retry_policy_of_their_type) {
  setup t;
  t.ops.worker("a", flaky{.failures = 1});
  t.ops.worker("b", [] {});
  EXPECT_EQ(t.ops.policy("worker").metrics().after_retries, 1u);
  EXPECT_EQ(t.ops.policy("worker").metrics().first_try, 1u);
  EXPECT_EQ(t.ops.policy("storage").metrics().calls(), 0u);
}

TEST(decorated_operation, retries_and_counts_like_a_call_by_name) {
  setup t;
  flaky f{.failures = 2};
  auto save = t.ops.decorate_storage("save", [&](int x) { return f() + x; });
  EXPECT_EQ(save(10), 13);
  EXPECT_EQ(save.key(), "storage:save");
  EXPECT_EQ(t.circuits.find("storage:save")->snapshot().metrics.successes, 1u);
}

TEST(decorated_operation, exists_for_each_type) {
  setup t;
  t.ops.decorate_worker("f", [] {})();
  t.ops.decorate_scheduler("f", [] {})();
  t.ops.decorate_api("f", [] {})();
  t.ops.decorate("storage", "f", [] {})();
  EXPECT_THAT(t.circuits.names(), ElementsAre("api:f", "scheduler:f", "storage:f", "worker:f"));
}

TEST(decorated_operation, registers_nothing_before_it_is_called) {
  setup t;
  const auto save = t.ops.decorate_storage("save", [] {});
  EXPECT_EQ(t.circuits.size(), 0u);
  save();
  EXPECT_EQ(t.circuits.size(), 1u);
}

TEST(decorated_operation, keeps_its_breaker_although_the_registry_forgets_it) {
  setup t({.breaker = small()});
  const auto save = t.ops.decorate_storage("save", [](bool fails) {
    if (fails) throw outage("down");
  });
  for (int i = 0; i < 2; ++i) EXPECT_THROW(save(true), outage);
  t.circuits.clear();
  EXPECT_THROW(save(false), sg::circuit_open_error);
}

TEST(decorated_operation, shares_its_breaker_with_its_copies_and_with_calls_by_name) {
  setup t({.breaker = small()});
  const auto save = t.ops.decorate_storage("save", [] { throw outage("down"); });
  const auto copy = save;
  EXPECT_THROW(save(), outage);
  EXPECT_THROW(copy(), outage);
  EXPECT_THROW(t.ops.storage("save", [] {}), sg::circuit_open_error);
}

TEST(decorated_operation, takes_an_execution_before_its_arguments) {
  setup t;
  std::stop_source stop;
  const auto ask = t.ops.decorate_api("ask", [](std::stop_token s, int) { return s.stop_possible(); });
  EXPECT_TRUE(ask(sg::execution{.stop = stop.get_token()}, 1));
  sg::execution named{.stop = stop.get_token()};
  EXPECT_TRUE(ask(named, 1));
  EXPECT_FALSE(ask(1));
}

TEST(decorated_operation, holds_functions_that_can_only_be_moved_and_that_change) {
  setup t;
  auto next = t.ops.decorate_worker("next", [p = std::make_unique<int>(0)]() mutable { return ++*p; });
  EXPECT_EQ(next(), 1);
  EXPECT_EQ(next(), 2);
}

TEST(decorated_operation, works_when_its_operations_are_gone) {
  setup t;
  auto ops = std::make_unique<sg::operations>(t.circuits, sg::operations_options{}, t.clock);
  const auto save = ops->decorate_storage("save", [] { return 4; });
  ops.reset();
  EXPECT_EQ(save(), 4);
}

}  // namespace
