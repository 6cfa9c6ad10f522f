// SPDX-License-Identifier: Apache-2.0
// The call_timeout of the breaker around the retry around the attempts: a limit that nobody asked for by hand.
#include "support.hpp"

#include <switchgear/effect_executor.hpp>
#include <switchgear/operations.hpp>
#include <switchgear/testing/manual_clock.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace {

using namespace effects_tests;
using namespace std::chrono_literals;
using testing::ElementsAre;

/// A manual clock that calls `on_timer` after each timer that is set: the place to do what happens during a wait.
struct watched_clock final : sg::clock {
  sg::testing::manual_clock inner;
  std::function<void()> on_timer;
  std::chrono::nanoseconds now() const noexcept override { return inner.now(); }
  timer call_at(std::chrono::nanoseconds when, std::function<void()> action) override {
    const timer t = inner.call_at(when, std::move(action));
    if (on_timer) on_timer();
    return t;
  }
  void cancel(timer t) noexcept override { inner.cancel(t); }
};

/// A clock whose first timer, that of the limit, never gets its turn; those after it, the waits, take no time.
struct late_clock final : sg::clock {
  std::chrono::nanoseconds time{0};
  timer timers = 0;
  std::chrono::nanoseconds now() const noexcept override { return time; }
  timer call_at(std::chrono::nanoseconds when, std::function<void()> action) override {
    if (++timers > 1) {
      time = std::max(time, when);
      action();
    }
    return timers;
  }
  void cancel(timer) noexcept override {}
};

sg::config limited() {
  sg::config c = small();
  c.call_timeout = 5s;
  return c;
}

sg::effect_options limited_effect(std::chrono::nanoseconds wait = 1h) {
  return {.circuit_breaker = true,
          .retry = sg::retry_options{.max_attempts = 3, .backoff = sg::constant(wait)},
          .breaker = limited()};
}

/// The texts of an exception and of those nested in it.
std::vector<std::string> texts_of(const std::exception& e) {
  std::vector<std::string> all{e.what()};
  try {
    std::rethrow_if_nested(e);
  } catch (const std::exception& inner) {
    for (std::string& text : texts_of(inner)) all.push_back(std::move(text));
  }
  return all;
}

template <class Clock>
struct setup {
  Clock clock;
  diary d;
  sg::effect_executor effects{{.breakers = hermetic()}, clock};
  sg::lifetime_metrics counts() { return effects.breakers().find("e")->snapshot().metrics; }
  auto failing() {
    return [this](sg::transaction& undo) {
      undo.on_rollback("a", d.note("undo"));
      d.lines.push_back("do");
      throw outage("down");
    };
  }
};

TEST(effect_limit, that_passes_during_a_wait_is_a_timeout_and_no_cancellation) {
  setup<watched_clock> t;
  t.clock.on_timer = [&] {
    if (t.clock.inner.timers() == 2) t.clock.inner.advance(5s);  // the limit and the wait
  };
  std::vector<std::string> texts;
  try {
    t.effects.execute("e", limited_effect(), t.failing());
  } catch (const sg::call_timeout_error& e) {
    EXPECT_EQ(e.limit(), 5s);
    texts = texts_of(e);
  }
  ASSERT_EQ(texts.size(), 3u);  // the limit, the end of the wait, the attempt
  EXPECT_EQ(texts[2], "down");
  EXPECT_THAT(t.d.lines, ElementsAre("do", "undo"));
  EXPECT_EQ(t.counts().timeouts, 1u);
  EXPECT_EQ(t.counts().ignored, 0u);
  EXPECT_EQ(t.clock.inner.timers(), 0u);
}

TEST(effect_limit, that_passes_after_the_caller_cancelled_is_no_timeout) {
  setup<watched_clock> t;
  std::stop_source stop;
  auto options = limited_effect();
  options.call.stop = stop.get_token();
  t.clock.on_timer = [&] {
    if (t.clock.inner.timers() < 2) return;
    stop.request_stop();
    t.clock.inner.advance(5s);
  };
  EXPECT_THROW(t.effects.execute("e", options, t.failing()), sg::cancelled_error);
  EXPECT_EQ(t.counts().timeouts, 0u);
  EXPECT_EQ(t.counts().ignored, 1u);
}

TEST(effect_limit, that_makes_an_effect_cancel_itself_is_a_timeout) {
  setup<watched_clock> t;
  EXPECT_THROW(t.effects.execute("e", limited_effect(), [&](std::stop_token stop) {
    t.clock.inner.advance(5s);
    if (stop.stop_requested()) throw sg::cancelled_error("asked to stop");
  }), sg::call_timeout_error);
  EXPECT_EQ(t.counts().timeouts, 1u);
}

TEST(effect_limit, leaves_an_effect_alone_that_cancels_itself_before) {
  setup<watched_clock> t;
  EXPECT_THROW(t.effects.execute("e", limited_effect(), [] { throw sg::cancelled_error("of its own will"); }),
               sg::cancelled_error);
  EXPECT_EQ(t.counts().timeouts, 0u);
  EXPECT_EQ(t.counts().ignored, 1u);
}

TEST(effect_limit, is_judged_by_the_clock_when_its_timer_is_late) {
  setup<late_clock> t;
  EXPECT_THROW(t.effects.execute("e", limited_effect(), [&](sg::transaction& undo) {
    undo.on_rollback("a", t.d.note("undo"));
    t.clock.time += 5s;
  }), sg::call_timeout_error);
  EXPECT_THAT(t.d.lines, ElementsAre("undo"));
  EXPECT_EQ(t.counts().timeouts, 1u);
  EXPECT_EQ(t.counts().successes, 0u);
}

TEST(effect_limit, commits_just_before_it) {
  setup<late_clock> t;
  t.effects.execute("e", limited_effect(), [&] { t.clock.time += 5s - 1ns; });
  EXPECT_EQ(t.counts().successes, 1u);
}

TEST(effect_limit, allows_no_other_attempt_when_one_comes_back_late_and_its_timer_is_later) {
  setup<late_clock> t;
  EXPECT_THROW(t.effects.execute("e", limited_effect(1s), [&] { t.clock.time += 5s; }), sg::call_timeout_error);
  EXPECT_EQ(t.effects.metrics("e").retries, 0u);
  EXPECT_EQ(t.clock.timers, 1u) << "waited for another attempt";
}

TEST(effect_limit, allows_no_other_attempt_when_one_throws_late_and_its_timer_is_later) {
  setup<late_clock> t;
  EXPECT_THROW(t.effects.execute("e", limited_effect(1s), [&] {
    t.clock.time += 5s;
    throw outage("late");
  }), sg::call_timeout_error);
  EXPECT_EQ(t.effects.metrics("e").retries, 0u);
  EXPECT_EQ(t.clock.timers, 1u) << "waited for another attempt";
}

TEST(effect_limit, allows_no_other_attempt_after_a_wait_that_ends_with_it) {
  setup<late_clock> t;
  EXPECT_THROW(t.effects.execute("e", limited_effect(5s), t.failing()), sg::call_timeout_error);
  EXPECT_THAT(t.d.lines, ElementsAre("do", "undo"));
  EXPECT_EQ(t.counts().timeouts, 1u);
}

TEST(effect_limit, counts_the_time_that_the_undos_of_a_failing_value_take) {
  setup<late_clock> t;
  auto options = limited_effect();
  options.retry.reset();
  options.when.fail_if([](int status) { return status >= 500; });
  EXPECT_THROW(t.effects.execute("e", options, [&](sg::transaction& undo) {
    undo.on_rollback("a", [&] { t.clock.time += 5s; });
    return 503;
  }), sg::call_timeout_error);
  EXPECT_EQ(t.counts().timeouts, 1u);
}

TEST(effect_limit, is_a_timeout_whatever_exceptions_the_rules_count) {
  setup<late_clock> t;
  auto options = limited_effect();
  options.when.fail_only<outage>();
  EXPECT_THROW(t.effects.execute("e", options, [&] { t.clock.time += 5s; }), sg::call_timeout_error);
  EXPECT_EQ(t.counts().timeouts, 1u);
}

struct operations_setup {
  watched_clock clock;
  sg::registry circuits{hermetic(), clock};
  sg::operations ops{circuits, {.storage = {.max_attempts = 3, .backoff = sg::constant(1h)}, .breaker = limited()}, clock};
  operations_setup() {
    clock.on_timer = [this] {
      if (clock.inner.timers() == 2) clock.inner.advance(5s);
    };
  }
  sg::lifetime_metrics counts() { return circuits.find("storage:save")->snapshot().metrics; }
};

TEST(operation_limit, that_passes_during_a_wait_is_a_timeout_and_no_cancellation) {
  operations_setup t;
  EXPECT_THROW(t.ops.storage("save", [] { throw outage("down"); }), sg::call_timeout_error);
  EXPECT_EQ(t.counts().timeouts, 1u);
  EXPECT_EQ(t.counts().ignored, 0u);
}

TEST(operation_limit, that_passes_during_a_wait_of_a_decorated_function_is_a_timeout) {
  operations_setup t;
  const auto save = t.ops.decorate_storage("save", [] { throw outage("down"); });
  EXPECT_THROW(save(), sg::call_timeout_error);
  EXPECT_EQ(t.counts().timeouts, 1u);
}

TEST(operation_limit, that_passes_during_a_wait_of_execute_with_retry_is_a_timeout) {
  operations_setup t;
  (void)t.circuits.get("storage:save", limited());
  EXPECT_THROW(sg::execute_with_retry([] { throw outage("down"); },
                                      {.min_wait = 1h, .max_wait = 1h, .operation_name = "storage:save", .clock = &t.clock,
                                       .breakers = &t.circuits}),
               sg::call_timeout_error);
  EXPECT_EQ(t.counts().timeouts, 1u);
}

}  // namespace
