// SPDX-License-Identifier: Apache-2.0
// Undos that throw: what is told, to whom, and what happens to the call.
#include "support.hpp"

#include <switchgear/effect_executor.hpp>

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
  std::vector<sg::undo_report> reports;
  sg::effect_executor effects{
      {.name = "bookings", .on_undo_failure = [this](const sg::undo_report& r) { reports.push_back(r); }, .breakers = hermetic()},
      clock};

  /// Registers undos a, b and c, of which b throws, and throws.
  auto effect(int failures = 1000) {
    return [this, failures, attempt = 0](sg::transaction& undo) mutable {
      ++attempt;
      undo.on_rollback("a", d.note("undo a"));
      undo.on_rollback("b", d.note_and_throw("undo b"));
      undo.on_rollback("c", d.note("undo c"));
      if (attempt <= failures) throw outage("attempt " + std::to_string(attempt));
    };
  }
};

TEST(effect_undo, that_throws_does_not_stop_the_others_or_change_the_exception) {
  setup t;
  EXPECT_EQ(thrown_by([&] { t.effects.execute("e", t.effect()); }), "attempt 1");
  EXPECT_THAT(t.d.lines, ElementsAre("undo c", "undo b", "undo a"));
}

TEST(effect_undo, that_throws_is_known_from_the_exception_that_passes) {
  setup t;
  try {
    t.effects.execute("e", t.effect());
    FAIL();
  } catch (const outage&) {
    const auto failures = sg::undo_failures_of(std::current_exception());
    ASSERT_EQ(failures.size(), 1u);
    EXPECT_EQ(failures[0].name, "b");
    EXPECT_EQ(failures[0].what, "undo b");
    EXPECT_THROW(std::rethrow_exception(failures[0].exception), outage);
  }
}

TEST(effect_undo, failures_are_not_known_from_exceptions_of_others) {
  setup t;
  EXPECT_THROW(t.effects.execute("e", t.effect()), outage);
  EXPECT_THAT(sg::undo_failures_of(std::make_exception_ptr(outage("mine"))), IsEmpty());
  EXPECT_THAT(sg::undo_failures_of(nullptr), IsEmpty());
}

TEST(effect_undo, failures_of_an_earlier_call_are_not_known_from_the_same_exception_that_passes_again) {
  setup t;
  const std::exception_ptr same = std::make_exception_ptr(outage("same"));
  EXPECT_THROW(t.effects.execute("e", [&](sg::transaction& undo) {
    undo.on_rollback("b", t.d.note_and_throw("undo b"));
    std::rethrow_exception(same);
  }), outage);
  EXPECT_EQ(sg::undo_failures_of(same).size(), 1u);
  EXPECT_THROW(t.effects.execute("e", [&] { std::rethrow_exception(same); }), outage);
  EXPECT_THAT(sg::undo_failures_of(same), IsEmpty());
}

TEST(effect_undo, that_throws_is_told_to_the_reporter_with_type_attempt_and_correlation_id) {
  setup t;
  EXPECT_THROW(t.effects.execute("e", {.context = {.correlation_id = "id-7"}}, t.effect()), outage);
  ASSERT_EQ(t.reports.size(), 1u);
  EXPECT_EQ(t.reports[0].effect, "e");
  EXPECT_EQ(t.reports[0].attempt, 1);
  EXPECT_EQ(t.reports[0].correlation_id, "id-7");
  ASSERT_EQ(t.reports[0].failures.size(), 1u);
  EXPECT_EQ(t.reports[0].failures[0].name, "b");
}

TEST(effect_undo, that_throws_is_told_to_observers) {
  setup t;
  std::vector<sg::policy_event> seen;
  {
    const auto watching = t.effects.observe([&](const sg::policy_event& e) { seen.push_back(e); });
    EXPECT_THROW(t.effects.execute("e", {.context = {.correlation_id = "id-7"}}, t.effect()), outage);
    sg::drain_events();
  }
  ASSERT_EQ(seen.size(), 1u);
  EXPECT_EQ(seen[0].kind, sg::policy_event_kind::undo_failed);
  EXPECT_EQ(seen[0].correlation_id, "id-7");
  EXPECT_EQ(seen[0].attempt, 1);
  EXPECT_EQ(sg::log_line(seen[0]), "effect bookings: undo_failed: e: b: undo b");
}

TEST(effect_undo, that_throws_is_counted) {
  setup t;
  EXPECT_THROW(t.effects.execute("e", t.effect()), outage);
  EXPECT_EQ(t.effects.metrics("e").undo_failures, 1u);
}

TEST(effect_undo, reporter_that_throws_changes_nothing) {
  skipping_clock clock;
  sg::effect_executor effects({.on_undo_failure = [](const sg::undo_report&) { throw bad_query("reporter"); },
                               .breakers = hermetic()}, clock);
  EXPECT_THROW(effects.execute("e", [](sg::transaction& undo) {
    undo.on_rollback("a", [] { throw bad_query("undo"); });
    throw outage("down");
  }), outage);
}

TEST(effect_undo, that_throws_ends_the_retries) {
  setup t;
  EXPECT_EQ(thrown_by([&] { t.effects.execute("e", {.retry = sg::retry_options{.max_attempts = 3}}, t.effect()); }), "attempt 1");
  EXPECT_EQ(t.effects.metrics("e").retries, 0u);
  EXPECT_EQ(t.effects.metrics("e").rolled_back, 1u);
  EXPECT_THAT(t.clock.waits(), IsEmpty());
}

TEST(effect_undo, that_throws_ends_the_retries_of_values_that_are_failures_too) {
  setup t;
  int calls = 0;
  const int status = t.effects.execute(
      "e", {.retry = sg::retry_options{.max_attempts = 3}, .when = sg::classifier{}.fail_if([](int s) { return s >= 500; })},
      [&](sg::transaction& undo) {
        ++calls;
        undo.on_rollback("a", t.d.note_and_throw("undo a"));
        return 503;
      });
  EXPECT_EQ(status, 503);
  EXPECT_EQ(calls, 1);
}

TEST(effect_undo, that_throws_is_a_failure_of_the_breaker_like_any_other) {
  setup t;
  EXPECT_THROW(t.effects.execute("e", {.circuit_breaker = true, .retry = sg::retry_options{}}, t.effect()), outage);
  EXPECT_EQ(t.effects.breakers().find("e")->snapshot().metrics.failures, 1u);
}

TEST(effect_undo, that_throws_does_not_end_the_retries_of_an_effect_that_insists) {
  setup t;
  t.effects.execute("e", {.retry = sg::retry_options{.max_attempts = 3}, .retry_after_failed_undo = true}, t.effect(2));
  EXPECT_EQ(t.effects.metrics("e").retries, 2u);
  EXPECT_EQ(t.effects.metrics("e").committed, 1u);
  ASSERT_EQ(t.reports.size(), 2u);
  EXPECT_EQ(t.reports[1].attempt, 2);
}

TEST(effect_undo, failures_of_all_attempts_are_known_from_the_exception_that_passes) {
  setup t;
  try {
    t.effects.execute("e", {.retry = sg::retry_options{.max_attempts = 3}, .retry_after_failed_undo = true}, t.effect());
    FAIL();
  } catch (const outage&) {
    EXPECT_EQ(sg::undo_failures_of(std::current_exception()).size(), 3u);
  }
}

}  // namespace
