// SPDX-License-Identifier: Apache-2.0
#include <switchgear/any_breaker.hpp>
#include <switchgear/bulkhead.hpp>
#include <switchgear/circuit_breaker.hpp>
#include <switchgear/guard.hpp>
#include <switchgear/hedge.hpp>
#include <switchgear/pipeline.hpp>
#include <switchgear/retry.hpp>
#include <switchgear/testing/manual_clock.hpp>
#include <switchgear/time_limiter.hpp>
#include <switchgear/timeout.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace {

namespace sg = switchgear;
using namespace std::chrono_literals;
using testing::ElementsAre;

/// Writes down when it is entered and left.
struct tracing : sg::policy_base {
  std::vector<std::string>* log;
  std::string name;
  tracing(std::vector<std::string>& l, std::string n) : log(&l), name(std::move(n)) {}
  template <class Next>
  typename Next::result run(const Next& next, const sg::execution& e) const {
    log->push_back(name);
    return next(e);
  }
  [[nodiscard]] std::string describe() const { return name; }
};

TEST(pipeline, goes_from_the_outermost_policy_to_the_function) {
  std::vector<std::string> log;
  const auto p = sg::pipeline(tracing(log, "a"), tracing(log, "b"), tracing(log, "c"));
  p([&] { log.push_back("function"); });
  EXPECT_THAT(log, ElementsAre("a", "b", "c", "function"));
}

TEST(pipeline, without_policies_is_the_bare_call) { EXPECT_EQ(sg::pipeline()([](int x) { return x + 1; }, 2), 3); }

TEST(pipeline, takes_lambdas_function_objects_and_functions) {
  struct object {
    int operator()(int x) const { return x * 2; }
  };
  int (*const function)(int) = [](int x) { return x * 3; };
  const auto p = sg::pipeline(sg::retry());
  EXPECT_EQ(p([](int x) { return x; }, 5), 5);
  EXPECT_EQ(p(object{}, 5), 10);
  EXPECT_EQ(p(function, 5), 15);
}

TEST(pipeline, takes_member_functions_and_members) {
  struct client {
    int base = 10;
    [[nodiscard]] int add(int x) const { return base + x; }
    void change(int x) { base = x; }
  };
  client c;
  const auto p = sg::pipeline(sg::retry());
  EXPECT_EQ(p(&client::add, c, 5), 15);
  EXPECT_EQ(p(&client::add, &c, 5), 15);
  p(&client::change, c, 7);
  EXPECT_EQ(c.base, 7);
  EXPECT_EQ(p(&client::base, c), 7);
}

TEST(pipeline, moves_arguments_and_results_that_cannot_be_copied) {
  sg::circuit_breaker breaker{"b"};
  const auto p = sg::pipeline(sg::guard(breaker));
  auto out = p([](std::unique_ptr<int> x) { return x; }, std::make_unique<int>(4));
  EXPECT_EQ(*out, 4);
}

TEST(pipeline, calls_what_cannot_be_copied) {
  auto held = std::make_unique<int>(4);
  const auto p = sg::pipeline(sg::retry());
  EXPECT_EQ(p([held = std::move(held)] { return *held; }), 4);
}

TEST(pipeline, calls_the_function_that_was_given_and_no_copy) {
  struct counting {
    int calls = 0;
    void operator()() { ++calls; }
  } f;
  const auto p = sg::pipeline(sg::retry());
  p(f);
  EXPECT_EQ(f.calls, 1);
}

TEST(pipeline, gives_references_through) {
  int x = 1;
  const auto p = sg::pipeline(sg::retry());
  int& same = p([&]() -> int& { return x; });
  EXPECT_EQ(&same, &x);
  p([](int& y) { y = 5; }, x);
  EXPECT_EQ(x, 5);
}

TEST(pipeline, puts_the_stop_token_before_the_arguments) {
  std::stop_source stop;
  const auto p = sg::pipeline(sg::retry());
  EXPECT_TRUE(p({.stop = stop.get_token()}, [](std::stop_token s, int x) { return s.stop_possible() && x == 3; }, 3));
  EXPECT_FALSE(p([](std::stop_token s) { return s.stop_possible(); }));
}

TEST(pipeline, passes_exceptions_unchanged) {
  struct odd {};
  sg::circuit_breaker breaker{"b"};
  EXPECT_THROW(sg::pipeline(sg::retry({.max_attempts = 1}), sg::guard(breaker))([] { throw odd{}; }), odd);
}

TEST(pipeline, gives_the_correlation_id_to_the_rejection) {
  sg::circuit_breaker breaker{"b"};
  breaker.trip();
  try {
    sg::pipeline(sg::retry(), sg::guard(breaker))({.context = {.correlation_id = "order-7"}}, [] {});
    FAIL();
  } catch (const sg::circuit_open_error& e) {
    EXPECT_EQ(e.correlation_id(), "order-7");
  }
}

TEST(pipeline, describes_itself_outermost_first) {
  sg::circuit_breaker breaker{"payments"};
  EXPECT_EQ(sg::pipeline(sg::retry({.max_attempts = 3, .backoff = sg::constant(1s)}), sg::guard(breaker)).describe(),
            "retry(3 attempts, constant 1s) → guard(payments)");
}

TEST(pipeline, can_be_a_policy_of_its_own_kind_inside_a_lambda) {
  const auto inner = sg::pipeline(sg::retry());
  const auto outer = sg::pipeline(sg::retry());
  EXPECT_EQ(outer([&] { return inner([] { return 3; }); }), 3);
}

TEST(pipeline, copies_share_the_state_of_their_policies) {
  const sg::retry retry;
  const auto p = sg::pipeline(retry);
  const auto q = p;  // NOLINT: the copy is what is tested
  p([] {});
  q([] {});
  EXPECT_EQ(retry.metrics().first_try, 2u);
}

// --- guard ---

TEST(guard, takes_a_breaker_a_shared_pointer_and_any_breaker) {
  sg::circuit_breaker mine{"mine"};
  const auto shared = std::make_shared<sg::circuit_breaker>("shared");
  sg::pipeline(sg::guard(mine))([] {});
  sg::pipeline(sg::guard(shared))([] {});
  const sg::any_breaker any(shared);
  sg::pipeline(sg::guard(any))([] {});
  EXPECT_EQ(mine.snapshot().metrics.successes, 1u);
  EXPECT_EQ(shared->snapshot().metrics.successes, 2u);
}

TEST(guard, ignores_what_a_function_throws_after_its_caller_asked_to_stop) {
  sg::circuit_breaker breaker{"b", {.failure_threshold = 1}};
  std::stop_source stop;
  EXPECT_THROW(sg::pipeline(sg::guard(breaker))({.stop = stop.get_token()}, [&] {
    stop.request_stop();
    throw std::runtime_error("interrupted");
  }), std::runtime_error);
  EXPECT_EQ(breaker.snapshot().metrics.ignored, 1u);
  EXPECT_TRUE(breaker.is_closed());
}

TEST(guard, counts_a_result_that_came_although_the_caller_asked_to_stop) {
  sg::circuit_breaker breaker{"b"};
  std::stop_source stop;
  stop.request_stop();
  EXPECT_EQ(sg::pipeline(sg::guard(breaker))({.stop = stop.get_token()}, [] { return 3; }), 3);
  EXPECT_EQ(breaker.snapshot().metrics.successes, 1u);
}

TEST(guard, ignores_whatever_the_loser_of_a_hedge_brings) {
  sg::circuit_breaker breaker{"b", {.failure_threshold = 1}};
  const std::atomic<sg::call_fate> lost{sg::call_fate::lost};
  const auto p = sg::pipeline(sg::guard(breaker));
  EXPECT_THROW(p({.fate = &lost}, [] { throw std::runtime_error("late"); }), std::runtime_error);
  p({.fate = &lost}, [] {});
  EXPECT_EQ(breaker.snapshot().metrics.ignored, 2u);
}

TEST(guard, counts_a_call_whose_limit_passed_as_a_timeout_whatever_it_brings) {
  sg::circuit_breaker breaker{"b"};
  const std::atomic<sg::call_fate> timed_out{sg::call_fate::timed_out};
  sg::pipeline(sg::guard(breaker))({.fate = &timed_out}, [] {});
  EXPECT_EQ(breaker.snapshot().metrics.timeouts, 1u);
  EXPECT_EQ(breaker.snapshot().metrics.failures, 1u);
}

TEST(guard, asks_the_function_to_stop_at_the_call_timeout_and_when_the_caller_says_so) {
  sg::testing::manual_clock clock;
  sg::circuit_breaker breaker{"b", {.call_timeout = 10s}, clock};
  const auto p = sg::pipeline(sg::guard(breaker));
  EXPECT_THROW(p([&](std::stop_token s) {
    EXPECT_FALSE(s.stop_requested());
    clock.advance(10s);
    EXPECT_TRUE(s.stop_requested());
  }), sg::call_timeout_error);
  std::stop_source stop;
  p({.stop = stop.get_token()}, [&](std::stop_token s) {
    stop.request_stop();
    EXPECT_TRUE(s.stop_requested());
  });
}

TEST(guard, gives_its_slot_back_when_a_probe_is_cancelled) {
  sg::testing::manual_clock clock;
  sg::circuit_breaker breaker{"b", {.open_duration = 1s}, clock};
  breaker.trip();
  clock.advance(1s);
  std::stop_source stop;
  const auto p = sg::pipeline(sg::guard(breaker));
  EXPECT_THROW(p({.stop = stop.get_token()}, [&] {
    stop.request_stop();
    throw sg::cancelled_error("never mind");
  }), sg::cancelled_error);
  EXPECT_EQ(breaker.snapshot().probes_in_flight, 0u);
  EXPECT_TRUE(breaker.is_half_open());
}

TEST(guard, takes_a_wait_that_its_call_timeout_ended_for_a_timeout) {
  sg::testing::manual_clock clock;
  sg::circuit_breaker breaker{"b", {.failure_threshold = 1, .call_timeout = 5s}, clock};
  const auto p = sg::pipeline(sg::guard(breaker), sg::retry({.max_attempts = 3, .backoff = sg::constant(60s)}, clock));
  std::jthread timekeeper([&] {
    while (clock.timers() < 2) std::this_thread::yield();  // the limit's and the wait's
    clock.advance(5s);
  });
  EXPECT_THROW(p([] { throw std::runtime_error("down"); }), sg::call_timeout_error);
  EXPECT_EQ(breaker.snapshot().metrics.timeouts, 1u);
  EXPECT_TRUE(breaker.is_open());
}

TEST(guard, inside_another_counts_a_timeout_when_the_limit_of_the_outer_one_ended_the_call) {
  sg::testing::manual_clock clock;
  sg::circuit_breaker outer{"outer", {.call_timeout = 5s}, clock}, inner{"inner", {}, clock};
  const auto p = sg::pipeline(sg::guard(outer), sg::guard(inner));
  EXPECT_THROW(p([&](std::stop_token s) {
    clock.advance(5s);
    if (s.stop_requested()) throw std::runtime_error("interrupted");
  }), sg::call_timeout_error);
  EXPECT_EQ(inner.snapshot().metrics.timeouts, 1u);
  EXPECT_EQ(outer.snapshot().metrics.timeouts, 1u);
}

// trap 7: rejection recorded as failure
TEST(guard, ignores_a_rejection_that_comes_after_a_limit_further_out) {
  sg::testing::manual_clock clock;
  sg::circuit_breaker breaker{"b", {}, clock};
  const auto p = sg::pipeline(sg::timeout(2s, clock), sg::guard(breaker));
  EXPECT_THROW(p([&](std::stop_token) {
    clock.advance(2s);
    throw sg::rejected_error("full");
  }), sg::rejected_error);
  EXPECT_EQ(breaker.snapshot().metrics.ignored, 1u);
}

TEST(guard, tells_the_correlation_id_of_a_rejection_through_any_breaker_too) {
  const auto shared = std::make_shared<sg::circuit_breaker>("b");
  shared->trip();
  std::vector<std::string> ids;
  const auto subscription = shared->observe([&](const sg::event& e) { ids.push_back(e.correlation_id); });
  const auto p = sg::pipeline(sg::guard(sg::any_breaker(shared)));
  EXPECT_THROW(p({.context = {.correlation_id = "order-7"}}, [] {}),
               sg::circuit_open_error);
  sg::drain_events();
  EXPECT_THAT(ids, ElementsAre("order-7"));
}

// --- an order that makes no sense; trap 32 ---

TEST(order, says_when_attempts_multiply) {
  EXPECT_TRUE(sg::pipeline(sg::retry()).warnings().empty());
  EXPECT_EQ(sg::pipeline(sg::retry(), sg::retry()).warnings().size(), 1u);
}

TEST(order, says_when_a_limit_can_never_be_the_one_that_ends_a_call) {
  EXPECT_TRUE(sg::pipeline(sg::timeout(2s), sg::timeout(1s)).warnings().empty());
  EXPECT_EQ(sg::pipeline(sg::timeout(2s), sg::timeout(2s)).warnings().size(), 1u);
  EXPECT_EQ(sg::pipeline(sg::timeout(2s), sg::retry({.total_limit = 3s})).warnings().size(), 1u);
  sg::circuit_breaker breaker{"b", {.call_timeout = 5s}};
  EXPECT_EQ(sg::pipeline(sg::timeout(2s), sg::guard(breaker)).warnings().size(), 1u);
  EXPECT_TRUE(sg::pipeline(sg::guard(breaker), sg::timeout(2s)).warnings().empty());
}

TEST(order, says_when_a_place_is_kept_while_a_retry_waits) {
  EXPECT_EQ(sg::pipeline(sg::bulkhead(), sg::retry()).warnings().size(), 1u);
  EXPECT_TRUE(sg::pipeline(sg::retry(), sg::bulkhead()).warnings().empty());
}

TEST(order, says_when_a_circuit_would_hear_too_late_or_too_little) {
  sg::circuit_breaker breaker{"b"};
  EXPECT_EQ(sg::pipeline(sg::time_limiter(), sg::guard(breaker)).warnings().size(), 1u);
  EXPECT_EQ(sg::pipeline(sg::guard(breaker), sg::hedge()).warnings().size(), 1u);
  EXPECT_TRUE(sg::pipeline(sg::hedge(), sg::guard(breaker), sg::time_limiter()).warnings().empty());
}

TEST(order, says_when_a_retry_waits_for_a_circuit_that_rejects_before_it) {
  sg::circuit_breaker breaker{"b"};
  const sg::retry patient({.wait_for_retry_after = true});
  EXPECT_EQ(sg::pipeline(sg::guard(breaker), patient).warnings().size(), 1u);
  EXPECT_TRUE(sg::pipeline(patient, sg::guard(breaker)).warnings().empty());
}

TEST(order, tells_whoever_observes_policies_when_the_pipeline_is_made) {
  std::vector<std::string> lines;
  const auto subscription = sg::observe_policies([&](const sg::policy_event& e) { lines.push_back(log_line(e)); });
  (void)sg::pipeline(sg::retry({.backoff = sg::constant(1s)}), sg::retry({.backoff = sg::constant(1s)}));
  sg::drain_events();
  EXPECT_THAT(lines, ElementsAre("pipeline: warning: retry(3 attempts, constant 1s) outside retry(3 attempts, constant 1s): "
                                 "attempts multiply; one retry with a budget does less harm"));
}

}  // namespace
