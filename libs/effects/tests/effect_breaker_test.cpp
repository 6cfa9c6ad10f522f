// SPDX-License-Identifier: Apache-2.0
// The breaker around an effect: what it is told, and what it does to the transaction.
#include "support.hpp"

#include <switchgear/effect_executor.hpp>
#include <switchgear/testing/manual_clock.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace {

using namespace effects_tests;
using namespace std::chrono_literals;
using sg::testing::manual_clock;
using sg::testing::skipping_clock;
using testing::ElementsAre;
using testing::IsEmpty;

struct setup {
  skipping_clock clock;
  diary d;
  environment_switch environment;
  sg::effect_executor effects{{.breakers = environment.options()}, clock};
  const sg::effect_options guarded{.circuit_breaker = true, .breaker = small()};

  setup() { effects.define("e", guarded); }
  sg::lifetime_metrics counts(const char* type = "e") { return effects.breakers().find(type)->snapshot().metrics; }
  void open() {
    for (int i = 0; i < 2; ++i) EXPECT_THROW(effects.execute("e", flaky{.failures = 9}), outage);
  }
};

TEST(effect_breaker, is_neither_asked_nor_made_unless_asked_for) {
  setup t;
  t.effects.execute("plain", [] {});
  EXPECT_THROW(t.effects.execute("plain", flaky{.failures = 9}), outage);
  EXPECT_EQ(t.effects.breakers().size(), 0u);
}

TEST(effect_breaker, is_not_told_of_a_call_that_did_not_ask_for_it) {
  setup t;
  t.effects.execute("e", [] {});
  EXPECT_THROW(t.effects.execute("e", sg::effect_options{}, flaky{.failures = 9}), outage);
  EXPECT_EQ(t.counts().total_calls(), 1u);
}

TEST(effect_breaker, is_not_asked_by_a_call_that_did_not_ask_for_it) {
  setup t;
  t.open();
  t.effects.execute("e", sg::effect_options{}, t.d.note("work"));
  EXPECT_THAT(t.d.lines, ElementsAre("work"));
}

TEST(effect_breaker, has_the_type_of_the_effect_as_its_name) {
  setup t;
  t.effects.execute("e", [] {});
  EXPECT_THAT(t.effects.breakers().names(), ElementsAre("e"));
}

TEST(effect_breaker, is_the_same_for_every_call_of_a_type_and_another_for_another_type) {
  setup t;
  t.open();
  EXPECT_THROW(t.effects.execute("e", [] {}), sg::circuit_open_error);
  EXPECT_NO_THROW(t.effects.execute("f", t.guarded, [] {}));
}

TEST(effect_breaker, takes_the_configuration_of_the_call_that_makes_it) {
  setup t;
  t.effects.execute("e", [] {});
  EXPECT_EQ(t.effects.breakers().find("e")->configuration().failure_threshold, 2);
}

TEST(effect_breaker, runs_nothing_and_registers_nothing_when_it_rejects) {
  setup t;
  t.open();
  bool had_transaction = false;
  EXPECT_THROW(t.effects.execute("e", [&](sg::transaction&) { had_transaction = true; }), sg::circuit_open_error);
  EXPECT_FALSE(had_transaction);
  EXPECT_EQ(t.effects.metrics("e").rejected, 1u);
  EXPECT_EQ(t.effects.metrics("e").executed, 2u);
}

TEST(effect_breaker, does_not_count_its_own_rejection_as_a_failure) {
  setup t;
  t.open();
  EXPECT_THROW(t.effects.execute("e", [] {}), sg::circuit_open_error);
  EXPECT_EQ(t.counts().failures, 2u);
  EXPECT_EQ(t.counts().rejections, 1u);
}

TEST(effect_breaker, gives_the_callers_correlation_id_to_its_error) {
  setup t;
  t.open();
  try {
    t.effects.execute("e", {.context = {.correlation_id = "id-7"}}, [] {});
    FAIL();
  } catch (const sg::circuit_open_error& e) {
    EXPECT_EQ(e.correlation_id(), "id-7");
    EXPECT_EQ(e.name(), "e");
    EXPECT_EQ(e.retry_after(), 30s);
  }
}

TEST(effect_breaker, lets_effects_through_again_after_a_good_probe) {
  setup t;
  t.open();
  t.clock.advance(30s);
  EXPECT_NO_THROW(t.effects.execute("e", [] {}));
  EXPECT_EQ(t.effects.breakers().find("e")->state(), sg::state::closed);
}

TEST(effect_breaker, rolls_a_failed_probe_back_and_opens_again) {
  setup t;
  t.open();
  t.clock.advance(30s);
  EXPECT_THROW(t.effects.execute("e", [&](sg::transaction& undo) {
    undo.on_rollback("a", t.d.note("undo a"));
    throw outage("down");
  }), outage);
  EXPECT_THAT(t.d.lines, ElementsAre("undo a"));
  EXPECT_EQ(t.effects.breakers().find("e")->state(), sg::state::open);
}

TEST(effect_breaker, counts_a_commit_action_that_throws_as_a_failure) {
  setup t;
  EXPECT_THROW(t.effects.execute("e", [&](sg::transaction& undo) { undo.on_commit("b", t.d.note_and_throw("b")); }), outage);
  EXPECT_EQ(t.counts().failures, 1u);
  EXPECT_EQ(t.counts().successes, 0u);
}

TEST(effect_breaker, counts_a_value_that_is_a_failure_as_one) {
  setup t;
  auto options = t.guarded;
  options.when.fail_if([](int status) { return status >= 500; });
  EXPECT_EQ(t.effects.execute("e", options, [] { return 503; }), 503);
  EXPECT_EQ(t.counts().failures, 1u);
  EXPECT_EQ(t.effects.metrics("e").rolled_back, 1u);
}

TEST(effect_breaker, counts_a_value_that_the_retry_alone_fails_as_a_failure_too) {
  setup t;
  auto options = t.guarded;
  options.retry = {.max_attempts = 2, .when = sg::classifier{}.fail_if([](int status) { return status >= 500; })};
  EXPECT_EQ(t.effects.execute("e", options, [] { return 503; }), 503);
  EXPECT_EQ(t.counts().failures, 1u);
  EXPECT_EQ(t.counts().successes, 0u);
  EXPECT_EQ(t.effects.metrics("e").rollbacks, 2u);
}

TEST(effect_breaker, agrees_with_the_transaction_whatever_rules_it_was_made_with) {
  setup t;
  (void)t.effects.breakers().get("e", small(), sg::classifier{}.fail_if([](int) { return true; }));
  t.effects.execute("e", [] { return 1; });
  EXPECT_EQ(t.effects.metrics("e").committed, 1u);
  EXPECT_EQ(t.counts().successes, 1u);
}

TEST(effect_breaker, ignores_what_the_classifier_ignores_and_the_effect_is_rolled_back) {
  setup t;
  auto options = t.guarded;
  options.when.ignore<bad_query>();
  EXPECT_THROW(t.effects.execute("e", options, [&](sg::transaction& undo) {
    undo.on_rollback("a", t.d.note("undo a"));
    throw bad_query("no such column");
  }), bad_query);
  EXPECT_EQ(t.counts().ignored, 1u);
  EXPECT_EQ(t.counts().failures, 0u);
  EXPECT_THAT(t.d.lines, ElementsAre("undo a"));
}

TEST(effect_breaker, ignores_a_value_that_the_classifier_ignores_and_the_effect_is_committed) {
  setup t;
  auto options = t.guarded;
  options.when.ignore_if([](int status) { return status == 404; });
  EXPECT_EQ(t.effects.execute("e", options, [] { return 404; }), 404);
  EXPECT_EQ(t.counts().ignored, 1u);
  EXPECT_EQ(t.effects.metrics("e").committed, 1u);
}

TEST(effect_breaker, ignores_an_effect_that_obeys_a_stop_request) {
  setup t;
  std::stop_source stop;
  EXPECT_THROW(t.effects.execute("e", {.stop = stop.get_token()}, [&](sg::transaction& undo) {
    undo.on_rollback("a", t.d.note("undo a"));
    stop.request_stop();
    throw outage("stopped");
  }), outage);
  EXPECT_EQ(t.counts().ignored, 1u);
  EXPECT_THAT(t.d.lines, ElementsAre("undo a"));
}

TEST(effect_breaker, ignores_a_failing_value_of_an_effect_that_obeys_a_stop_request) {
  setup t;
  std::stop_source stop;
  auto options = t.guarded;
  options.call.stop = stop.get_token();
  options.when.fail_if([](int status) { return status >= 500; });
  EXPECT_EQ(t.effects.execute("e", options, [&](sg::transaction& undo) {
    undo.on_rollback("a", t.d.note("undo a"));
    stop.request_stop();
    return 503;
  }), 503);
  EXPECT_EQ(t.counts().ignored, 1u);
  EXPECT_EQ(t.counts().failures, 0u);
  EXPECT_THAT(t.d.lines, ElementsAre("undo a"));
}

TEST(effect_breaker, counts_the_good_value_of_an_effect_that_ends_in_spite_of_a_stop_request) {
  setup t;
  std::stop_source stop;
  t.effects.execute("e", {.stop = stop.get_token()}, [&] { stop.request_stop(); });
  EXPECT_EQ(t.counts().successes, 1u);
  EXPECT_EQ(t.effects.metrics("e").committed, 1u);
}

TEST(effect_breaker, ignores_an_effect_that_lost_its_race) {
  setup t;
  std::atomic<sg::call_fate> fate{sg::call_fate::wanted};
  EXPECT_THROW(t.effects.execute("e", {.fate = &fate}, [&] { fate = sg::call_fate::lost; }), sg::cancelled_error);
  EXPECT_EQ(t.counts().ignored, 1u);
}

TEST(effect_breaker, counts_an_effect_whose_outer_time_limit_passed_as_a_timeout) {
  setup t;
  std::atomic<sg::call_fate> fate{sg::call_fate::wanted};
  EXPECT_THROW(t.effects.execute("e", {.fate = &fate}, [&] { fate = sg::call_fate::timed_out; }), sg::cancelled_error);
  EXPECT_EQ(t.counts().timeouts, 1u);
  EXPECT_EQ(t.effects.metrics("e").rolled_back, 1u);
}

struct timed_setup {
  manual_clock clock;
  diary d;
  sg::effect_executor effects{{.breakers = hermetic()}, clock};
  timed_setup() {
    sg::config c = small();
    c.call_timeout = 5s;
    effects.define("e", {.circuit_breaker = true, .retry = sg::retry_options{}, .breaker = c});
  }
};

TEST(effect_breaker, rolls_back_what_comes_after_its_call_timeout) {
  timed_setup t;
  try {
    t.effects.execute("e", [&](sg::transaction& undo) {
      undo.on_rollback("a", t.d.note("undo a"));
      t.clock.advance(5s);
    });
    FAIL();
  } catch (const sg::call_timeout_error& e) {
    EXPECT_EQ(e.limit(), 5s);
    EXPECT_EQ(e.name(), "e");
  }
  EXPECT_THAT(t.d.lines, ElementsAre("undo a"));
  const auto counts = t.effects.breakers().find("e")->snapshot().metrics;
  EXPECT_EQ(counts.timeouts, 1u);
  EXPECT_EQ(counts.successes, 0u);
  EXPECT_EQ(t.effects.metrics("e").executed, 1u);
  EXPECT_EQ(t.clock.timers(), 0u);
}

TEST(effect_breaker, asks_the_effect_to_stop_at_its_call_timeout) {
  timed_setup t;
  EXPECT_THROW(t.effects.execute("e", [&](std::stop_token stop, sg::transaction& undo) {
    undo.on_rollback("a", t.d.note("undo a"));
    EXPECT_FALSE(stop.stop_requested());
    t.clock.advance(5s);
    EXPECT_TRUE(stop.stop_requested());
    throw outage("gave up");
  }), sg::call_timeout_error);
  EXPECT_THAT(t.d.lines, ElementsAre("undo a"));
  EXPECT_EQ(t.effects.metrics("e").retries, 0u);
}

TEST(effect_breaker, commits_what_comes_before_its_call_timeout) {
  timed_setup t;
  t.effects.execute("e", [&](sg::transaction& undo) {
    undo.on_rollback("a", t.d.note("undo a"));
    t.clock.advance(4s);
  });
  EXPECT_THAT(t.d.lines, IsEmpty());
  EXPECT_EQ(t.clock.timers(), 0u);
}

TEST(effect_breaker, counts_commit_actions_that_outlast_its_call_timeout_as_the_success_they_are) {
  timed_setup t;
  t.effects.execute("e", [&](sg::transaction& undo) { undo.on_commit("a", [&] { t.clock.advance(9s); }); });
  EXPECT_EQ(t.effects.metrics("e").committed, 1u);
  EXPECT_EQ(t.effects.breakers().find("e")->snapshot().metrics.successes, 1u);
}

TEST(effect_breaker, is_left_out_while_the_environment_says_no) {
  setup t;
  t.environment.value = 0;
  for (int i = 0; i < 9; ++i) EXPECT_THROW(t.effects.execute("e", flaky{.failures = 9}), outage);
  EXPECT_EQ(t.effects.breakers().size(), 0u);
  t.environment.value = 1;
  t.open();
  EXPECT_THROW(t.effects.execute("e", [] {}), sg::circuit_open_error);
  t.environment.value = 0;
  EXPECT_NO_THROW(t.effects.execute("e", [] {}));
}

TEST(effect_breaker, of_two_executors_is_not_the_same) {
  setup one;
  setup other;
  one.open();
  EXPECT_THROW(one.effects.execute("e", [] {}), sg::circuit_open_error);
  EXPECT_NO_THROW(other.effects.execute("e", [] {}));
}

TEST(effect_breaker, of_two_executors_is_the_same_when_they_share_a_registry) {
  skipping_clock clock;
  sg::registry shared(hermetic(), clock);
  sg::effect_executor one({}, shared, clock);
  sg::effect_executor other({}, shared, clock);
  const sg::effect_options options{.circuit_breaker = true, .breaker = small()};
  for (int i = 0; i < 2; ++i) EXPECT_THROW(one.execute("e", options, flaky{.failures = 9}), outage);
  EXPECT_THROW(other.execute("e", options, [] {}), sg::circuit_open_error);
}

TEST(effect_breaker, asked_for_with_another_configuration_is_reported_by_the_registry) {
  setup t;
  t.effects.execute("e", [] {});
  auto other = t.guarded;
  other.breaker->failure_threshold = 9;
  t.effects.execute("e", other, [] {});
  ASSERT_EQ(t.effects.breakers().reports().size(), 1u);
  EXPECT_EQ(t.effects.breakers().reports()[0].kind, sg::registry_report_kind::different_configuration);
}

}  // namespace
