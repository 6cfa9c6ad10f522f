// SPDX-License-Identifier: Apache-2.0
// The circuit around a whole retry loop, from closed to open and back, switched on and off at call time.
#include "support.hpp"

#include <switchgear/operations.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <barrier>
#include <thread>

namespace {

using namespace effects_tests;
using namespace std::chrono_literals;
using sg::testing::skipping_clock;
using testing::ElementsAre;
using testing::IsEmpty;

struct setup {
  skipping_clock clock;
  environment_switch environment;
  sg::registry circuits{environment.options(), clock};
  sg::operations ops;
  int calls = 0;

  explicit setup(sg::operations_options o = {.storage = {.max_attempts = 2, .backoff = sg::constant(1s)}, .breaker = small()})
      : ops(circuits, std::move(o), clock) {}

  void fail(std::string_view function = "save") {
    EXPECT_THROW(ops.storage(function, [this] {
      ++calls;
      throw outage("down");
    }), outage);
  }
  void succeed(std::string_view function = "save") {
    ops.storage(function, [this] { ++calls; });
  }
  sg::breaker_handle circuit(std::string_view name = "storage:save") { return circuits.find(name); }
};

TEST(operation_circuit, opens_after_the_threshold_of_failed_operations) {
  setup t;
  t.fail();
  t.fail();
  EXPECT_EQ(t.circuit()->state(), sg::state::open);
}

TEST(operation_circuit, stays_closed_below_the_threshold) {
  setup t;
  t.fail();
  EXPECT_EQ(t.circuit()->state(), sg::state::closed);
  EXPECT_EQ(t.circuit()->snapshot().consecutive_failures, 1u);
}

TEST(operation_circuit, forgets_failures_after_a_success) {
  setup t;
  t.fail();
  t.succeed();
  t.fail();
  EXPECT_EQ(t.circuit()->state(), sg::state::closed);
}

TEST(operation_circuit, throws_its_error_when_open_and_does_not_run_the_function) {
  setup t;
  t.fail();
  t.fail();
  const int before = t.calls;
  EXPECT_THROW(t.succeed(), sg::circuit_open_error);
  EXPECT_EQ(t.calls, before);
}

TEST(operation_circuit, uses_up_no_retry_and_no_time_when_open) {
  setup t;
  t.fail();
  t.fail();
  const auto before = t.clock.now();
  const auto retries = t.ops.policy("storage").metrics();
  EXPECT_THROW(t.succeed(), sg::circuit_open_error);
  EXPECT_EQ(t.clock.now(), before);
  EXPECT_EQ(t.ops.policy("storage").metrics().calls(), retries.calls());
}

TEST(operation_circuit, is_half_open_after_its_time) {
  setup t;
  t.fail();
  t.fail();
  t.clock.advance(30s);
  EXPECT_EQ(t.circuit()->state(), sg::state::half_open);
}

TEST(operation_circuit, closes_after_a_good_probe) {
  setup t;
  t.fail();
  t.fail();
  t.clock.advance(30s);
  t.succeed();
  EXPECT_EQ(t.circuit()->state(), sg::state::closed);
}

TEST(operation_circuit, closes_at_the_success_threshold_and_not_before) {
  sg::config two = small();
  two.success_threshold = 2;
  setup t({.storage = {.max_attempts = 1}, .breaker = two});
  t.fail();
  t.fail();
  t.clock.advance(30s);
  t.succeed();
  EXPECT_EQ(t.circuit()->state(), sg::state::half_open);
  t.succeed();
  EXPECT_EQ(t.circuit()->state(), sg::state::closed);
}

TEST(operation_circuit, opens_again_after_a_failed_probe) {
  setup t;
  t.fail();
  t.fail();
  t.clock.advance(30s);
  t.fail();
  EXPECT_EQ(t.circuit()->state(), sg::state::open);
}

TEST(operation_circuit, takes_a_probe_that_succeeds_after_a_retry_for_a_good_one) {
  setup t;
  t.fail();
  t.fail();
  t.clock.advance(30s);
  EXPECT_EQ(t.ops.storage("save", flaky{.failures = 1}), 2);
  EXPECT_EQ(t.circuit()->state(), sg::state::closed);
}

TEST(operation_circuit, counts_success_after_retries_as_one_success) {
  setup t;
  EXPECT_EQ(t.ops.storage("save", flaky{.failures = 1}), 2);
  EXPECT_EQ(t.circuit()->snapshot().metrics.successes, 1u);
  EXPECT_EQ(t.circuit()->snapshot().metrics.failures, 0u);
}

TEST(operation_circuit, counts_retries_used_up_as_one_failure_and_the_functions_own_exception_passes) {
  setup t;
  EXPECT_EQ(thrown_by([&] { t.ops.storage("save", flaky{.failures = 9}); }), "attempt 2");
  EXPECT_EQ(t.circuit()->snapshot().metrics.failures, 1u);
}

TEST(operation_circuit, counts_a_last_value_that_the_retries_call_a_failure_as_one) {
  setup t({.api = {.max_attempts = 3, .when = sg::classifier{}.fail_if([](int status) { return status >= 500; })}});
  EXPECT_EQ(t.ops.api("ask", [] { return 503; }), 503);
  EXPECT_EQ(t.circuit("api:ask")->snapshot().metrics.failures, 1u);
}

TEST(operation_circuit, is_one_of_its_own_for_each_function_and_each_type) {
  setup t;
  t.fail("save");
  t.fail("save");
  EXPECT_NO_THROW(t.succeed("load"));
  EXPECT_NO_THROW(t.ops.worker("save", [] {}));
  EXPECT_THROW(t.succeed("save"), sg::circuit_open_error);
}

TEST(operation_circuit, of_functions_of_one_name_in_two_scopes_is_not_the_same_trap_22) {
  setup t;
  t.fail("tasks::save");
  t.fail("tasks::save");
  EXPECT_NO_THROW(t.succeed("users::save"));
}

TEST(operation_circuit, has_an_error_with_name_and_retry_after) {
  setup t;
  t.fail();
  t.fail();
  t.clock.advance(10s);
  try {
    t.succeed();
    FAIL();
  } catch (const sg::circuit_open_error& e) {
    EXPECT_EQ(e.name(), "storage:save");
    EXPECT_EQ(e.retry_after(), 20s);
    EXPECT_EQ(e.failure_count(), 2u);
    EXPECT_FALSE(e.correlation_id().empty());
  }
}

TEST(operation_circuit, can_be_reset_with_all_others) {
  setup t;
  for (const char* function : {"a", "a", "b", "b"}) t.fail(function);
  EXPECT_THAT(t.circuits.open_circuits(), ElementsAre("storage:a", "storage:b"));
  t.circuits.reset_all();
  EXPECT_THAT(t.circuits.open_circuits(), IsEmpty());
  EXPECT_NO_THROW(t.succeed("a"));
}

TEST(operation_circuit, is_left_out_while_the_environment_says_no_and_retries_still_work) {
  setup t;
  t.environment.value = 0;
  for (int i = 0; i < 5; ++i) t.fail();
  EXPECT_EQ(t.calls, 10);  // two attempts each
  EXPECT_EQ(t.circuits.size(), 0u);
}

TEST(operation_circuit, passes_an_operation_through_that_succeeds_while_the_environment_says_no) {
  setup t;
  t.environment.value = 0;
  EXPECT_EQ(t.ops.storage("save", flaky{.failures = 1}), 2);
  EXPECT_EQ(t.circuits.size(), 0u);
}

TEST(operation_circuit, follows_the_environment_at_each_call) {
  setup t;
  const auto save = t.ops.decorate_storage("save", [] {});
  t.fail();
  t.fail();
  EXPECT_THROW(save(), sg::circuit_open_error);
  t.environment.value = 0;
  EXPECT_NO_THROW(save());
  EXPECT_NO_THROW(t.succeed());
  t.environment.value = 1;
  EXPECT_THROW(save(), sg::circuit_open_error);
  EXPECT_EQ(t.circuit()->snapshot().metrics.successes, 0u);
}

TEST(operation_circuit, is_left_out_when_the_options_say_so) {
  setup t({.breakers = false, .storage = {.max_attempts = 2}});
  for (int i = 0; i < 9; ++i) t.fail();
  EXPECT_EQ(t.calls, 18);
  EXPECT_EQ(t.circuits.size(), 0u);
  EXPECT_FALSE(t.ops.breakers_work());
}

TEST(operation_circuit, has_the_figures_of_the_source_system_when_its_environment_enables_it) {
  skipping_clock clock;
  const sg::variables environment{{"BINDU_CB_ENABLED", "true"}};
  sg::registry circuits({.preset = "bindu", .prefix = "BINDU_CB", .environment = environment}, clock);
  const sg::operations ops(circuits, {}, clock);
  ops.storage("save", [] {});
  const sg::config c = circuits.find("storage:save")->configuration();
  EXPECT_TRUE(c.enabled);
  EXPECT_EQ(c.failure_threshold, 3);
  EXPECT_EQ(c.open_duration, 30s);
  EXPECT_EQ(c.success_threshold, 1);
}

TEST(operation_circuit, takes_its_figures_from_the_environment) {
  skipping_clock clock;
  sg::registry circuits({.prefix = "BINDU_CB", .environment = sg::variables{
      {"BINDU_CB_ENABLED", "true"}, {"BINDU_CB_FAILURE_THRESHOLD", "1"}, {"BINDU_CB_OPEN_DURATION", "5s"},
      {"BINDU_CB_SUCCESS_THRESHOLD", "1"}}}, clock);
  const sg::operations ops(circuits, {}, clock);
  EXPECT_THROW(ops.storage("save", flaky{.failures = 99}), outage);
  EXPECT_THROW(ops.storage("save", [] {}), sg::circuit_open_error);
  clock.advance(5s);
  EXPECT_NO_THROW(ops.storage("save", [] {}));
}

TEST(operation_circuit, of_the_source_system_guards_nothing_until_its_environment_enables_it) {
  skipping_clock clock;
  sg::registry circuits({.preset = "bindu", .prefix = "BINDU_CB", .environment = sg::variables{}}, clock);
  const sg::operations ops(circuits, {}, clock);
  for (int i = 0; i < 9; ++i) EXPECT_THROW(ops.storage("save", flaky{.failures = 99}), outage);
  EXPECT_EQ(ops.policy("storage").metrics().attempts_used_up, 9u);
}

TEST(operation_circuit, is_not_corrupted_by_operations_of_many_threads) {
  constexpr int threads = 4, each = 200;
  setup t({.storage = {.max_attempts = 2, .backoff = sg::constant(0s)}, .breaker = sg::config{.failure_threshold = 1 << 20}});
  const auto save = t.ops.decorate_storage("save", [](int i) {
    if (i % 2 == 0) throw outage("down");
  });
  std::barrier start(threads);
  std::vector<std::jthread> all;
  for (int n = 0; n < threads; ++n) {
    all.emplace_back([&, n] {
      start.arrive_and_wait();
      for (int i = 0; i < each; ++i) {
        try {
          if (n % 2 == 0) {
            save(i);
          } else {
            t.ops.storage("save", [i] { if (i % 2 == 0) throw outage("down"); });
          }
        } catch (const outage&) {
        }
      }
    });
  }
  all.clear();
  const auto m = t.circuit()->snapshot().metrics;
  EXPECT_EQ(t.circuits.size(), 1u);
  EXPECT_EQ(m.successes, threads * each / 2u);
  EXPECT_EQ(m.failures, threads * each / 2u);
  EXPECT_EQ(t.ops.policy("storage").metrics().retries, threads * each / 2u);
}

}  // namespace
