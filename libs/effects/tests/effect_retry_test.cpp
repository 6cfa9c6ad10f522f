// SPDX-License-Identifier: Apache-2.0
// The retry inside the breaker and around the attempts, each with a transaction of its own.
#include "support.hpp"

#include <switchgear/effect_executor.hpp>
#include <switchgear/testing/manual_clock.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace {

using namespace effects_tests;
using namespace std::chrono_literals;
using sg::testing::skipping_clock;
using testing::ElementsAre;
using testing::IsEmpty;

struct setup {
  skipping_clock clock;
  diary d;
  sg::effect_executor effects{{.breakers = hermetic()}, clock};

  setup() {
    effects.define("e", {.circuit_breaker = true,
                         .retry = sg::retry_options{.max_attempts = 3, .backoff = sg::exponential(1s)},
                         .breaker = small()});
  }
  sg::lifetime_metrics counts() { return effects.breakers().find("e")->snapshot().metrics; }

  /// An effect that registers one undo an attempt and throws until it has been called often enough.
  auto effect(int failures) {
    return [this, failures, attempt = 0](sg::transaction& undo) mutable {
      const std::string number = std::to_string(++attempt);
      d.lines.push_back("do " + number);
      undo.on_rollback("u" + number, d.note("undo " + number));
      if (attempt <= failures) throw outage("attempt " + number);
      return attempt;
    };
  }
};

TEST(effect_retry, is_left_out_unless_asked_for) {
  setup t;
  flaky f{.failures = 1};
  EXPECT_THROW(t.effects.execute("plain", f), outage);
  EXPECT_EQ(f.calls, 1);
}

TEST(effect_retry, undoes_a_failed_attempt_before_the_next_one_begins) {
  setup t;
  EXPECT_EQ(t.effects.execute("e", t.effect(2)), 3);
  EXPECT_THAT(t.d.lines, ElementsAre("do 1", "undo 1", "do 2", "undo 2", "do 3"));
}

TEST(effect_retry, undoes_before_it_waits) {
  setup t;
  t.clock.on_wait([&](std::chrono::nanoseconds) { t.d.lines.push_back("wait"); });
  EXPECT_EQ(t.effects.execute("e", t.effect(1)), 2);
  EXPECT_THAT(t.d.lines, ElementsAre("do 1", "undo 1", "wait", "do 2"));
}

TEST(effect_retry, that_gives_up_has_rolled_everything_back_and_passes_the_last_exception) {
  setup t;
  EXPECT_EQ(thrown_by([&] { t.effects.execute("e", t.effect(9)); }), "attempt 3");
  EXPECT_THAT(t.d.lines, ElementsAre("do 1", "undo 1", "do 2", "undo 2", "do 3", "undo 3"));
}

TEST(effect_retry, that_succeeds_later_is_one_success_of_the_breaker) {
  setup t;
  (void)t.effects.execute("e", t.effect(2));
  EXPECT_EQ(t.counts().successes, 1u);
  EXPECT_EQ(t.counts().failures, 0u);
}

TEST(effect_retry, that_gives_up_is_one_failure_of_the_breaker) {
  setup t;
  EXPECT_THROW((void)t.effects.execute("e", t.effect(9)), outage);
  EXPECT_EQ(t.counts().failures, 1u);
}

TEST(effect_retry, makes_no_attempt_while_the_circuit_is_open) {
  setup t;
  for (int i = 0; i < 2; ++i) EXPECT_THROW((void)t.effects.execute("e", t.effect(9)), outage);
  const auto waited = t.clock.waited();
  t.d.lines.clear();
  EXPECT_THROW((void)t.effects.execute("e", t.effect(0)), sg::circuit_open_error);
  EXPECT_THAT(t.d.lines, IsEmpty());
  EXPECT_EQ(t.clock.waited(), waited);
}

TEST(effect_retry, says_how_many_attempts_it_made) {
  setup t;
  try {
    (void)t.effects.execute("e", t.effect(9));
    FAIL();
  } catch (const outage&) {
    const auto report = sg::retry_report_of(std::current_exception());
    ASSERT_TRUE(report);
    EXPECT_EQ(report->attempts, 3);
    EXPECT_EQ(report->stopped, sg::retry_stop::attempts_used_up);
  }
}

TEST(effect_retry, counts_calls_and_attempts) {
  setup t;
  (void)t.effects.execute("e", t.effect(1));
  EXPECT_THROW((void)t.effects.execute("e", t.effect(9)), outage);
  EXPECT_EQ(t.effects.metrics("e"),
            (sg::effect_metrics{.executed = 2, .committed = 1, .rolled_back = 1, .retries = 3, .rollbacks = 4}));
}

TEST(effect_retry, repeats_and_rolls_back_values_that_are_failures) {
  setup t;
  sg::effect_options options = t.effects.definition("e");
  options.when.fail_if([](int status) { return status >= 500; });
  int calls = 0;
  const int status = t.effects.execute("e", options, [&](sg::transaction& undo) {
    undo.on_rollback("a", t.d.note("undo a"));
    return ++calls < 3 ? 503 : 200;
  });
  EXPECT_EQ(status, 200);
  EXPECT_THAT(t.d.lines, ElementsAre("undo a", "undo a"));
  EXPECT_EQ(t.counts().successes, 1u);
}

TEST(effect_retry, returns_the_last_bad_value_rolled_back_and_counted_once) {
  setup t;
  sg::effect_options options = t.effects.definition("e");
  options.when.fail_if([](int status) { return status >= 500; });
  EXPECT_EQ(t.effects.execute("e", options, [] { return 503; }), 503);
  EXPECT_EQ(t.effects.metrics("e").rollbacks, 3u);
  EXPECT_EQ(t.counts().failures, 1u);
}

TEST(effect_retry, does_not_repeat_what_the_classifier_of_the_effect_ignores) {
  setup t;
  sg::effect_options options = t.effects.definition("e");
  options.when.ignore<bad_query>();
  int calls = 0;
  EXPECT_THROW(t.effects.execute("e", options, [&] {
    ++calls;
    throw bad_query("no such column");
  }), bad_query);
  EXPECT_EQ(calls, 1);
}

TEST(effect_retry, repeats_an_attempt_whose_commit_action_threw) {
  setup t;
  int attempts = 0;
  t.effects.execute("e", [&](sg::transaction& undo) {
    const bool fails = ++attempts == 1;
    undo.on_rollback("a", t.d.note("undo a"));
    undo.on_commit("b", [&t, fails] {
      t.d.lines.push_back("commit");
      if (fails) throw outage("commit");
    });
  });
  EXPECT_THAT(t.d.lines, ElementsAre("commit", "undo a", "commit"));
  EXPECT_EQ(t.counts().successes, 1u);
}

TEST(effect_retry, cancelled_during_a_wait_has_rolled_back_and_is_no_evidence) {
  setup t;
  std::stop_source stop;
  t.clock.on_wait([&](std::chrono::nanoseconds) { stop.request_stop(); });
  EXPECT_THROW((void)t.effects.execute("e", {.stop = stop.get_token()}, t.effect(9)), sg::cancelled_error);
  EXPECT_THAT(t.d.lines, ElementsAre("do 1", "undo 1"));
  EXPECT_EQ(t.counts().ignored, 1u);
  EXPECT_EQ(t.effects.metrics("e").rolled_back, 1u);
}

TEST(effect_retry, hides_no_rejection_of_an_inner_breaker) {
  setup t;
  sg::circuit_breaker inner{"inner", small(), t.clock};
  inner.force_open("maintenance");
  int calls = 0;
  EXPECT_THROW(t.effects.execute("e", [&](sg::transaction& undo) {
    ++calls;
    undo.on_rollback("a", t.d.note("undo a"));
    inner.call([] {});
  }), sg::circuit_open_error);
  EXPECT_EQ(calls, 1);
  EXPECT_THAT(t.d.lines, ElementsAre("undo a"));
  EXPECT_EQ(t.counts().ignored, 1u);
  EXPECT_EQ(t.effects.metrics("e").rejected, 0u);
}

TEST(effect_retry, is_named_after_the_type_in_its_events) {
  setup t;
  std::vector<std::string> names;
  {
    const auto watching = sg::observe_policies([&](const sg::policy_event& e) { names.push_back(e.policy + " " + e.name); });
    (void)t.effects.execute("e", t.effect(1));
    sg::drain_events();
  }
  EXPECT_THAT(names, ElementsAre("retry e"));
}

}  // namespace
