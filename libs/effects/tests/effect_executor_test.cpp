// SPDX-License-Identifier: Apache-2.0
// One attempt without a breaker; types, options, metrics.
#include "support.hpp"

#include <switchgear/effect_executor.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>

namespace {

using namespace effects_tests;
using sg::testing::skipping_clock;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;

struct setup {
  skipping_clock clock;
  diary d;
  sg::effect_executor effects;
  explicit setup(sg::effect_executor_options o = {.breakers = hermetic()}) : effects(std::move(o), clock) {}
};

TEST(effect_executor, returns_what_the_effect_returns) {
  setup t;
  EXPECT_EQ(t.effects.execute("e", [] { return 5; }), 5);
}

TEST(effect_executor, returns_references_and_what_can_only_be_moved) {
  setup t;
  int target = 0;
  int& same = t.effects.execute("e", [&]() -> int& { return target; });
  EXPECT_EQ(&same, &target);
  EXPECT_EQ(*t.effects.execute("e", [] { return std::make_unique<int>(4); }), 4);
}

TEST(effect_executor, answers_statistics_wherever_it_is_asked_trap_27) {
  skipping_clock clock;
  std::vector<std::uint64_t> seen;
  sg::effect_executor* asked = nullptr;
  const auto look = [&] {
    (void)asked->metrics_by_type();
    (void)asked->breakers().snapshots();
    seen.push_back(asked->metrics("e").executed);
  };
  sg::effect_executor effects({.on_undo_failure = [&](const sg::undo_report&) { look(); }, .breakers = hermetic()}, clock);
  asked = &effects;
  const sg::effect_options options{.circuit_breaker = true, .when = sg::classifier{}.fail_if([&](int) {
    look();
    return true;
  })};
  EXPECT_EQ(effects.execute("e", options, [&](sg::transaction& undo) {
    look();
    undo.on_rollback("a", [&] {
      look();
      throw outage("no answer");
    });
    return 4;
  }), 4);
  EXPECT_THAT(seen, ElementsAre(1u, 1u, 1u, 1u));  // the effect, its classifier, its undo, the report of that
}

TEST(effect_executor, gives_the_stop_token_before_the_transaction) {
  setup t;
  std::stop_source stop;
  t.effects.execute("e", {.stop = stop.get_token()}, [&](std::stop_token given, sg::transaction& undo) {
    EXPECT_FALSE(given.stop_requested());
    stop.request_stop();
    EXPECT_TRUE(given.stop_requested());
    EXPECT_EQ(undo.state(), sg::transaction_state::open);
  });
}

TEST(effect_executor, gives_the_stop_token_alone_to_an_effect_without_a_transaction) {
  setup t;
  std::stop_source stop;
  EXPECT_TRUE(t.effects.execute("e", {.stop = stop.get_token()}, [](std::stop_token s) { return s.stop_possible(); }));
}

TEST(effect_executor, commits_an_effect_that_succeeds) {
  setup t;
  t.effects.execute("e", [&](sg::transaction& undo) {
    undo.on_rollback("a", t.d.note("undo a"));
    undo.on_commit("b", t.d.note("commit b"));
    t.d.lines.push_back("work");
  });
  EXPECT_THAT(t.d.lines, ElementsAre("work", "commit b"));
  EXPECT_EQ(t.effects.metrics().committed, 1u);
}

TEST(effect_executor, rolls_an_effect_back_that_throws_and_passes_its_exception) {
  setup t;
  EXPECT_EQ(thrown_by([&] {
    t.effects.execute("e", [&](sg::transaction& undo) {
      undo.on_rollback("a", t.d.note("undo a"));
      undo.on_rollback("b", t.d.note("undo b"));
      throw outage("down");
    });
  }), "down");
  EXPECT_THAT(t.d.lines, ElementsAre("undo b", "undo a"));
  EXPECT_EQ(t.effects.metrics().rolled_back, 1u);
}

TEST(effect_executor, rolls_back_when_the_value_is_a_failure_and_returns_it) {
  setup t;
  const sg::effect_options options{.when = sg::classifier{}.fail_if([](int status) { return status >= 500; })};
  const int status = t.effects.execute("e", options, [&](sg::transaction& undo) {
    undo.on_rollback("a", t.d.note("undo a"));
    return 503;
  });
  EXPECT_EQ(status, 503);
  EXPECT_THAT(t.d.lines, ElementsAre("undo a"));
}

TEST(effect_executor, commits_a_value_that_is_ignored) {
  setup t;
  const sg::effect_options options{.when = sg::classifier{}.ignore_if([](int status) { return status == 404; })};
  t.effects.execute("e", options, [&](sg::transaction& undo) {
    undo.on_rollback("a", t.d.note("undo a"));
    return 404;
  });
  EXPECT_THAT(t.d.lines, IsEmpty());
  EXPECT_EQ(t.effects.metrics().committed, 1u);
}

TEST(effect_executor, rolls_back_when_the_classifier_throws) {
  setup t;
  const sg::effect_options options{.when = sg::classifier{}.fail_if([](int) -> bool { throw outage("classifier"); })};
  EXPECT_EQ(thrown_by([&] {
    t.effects.execute("e", options, [&](sg::transaction& undo) {
      undo.on_rollback("a", t.d.note("undo a"));
      return 1;
    });
  }), "classifier");
  EXPECT_THAT(t.d.lines, ElementsAre("undo a"));
}

TEST(effect_executor, rolls_back_when_a_commit_action_throws_and_passes_its_exception) {
  setup t;
  EXPECT_EQ(thrown_by([&] {
    t.effects.execute("e", [&](sg::transaction& undo) {
      undo.on_rollback("a", t.d.note("undo a"));
      undo.on_commit("b", t.d.note_and_throw("commit b"));
    });
  }), "commit b");
  EXPECT_THAT(t.d.lines, ElementsAre("commit b", "undo a"));
  EXPECT_EQ(t.effects.metrics().rolled_back, 1u);
  EXPECT_EQ(t.effects.metrics().committed, 0u);
}

TEST(effect_executor, does_not_let_the_effect_decide_its_transaction) {
  setup t;
  EXPECT_THROW(t.effects.execute("e", [](sg::transaction& undo) { undo.commit(); }), sg::transaction_error);
  EXPECT_THROW(t.effects.execute("e", [](sg::transaction& undo) { (void)undo.rollback(); }), sg::transaction_error);
}

TEST(effect_executor, runs_nothing_when_the_stop_was_requested_before) {
  setup t;
  std::stop_source stop;
  stop.request_stop();
  EXPECT_THROW(t.effects.execute("e", {.stop = stop.get_token()}, t.d.note("work")), sg::cancelled_error);
  EXPECT_THAT(t.d.lines, IsEmpty());
  EXPECT_EQ(t.effects.metrics(), (sg::effect_metrics{.cancelled = 1}));
}

TEST(effect_executor, commits_an_effect_that_returns_although_it_was_asked_to_stop) {
  setup t;
  std::stop_source stop;
  t.effects.execute("e", {.stop = stop.get_token()}, [&](sg::transaction& undo) {
    undo.on_rollback("a", t.d.note("undo a"));
    stop.request_stop();
  });
  EXPECT_THAT(t.d.lines, IsEmpty());
}

TEST(effect_executor, rolls_back_what_nobody_waits_for_any_more) {
  setup t;
  std::atomic<sg::call_fate> fate{sg::call_fate::wanted};
  EXPECT_THROW(t.effects.execute("e", {.fate = &fate}, [&](sg::transaction& undo) {
    undo.on_rollback("a", t.d.note("undo a"));
    fate = sg::call_fate::lost;
  }), sg::cancelled_error);
  EXPECT_THAT(t.d.lines, ElementsAre("undo a"));
}

TEST(effect_executor, takes_the_options_of_the_definition) {
  setup t;
  t.effects.define("e", {.retry = sg::retry_options{.max_attempts = 4}});
  flaky f{.failures = 9};
  EXPECT_THROW(t.effects.execute("e", f), outage);
  EXPECT_EQ(f.calls, 4);
  EXPECT_EQ(t.effects.definition("e").retry.value().max_attempts, 4);
}

TEST(effect_executor, takes_the_options_of_the_call_alone_when_it_has_some) {
  setup t;
  t.effects.define("e", {.circuit_breaker = true, .retry = sg::retry_options{.max_attempts = 4}});
  flaky f{.failures = 9};
  EXPECT_THROW(t.effects.execute("e", sg::effect_options{}, f), outage);
  EXPECT_EQ(f.calls, 1);
  EXPECT_EQ(t.effects.breakers().size(), 0u);
}

TEST(effect_executor, keeps_counting_when_a_type_is_defined_again) {
  setup t;
  t.effects.define("e", {.retry = sg::retry_options{.max_attempts = 2}});
  EXPECT_THROW(t.effects.execute("e", flaky{.failures = 9}), outage);
  t.effects.define("e", {});
  EXPECT_THROW(t.effects.execute("e", flaky{.failures = 9}), outage);
  EXPECT_EQ(t.effects.metrics("e").rolled_back, 2u);
  EXPECT_EQ(t.effects.metrics("e").retries, 1u);
}

TEST(effect_executor, counts_by_type) {
  setup t;
  t.effects.execute("a", [] {});
  t.effects.execute("b", [] {});
  t.effects.execute("b", [] {});
  EXPECT_EQ(t.effects.metrics("a"), (sg::effect_metrics{.executed = 1, .committed = 1}));
  EXPECT_EQ(t.effects.metrics("b"), (sg::effect_metrics{.executed = 2, .committed = 2}));
  EXPECT_EQ(t.effects.metrics("c"), sg::effect_metrics{});
  EXPECT_EQ(t.effects.metrics().executed, 3u);
  EXPECT_THAT(t.effects.metrics_by_type(), ElementsAre(Pair("a", t.effects.metrics("a")), Pair("b", t.effects.metrics("b"))));
}

TEST(effect_executor, counts_types_beyond_the_limit_together) {
  setup t({.max_types = 1, .breakers = hermetic()});
  for (const char* type : {"a", "b", "c"}) t.effects.execute(type, [] {});
  EXPECT_THAT(t.effects.metrics_by_type(), ElementsAre(Pair("", (sg::effect_metrics{.executed = 2, .committed = 2})),
                                                       Pair("a", (sg::effect_metrics{.executed = 1, .committed = 1}))));
  EXPECT_EQ(t.effects.metrics().executed, 3u);
  EXPECT_THROW(t.effects.define("d", {}), sg::config_error);
}

TEST(effect_executor, refuses_a_type_that_no_breaker_may_be_named_after) {
  setup t;
  EXPECT_THROW(t.effects.execute("", t.d.note("work")), sg::config_error);
  EXPECT_THROW(t.effects.execute("a\nb", t.d.note("work")), sg::config_error);
  EXPECT_THROW(t.effects.define("", {}), sg::config_error);
  EXPECT_THAT(t.d.lines, IsEmpty());
}

TEST(effect_executor, names_every_problem_of_its_options) {
  const sg::effect_options bad{.retry = sg::retry_options{.max_attempts = 0}, .breaker = sg::config{.success_threshold = 0}};
  std::vector<std::string> keys;
  for (const sg::problem& p : bad.validate()) keys.push_back(p.key);
  EXPECT_THAT(keys, ElementsAre("retry.max_attempts", "breaker.success_threshold"));
  setup t;
  EXPECT_THROW(t.effects.define("e", bad), sg::config_error);
  EXPECT_THROW(t.effects.execute("e", bad, t.d.note("work")), sg::config_error);
  EXPECT_THROW(sg::effect_executor({.max_types = 0}), sg::config_error);
  EXPECT_THAT(t.d.lines, IsEmpty());
}

}  // namespace
