// SPDX-License-Identifier: Apache-2.0
#include <switchgear/circuit_breaker.hpp>
#include <switchgear/guard.hpp>
#include <switchgear/pipeline.hpp>
#include <switchgear/retry.hpp>
#include <switchgear/testing/manual_clock.hpp>
#include <switchgear/testing/skipping_clock.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <stdexcept>
#include <string>
#include <thread>

namespace {

namespace sg = switchgear;
using namespace std::chrono_literals;
using sg::retry_stop;
using sg::testing::manual_clock;
using sg::testing::skipping_clock;
using testing::ElementsAre;

struct outage : std::runtime_error {
  using runtime_error::runtime_error;
};
struct bad_query : std::runtime_error {
  using runtime_error::runtime_error;
};

/// Throws an outage until it has been called often enough.
struct flaky {
  int failures = 0;
  int calls = 0;
  int operator()() {
    if (++calls <= failures) throw outage("attempt " + std::to_string(calls));
    return calls;
  }
};

struct setup {
  skipping_clock clock;
  sg::retry retry;
  explicit setup(sg::retry_options o = {.max_attempts = 3, .backoff = sg::exponential(1s)}) : retry(std::move(o), clock) {}
};

template <class F>
std::optional<sg::retry_report> report_of(F&& f) {
  try {
    f();
  } catch (...) {
    return sg::retry_report_of(std::current_exception());
  }
  return std::nullopt;
}

TEST(retry, calls_once_what_succeeds) {
  setup t;
  flaky f;
  EXPECT_EQ(t.retry.call(f), 1);
  EXPECT_THAT(t.clock.waits(), ElementsAre());
  EXPECT_EQ(t.retry.metrics().first_try, 1u);
}

TEST(retry, tries_again_after_each_failure_and_waits_longer) {
  setup t;
  flaky f{.failures = 2};
  EXPECT_EQ(t.retry.call(f), 3);
  EXPECT_THAT(t.clock.waits(), ElementsAre(1s, 2s));
  EXPECT_EQ(t.retry.metrics().after_retries, 1u);
  EXPECT_EQ(t.retry.metrics().retries, 2u);
}

TEST(retry, gives_the_original_exception_after_the_last_attempt) {
  setup t;
  flaky f{.failures = 9};
  try {
    t.retry.call(f);
    FAIL();
  } catch (const outage& e) {
    EXPECT_STREQ(e.what(), "attempt 3");
  }
  EXPECT_EQ(f.calls, 3);
}

TEST(retry, says_of_that_exception_how_many_attempts_and_why_it_stopped) {
  setup t;
  const auto report = report_of([&] { t.retry.call(flaky{.failures = 9}); });
  ASSERT_TRUE(report);
  EXPECT_EQ(report->attempts, 3);
  EXPECT_EQ(report->stopped, retry_stop::attempts_used_up);
  EXPECT_EQ(report->waited, 3s);
}

TEST(retry, knows_nothing_of_exceptions_of_others) {
  setup t;
  (void)report_of([&] { t.retry.call(flaky{.failures = 9}); });
  EXPECT_FALSE(report_of([] { throw outage("mine"); }));
  EXPECT_FALSE(sg::retry_report_of(nullptr));
}

TEST(retry, does_not_repeat_what_its_classifier_ignores) {
  setup t({.max_attempts = 3, .when = sg::classifier{}.ignore<bad_query>()});
  int calls = 0;
  const auto report = report_of([&] {
    t.retry.call([&] {
      ++calls;
      throw bad_query("no such column");
    });
  });
  EXPECT_EQ(calls, 1);
  EXPECT_EQ(report.value().stopped, retry_stop::not_retryable);
}

TEST(retry, repeats_values_that_its_classifier_fails) {
  setup t({.max_attempts = 4, .when = sg::classifier{}.fail_if([](int status) { return status >= 500; })});
  int calls = 0;
  EXPECT_EQ(t.retry.call([&] { return ++calls < 3 ? 503 : 200; }), 200);
  EXPECT_EQ(calls, 3);
}

TEST(retry, returns_the_last_bad_value_when_no_attempt_was_better) {
  setup t({.max_attempts = 2, .when = sg::classifier{}.fail_if([](int status) { return status >= 500; })});
  EXPECT_EQ(t.retry.call([] { return 503; }), 503);
  EXPECT_EQ(t.retry.metrics().attempts_used_up, 1u);
}

TEST(retry, begins_no_attempt_at_or_after_its_total_limit) {
  setup t({.max_attempts = 10, .backoff = sg::constant(3s), .total_limit = 9s});
  flaky f{.failures = 99};
  const auto report = report_of([&] { t.retry.call(f); });
  EXPECT_EQ(f.calls, 3);  // at 0 s, 3 s and 6 s; 9 s is too late
  EXPECT_EQ(report->stopped, retry_stop::time_used_up);
  EXPECT_EQ(t.clock.now(), 6s);
}

TEST(retry, counts_the_time_of_the_attempts_in_its_total_limit) {
  setup t({.max_attempts = 10, .backoff = sg::constant(1s), .total_limit = 10s});
  int calls = 0;
  EXPECT_THROW(t.retry.call([&] {
    ++calls;
    t.clock.advance(8s);
    throw outage("slow");
  }), outage);
  EXPECT_EQ(calls, 2);
}

TEST(retry, never_repeats_a_call_that_an_open_circuit_rejected) {
  setup t;
  sg::circuit_breaker breaker{"payments", {}, t.clock};
  breaker.trip();
  int calls = 0;
  const auto guarded = sg::pipeline(t.retry, sg::guard(breaker));
  const auto report = report_of([&] { guarded([&] { ++calls; }); });
  EXPECT_EQ(calls, 0);
  EXPECT_EQ(report->attempts, 1);
  EXPECT_EQ(report->stopped, retry_stop::rejected);
  EXPECT_THAT(t.clock.waits(), ElementsAre());
}

TEST(retry, waits_for_retry_after_of_an_open_circuit_when_asked) {
  setup t({.max_attempts = 2, .backoff = sg::constant(1s), .wait_for_retry_after = true});
  sg::circuit_breaker breaker{"payments", {.open_duration = 30s}, t.clock};
  breaker.trip();
  const auto guarded = sg::pipeline(t.retry, sg::guard(breaker));
  EXPECT_EQ(guarded([] { return 7; }), 7);
  EXPECT_THAT(t.clock.waits(), ElementsAre(30s));
}

TEST(retry, does_not_wait_for_a_circuit_that_only_an_operator_ends) {
  setup t({.max_attempts = 3, .wait_for_retry_after = true});
  sg::circuit_breaker breaker{"payments", {}, t.clock};
  breaker.force_open("maintenance");
  const auto guarded = sg::pipeline(t.retry, sg::guard(breaker));
  EXPECT_THROW(guarded([] {}), sg::circuit_open_error);
  EXPECT_THAT(t.clock.waits(), ElementsAre());
}

TEST(retry, outside_a_breaker_makes_each_attempt_a_call) {
  setup t;
  sg::circuit_breaker breaker{"payments", {}, t.clock};
  EXPECT_THROW(sg::pipeline(t.retry, sg::guard(breaker))(flaky{.failures = 9}), outage);
  EXPECT_EQ(breaker.snapshot().metrics.failures, 3u);
}

TEST(retry, inside_a_breaker_is_one_call_as_a_whole) {
  setup t;
  sg::circuit_breaker breaker{"payments", {}, t.clock};
  const auto guarded = sg::pipeline(sg::guard(breaker), t.retry);
  guarded(flaky{.failures = 2});
  EXPECT_THROW(guarded(flaky{.failures = 9}), outage);
  EXPECT_EQ(breaker.snapshot().metrics.successes, 1u);
  EXPECT_EQ(breaker.snapshot().metrics.failures, 1u);
}

// trap 33: retry sleeps that ignore stop requests
TEST(retry, ends_its_wait_when_a_stop_is_requested) {
  manual_clock clock;
  const sg::retry retry({.max_attempts = 3, .backoff = sg::constant(1h)}, clock);
  std::stop_source stop;
  std::jthread canceller([&] {
    while (clock.timers() == 0) std::this_thread::yield();
    stop.request_stop();
  });
  try {
    retry.call({.stop = stop.get_token()}, [] { throw outage("down"); });
    FAIL();
  } catch (const sg::cancelled_error& e) {
    EXPECT_EQ(sg::retry_report_of(std::current_exception())->stopped, retry_stop::cancelled);
    EXPECT_EQ(sg::retry_report_of(std::current_exception())->attempts, 1);
    EXPECT_THROW(std::rethrow_if_nested(e), outage);
  }
  EXPECT_EQ(clock.timers(), 0u);
  EXPECT_EQ(retry.metrics().cancelled, 1u);
}

TEST(retry, does_not_repeat_after_a_stop_was_requested) {
  setup t;
  std::stop_source stop;
  int calls = 0;
  EXPECT_THROW(t.retry.call({.stop = stop.get_token()}, [&] {
    ++calls;
    stop.request_stop();
    throw outage("interrupted");
  }), outage);
  EXPECT_EQ(calls, 1);
}

TEST(retry, hands_its_stop_token_to_the_function) {
  setup t;
  std::stop_source stop;
  EXPECT_TRUE(t.retry.call({.stop = stop.get_token()}, [](std::stop_token s) { return s.stop_possible(); }));
}

TEST(retry, works_with_functions_that_return_nothing_references_and_what_cannot_be_copied_or_moved) {
  setup t;
  int n = 0;
  t.retry.call([&] { ++n; });
  int& same = t.retry.call([&]() -> int& { return n; });
  EXPECT_EQ(&same, &n);
  EXPECT_EQ(*t.retry.call([] { return std::make_unique<int>(4); }), 4);
  struct fixed {
    explicit fixed(int v) : value(v) {}
    fixed(fixed&&) = delete;
    int value;
  };
  EXPECT_EQ(t.retry.call([] { return fixed(5); }).value, 5);
  EXPECT_EQ(t.retry.metrics().first_try, 4u);
}

TEST(retry, gives_arguments_as_lvalues_to_every_attempt) {
  setup t;
  int calls = 0;
  const auto size = [&](const std::unique_ptr<std::string>& text) {
    if (++calls < 3) throw outage("again");
    return text->size();
  };
  EXPECT_EQ(t.retry.call(size, std::make_unique<std::string>("four")), 4u);
}

// trap 34: a classifier that throws
TEST(retry, does_not_repeat_a_call_whose_value_its_classifier_cannot_judge) {
  setup t({.max_attempts = 3, .when = sg::classifier{}.fail_if([](int) -> bool { throw bad_query("rule"); })});
  int calls = 0;
  EXPECT_THROW(t.retry.call([&] { return ++calls; }), bad_query);
  EXPECT_EQ(calls, 1);
  EXPECT_EQ(t.retry.metrics().not_retryable, 1u);
}

TEST(retry, counts_a_call_whose_exception_its_classifier_cannot_judge) {
  setup t({.max_attempts = 3, .when = sg::classifier{}.judge_exception<outage>([](const outage&) -> sg::verdict { throw bad_query("rule"); })});
  EXPECT_THROW(t.retry.call(flaky{.failures = 9}), bad_query);
  EXPECT_EQ(t.retry.metrics().calls(), 1u);
}

TEST(retry, does_not_repeat_a_call_whose_result_cannot_be_moved_out) {
  struct stubborn {
    stubborn() = default;
    stubborn(stubborn&&) { throw outage("moved"); }
  };
  setup t;
  int calls = 0;
  EXPECT_THROW((void)t.retry.call([&] {
    ++calls;
    return stubborn();
  }), outage);
  EXPECT_EQ(calls, 1);
  EXPECT_EQ(t.retry.metrics().calls(), 1u);
}

TEST(retry, begins_no_attempt_after_a_wait_that_took_longer_than_it_should) {
  manual_clock clock;
  const sg::retry retry({.max_attempts = 3, .backoff = sg::constant(5s), .total_limit = 10s}, clock);
  std::jthread timekeeper([&] {
    while (clock.timers() == 0) std::this_thread::yield();
    clock.advance(20s);
  });
  int calls = 0;
  const auto report = report_of([&] {
    retry.call([&] {
      ++calls;
      throw outage("down");
    });
  });
  EXPECT_EQ(calls, 1);
  EXPECT_EQ(report->stopped, retry_stop::time_used_up);
  EXPECT_EQ(report->attempts, 1);
  EXPECT_EQ(retry.metrics().retries, 0u);
}

TEST(retry, gives_back_what_it_paid_for_an_attempt_that_was_never_made) {
  const sg::retry_budget budget({.ratio = 0.0, .reserve = 1, .max_saved = 1});
  setup t({.max_attempts = 2, .backoff = sg::constant(1s), .budget = budget});
  std::stop_source stop;
  t.clock.on_wait([&](std::chrono::nanoseconds) { stop.request_stop(); });
  EXPECT_THROW(t.retry.call({.stop = stop.get_token()}, flaky{.failures = 9}), sg::cancelled_error);
  EXPECT_EQ(t.retry.metrics().retries, 0u);
  EXPECT_TRUE(budget.spend());
}

TEST(retry, asks_its_budget_before_each_retry) {
  const sg::retry_budget budget({.ratio = 0.0, .reserve = 1, .max_saved = 1});
  setup t({.max_attempts = 5, .budget = budget});
  flaky f{.failures = 9};
  const auto report = report_of([&] { t.retry.call(f); });
  EXPECT_EQ(f.calls, 2);
  EXPECT_EQ(report->stopped, retry_stop::budget_used_up);
  EXPECT_EQ(budget.metrics().refused, 1u);
}

TEST(retry, tells_observers_of_retries_and_of_giving_up) {
  setup t({.name = "storage", .max_attempts = 2, .backoff = sg::constant(1s)});
  std::vector<std::string> lines;
  const auto subscription = t.retry.observe([&](const sg::policy_event& e) { lines.push_back(log_line(e)); });
  EXPECT_THROW(t.retry.call(flaky{.failures = 9}), outage);
  sg::drain_events();
  EXPECT_THAT(lines, ElementsAre("retry storage: attempt 1 failed, next in 1s: attempt 1",
                                 "retry storage: gave up after attempt 2: attempts used up: attempt 2"));
}

TEST(retry, refuses_bad_options_with_all_problems) {
  try {
    sg::retry({.name = "", .max_attempts = 0, .backoff = sg::constant(-1s), .total_limit = -1s});
    FAIL();
  } catch (const sg::config_error& e) {
    std::vector<std::string> keys;
    for (const auto& p : e.problems()) keys.push_back(p.key);
    EXPECT_THAT(keys, ElementsAre("name", "max_attempts", "total_limit", "backoff.base"));
  }
}

TEST(retry, says_what_it_is) {
  EXPECT_EQ(sg::retry({.max_attempts = 1, .backoff = sg::constant(1s), .total_limit = 9s}).describe(),
            "retry(1 attempt, constant 1s, within 9s)");
}

TEST(retry_presets, carry_the_figures_of_the_source_systems) {
  struct row {
    sg::retry_options options;
    int attempts;
    std::chrono::nanoseconds least, most;
    bool jitter;
  };
  for (const row& r : {row{sg::retry_presets::worker(), 3, 1s, 10s, true}, row{sg::retry_presets::storage(), 5, 500ms, 5s, false},
                       row{sg::retry_presets::scheduler(), 3, 1s, 8s, true}, row{sg::retry_presets::api(), 4, 1s, 15s, true}}) {
    EXPECT_EQ(r.options.max_attempts, r.attempts) << r.options.name;
    EXPECT_EQ(r.options.backoff.shortest(1), r.least) << r.options.name;
    EXPECT_EQ(r.options.backoff.longest(20), r.most) << r.options.name;
    EXPECT_EQ(r.options.backoff.shortest(1) != r.options.backoff.longest(1), r.jitter) << r.options.name;
    EXPECT_TRUE(r.options.validate().empty());
    EXPECT_TRUE(sg::retry_presets::find(r.options.name).has_value());
  }
  EXPECT_FALSE(sg::retry_presets::find("nobody").has_value());
}

}  // namespace
