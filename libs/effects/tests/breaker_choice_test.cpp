// SPDX-License-Identifier: Apache-2.0
// Which breaker effects, operations and execute_with_retry get from their registry, and what they ask for.
#include "support.hpp"

#include <switchgear/effect_executor.hpp>
#include <switchgear/execute_with_retry.hpp>
#include <switchgear/operations.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>

namespace {

using namespace effects_tests;
using namespace std::chrono_literals;
using sg::testing::skipping_clock;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

const sg::classifier rules = sg::classifier{}.fail_if([](int status) { return status >= 500; });

struct setup {
  skipping_clock clock;
  environment_switch environment;
  sg::registry circuits;
  sg::effect_executor effects{{}, circuits, clock};
  sg::operations ops{circuits, {.storage = {.max_attempts = 1}}, clock};

  explicit setup(sg::registry_options o = {}) : circuits(merged(std::move(o)), clock) {}
  sg::registry_options merged(sg::registry_options o) {
    sg::registry_options mine = environment.options();
    if (!o.environment) o.environment = std::move(mine.environment);
    if (!o.read_variable) o.read_variable = std::move(mine.read_variable);
    return o;
  }
  /// Makes the breaker while the environment says no, and lets it say yes.
  void made_while_off() {
    environment.value = 0;
    EXPECT_EQ(circuits.get("storage:save")->state(), sg::state::disabled);
    environment.value = 1;
  }
  std::uint64_t failures() { return circuits.find("storage:save")->snapshot().metrics.failures; }
};

// --- a breaker that was made while the environment said no ---

TEST(breaker_made_while_off, works_again_from_the_next_effect_on) {
  setup t;
  t.made_while_off();
  EXPECT_THROW(t.effects.execute("storage:save", {.circuit_breaker = true}, flaky{.failures = 9}), outage);
  EXPECT_EQ(t.failures(), 1u);
}

TEST(breaker_made_while_off, works_again_from_the_next_effect_with_rules_on) {
  setup t;
  t.made_while_off();
  EXPECT_EQ(t.effects.execute("storage:save", {.circuit_breaker = true, .when = rules}, [] { return 503; }), 503);
  EXPECT_EQ(t.failures(), 1u);
}

TEST(breaker_made_while_off, works_again_from_the_next_effect_with_keys_on) {
  setup t;
  t.made_while_off();
  const sg::effect_options options{.circuit_breaker = true,
                                   .breaker_keys = sg::config_patch{}.set("failure_threshold", sg::raw_value::untyped("7"))};
  EXPECT_THROW(t.effects.execute("storage:save", options, flaky{.failures = 9}), outage);
  EXPECT_EQ(t.failures(), 1u);
}

TEST(breaker_made_while_off, works_again_from_the_next_operation_on) {
  setup t;
  t.made_while_off();
  EXPECT_THROW(t.ops.storage("save", flaky{.failures = 9}), outage);
  EXPECT_EQ(t.failures(), 1u);
}

TEST(breaker_made_while_off, works_again_from_the_next_decorated_operation_on) {
  setup t;
  t.made_while_off();
  const auto save = t.ops.decorate_storage("save", [] { throw outage("down"); });
  EXPECT_THROW(save(), outage);
  EXPECT_EQ(t.failures(), 1u);
}

TEST(breaker_made_while_off, works_again_from_the_next_execute_with_retry_on) {
  setup t;
  t.made_while_off();
  const sg::execute_with_retry_options options{.operation_name = "storage:save", .clock = &t.clock, .breakers = &t.circuits};
  EXPECT_THROW(sg::execute_with_retry(flaky{.failures = 99}, options), outage);
  EXPECT_EQ(t.failures(), 1u);
}

// --- a decorated operation and a full registry ---

TEST(decorated_operation, is_guarded_as_soon_as_the_registry_has_room) {
  setup t({.max_breakers = 1, .when_full = sg::when_registry_full::pass_through});
  const auto held = t.circuits.get("other");
  const auto save = t.ops.decorate_storage("save", [] { throw outage("down"); });
  EXPECT_THROW(save(), outage);
  EXPECT_FALSE(t.circuits.contains("storage:save"));
  EXPECT_TRUE(t.circuits.remove("other"));
  EXPECT_THROW(save(), outage);
  ASSERT_TRUE(t.circuits.contains("storage:save"));
  EXPECT_EQ(t.failures(), 1u);
}

TEST(decorated_operation, may_be_called_by_the_report_that_its_first_call_causes) {
  int calls = 0;
  std::function<void()> reported;
  setup t({.max_breakers = 1,
           .when_full = sg::when_registry_full::pass_through,
           .on_report = [&](const sg::registry_report&) {
             if (const auto once = std::exchange(reported, nullptr)) once();
           }});
  const auto held = t.circuits.get("other");
  const auto save = t.ops.decorate_storage("save", [&] { ++calls; });
  reported = [&] { save(); };
  save();
  EXPECT_EQ(calls, 2);
}

TEST(decorated_operation, may_be_called_by_what_reads_the_environment) {
  int calls = 0, reads = 0;
  std::function<void()> read;
  setup t({.read_variable = [&](std::string_view) -> std::optional<std::string> {
    // The first time for the call, the second for the breaker that is made.
    if (read && ++reads == 2) std::exchange(read, nullptr)();
    return std::nullopt;
  }});
  const auto save = t.ops.decorate_storage("save", [&] { ++calls; });
  read = [&] { save(); };
  save();
  EXPECT_FALSE(read);
  EXPECT_EQ(calls, 2);
}

// --- rules that the breaker does not have ---

TEST(rules_of_another_breaker, are_reported_for_an_effect) {
  setup t;
  (void)t.circuits.get("storage:save");
  t.effects.execute("storage:save", {.circuit_breaker = true, .when = rules}, [] {});
  EXPECT_THAT(t.circuits.reports(), SizeIs(1));
}

TEST(rules_of_another_breaker, are_reported_for_an_operation) {
  setup t;
  const sg::operations ops(t.circuits, {.storage = {.when = rules}}, t.clock);
  (void)t.circuits.get("storage:save");
  ops.storage("save", [] {});
  EXPECT_THAT(t.circuits.reports(), SizeIs(1));
}

TEST(rules_of_another_breaker, are_reported_for_a_decorated_operation) {
  setup t;
  const sg::operations ops(t.circuits, {.storage = {.when = rules}}, t.clock);
  (void)t.circuits.get("storage:save");
  ops.decorate_storage("save", [] {})();
  EXPECT_THAT(t.circuits.reports(), SizeIs(1));
}

TEST(rules_of_another_breaker, are_reported_for_execute_with_retry) {
  setup t;
  (void)t.circuits.get("storage:save");
  sg::execute_with_retry([] {}, {.operation_name = "storage:save", .when = rules, .breakers = &t.circuits});
  EXPECT_THAT(t.circuits.reports(), SizeIs(1));
}

TEST(rules_of_another_breaker, that_has_some_are_not_reported) {
  setup t;
  for (int i = 0; i < 3; ++i) t.effects.execute("storage:save", {.circuit_breaker = true, .when = rules}, [] {});
  EXPECT_THAT(t.circuits.reports(), IsEmpty());
}

// --- some keys of the configuration ---

sg::config_patch one_failure() { return sg::config_patch{}.set("failure_threshold", sg::raw_value::untyped("1")); }

/// The environment says something of two keys.
sg::registry_options surroundings() {
  return {.environment = sg::variables{{"SWITCHGEAR_CB_FAILURE_THRESHOLD", "9"}, {"SWITCHGEAR_CB_OPEN_DURATION", "7s"}}};
}

TEST(breaker_keys, of_an_effect_lie_over_what_the_registry_finds) {
  setup t(surroundings());
  t.effects.execute("e", {.circuit_breaker = true, .breaker_keys = one_failure()}, [] {});
  EXPECT_EQ(t.circuits.find("e")->configuration().failure_threshold, 1);
  EXPECT_EQ(t.circuits.find("e")->configuration().open_duration, 7s);
}

TEST(breaker_keys, of_operations_lie_over_what_the_registry_finds) {
  setup t(surroundings());
  const sg::operations ops(t.circuits, {.breaker_keys = one_failure()}, t.clock);
  ops.storage("save", [] {});
  ops.decorate_api("ask", [] {})();
  for (const char* name : {"storage:save", "api:ask"}) {
    EXPECT_EQ(t.circuits.find(name)->configuration().failure_threshold, 1) << name;
    EXPECT_EQ(t.circuits.find(name)->configuration().open_duration, 7s) << name;
  }
}

TEST(breaker_keys, are_refused_together_with_a_whole_configuration) {
  std::vector<sg::problem> all = sg::effect_options{.breaker = small(), .breaker_keys = one_failure()}.validate();
  ASSERT_THAT(all, SizeIs(1));
  EXPECT_EQ(all[0].key, "breaker_keys");
  all = sg::operations_options{.breaker = small(), .breaker_keys = one_failure()}.validate();
  ASSERT_THAT(all, SizeIs(1));
  EXPECT_EQ(all[0].key, "breaker_keys");
}

TEST(breaker_keys, that_do_not_exist_fail_the_call_before_anything_runs) {
  setup t;
  bool ran = false;
  const sg::effect_options options{.circuit_breaker = true,
                                   .breaker_keys = sg::config_patch{}.set("no_such_key", sg::raw_value::untyped("1"))};
  EXPECT_THROW(t.effects.execute("e", options, [&] { ran = true; }), sg::config_error);
  EXPECT_FALSE(ran);
  EXPECT_EQ(t.effects.metrics("e").executed, 0u);
}

}  // namespace
