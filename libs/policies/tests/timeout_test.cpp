// SPDX-License-Identifier: Apache-2.0
#include <switchgear/circuit_breaker.hpp>
#include <switchgear/detail/order.hpp>
#include <switchgear/guard.hpp>
#include <switchgear/pipeline.hpp>
#include <switchgear/retry.hpp>
#include <switchgear/testing/manual_clock.hpp>
#include <switchgear/timeout.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <thread>

namespace {

namespace sg = switchgear;
using namespace std::chrono_literals;
using sg::testing::manual_clock;

struct outage : std::runtime_error {
  using runtime_error::runtime_error;
};

/// A manual clock that counts how often it is read.
class counting_clock final : public sg::clock {
 public:
  std::chrono::nanoseconds now() const noexcept override {
    ++reads;
    return 0ns;
  }
  timer call_at(std::chrono::nanoseconds, std::function<void()>) override {
    ++timers;
    return 1;
  }
  void cancel(timer) noexcept override {}
  mutable int reads = 0;
  int timers = 0;
};

struct setup {
  manual_clock clock;
  sg::timeout two_seconds{2s, clock};

  /// A function that takes this long and then returns 5.
  auto takes(std::chrono::nanoseconds d) {
    return [this, d] {
      clock.advance(d);
      return 5;
    };
  }
};

template <class E, class F>
std::string text_of(F&& f) {
  try {
    f();
  } catch (const E& e) {
    return e.what();
  }
  return "nothing";
}

TEST(timeout, lets_pass_what_comes_back_before_the_deadline) {
  setup t;
  EXPECT_EQ(t.two_seconds.call(t.takes(2s - 1ns)), 5);
}

TEST(timeout, turns_a_value_at_the_deadline_into_its_error) {
  setup t;
  EXPECT_THROW(t.two_seconds.call(t.takes(2s)), sg::call_timeout_error);
}

TEST(timeout, says_its_name_and_its_limit) {
  setup t;
  const sg::timeout charge({.name = "charge", .limit = 2s}, t.clock);
  try {
    charge.call(t.takes(3s));
    FAIL();
  } catch (const sg::call_timeout_error& e) {
    EXPECT_EQ(e.name(), "charge");
    EXPECT_EQ(e.limit(), 2s);
    EXPECT_STREQ(e.what(), "charge: the call took longer than 2s");
  }
}

TEST(timeout, nests_a_late_exception_of_the_function_in_its_error) {
  setup t;
  try {
    t.two_seconds.call([&]() -> int {
      t.clock.advance(3s);
      throw outage("connection reset");
    });
    FAIL();
  } catch (const sg::call_timeout_error& e) {
    EXPECT_EQ(text_of<outage>([&] { std::rethrow_if_nested(e); }), "connection reset");
  }
}

TEST(timeout, lets_an_early_exception_pass) {
  setup t;
  EXPECT_THROW(t.two_seconds.call([&]() -> int {
    t.clock.advance(1s);
    throw outage("connection reset");
  }), outage);
}

TEST(timeout, leaves_a_timeout_error_of_the_function_alone) {
  setup t;
  const auto own = [] { throw sg::call_timeout_error("client", 1s); };
  EXPECT_EQ(text_of<sg::call_timeout_error>([&] { t.two_seconds.call(own); }), "client: the call took longer than 1s");
}

TEST(timeout, asks_the_function_to_stop_at_the_deadline) {
  setup t;
  bool before = true, at = false;
  EXPECT_THROW(t.two_seconds.call([&](std::stop_token stop) {
    t.clock.advance(2s - 1ns);
    before = stop.stop_requested();
    t.clock.advance(1ns);
    at = stop.stop_requested();
    return 5;
  }), sg::call_timeout_error);
  EXPECT_FALSE(before);
  EXPECT_TRUE(at);
}

TEST(timeout, takes_its_timer_back) {
  setup t;
  EXPECT_EQ(t.two_seconds.call([](std::stop_token) { return 5; }), 5);
  EXPECT_THROW(t.two_seconds.call([](std::stop_token) { throw outage("down"); }), outage);
  EXPECT_EQ(t.clock.timers(), 0u);
}

TEST(timeout, reads_the_clock_twice_and_sets_no_timer_when_nobody_looks_at_the_token) {
  counting_clock clock;
  sg::timeout(2s, clock).call([] { return 5; });
  EXPECT_EQ(clock.reads, 2);
  EXPECT_EQ(clock.timers, 0);
}

TEST(timeout, sets_a_timer_when_a_policy_further_in_waits) {
  counting_clock clock;
  sg::pipeline(sg::timeout(2s, clock), sg::retry({.max_attempts = 2}, clock))([] { return 5; });
  EXPECT_EQ(clock.timers, 1);
}

TEST(timeout, passes_the_callers_stop_request_on) {
  setup t;
  std::stop_source caller;
  EXPECT_THROW(t.two_seconds.call({.stop = caller.get_token()}, [&](std::stop_token stop) {
    EXPECT_FALSE(stop.stop_requested());
    caller.request_stop();
    EXPECT_TRUE(stop.stop_requested());
    throw sg::cancelled_error("as you wish");
  }), sg::cancelled_error);
  EXPECT_EQ(t.two_seconds.metrics().timeouts, 0u);
}

TEST(timeout, is_none_when_the_caller_asked_to_stop_first) {
  setup t;
  std::stop_source caller;
  const auto slow = [&](std::stop_token) {
    caller.request_stop();
    t.clock.advance(3s);
    throw sg::cancelled_error("as you wish");
  };
  EXPECT_THROW(t.two_seconds.call({.stop = caller.get_token()}, slow), sg::cancelled_error);
}

TEST(timeout, is_one_when_the_deadline_asked_to_stop_first) {
  setup t;
  std::stop_source caller;
  const auto obedient = [&](std::stop_token stop) {
    t.clock.advance(2s);
    caller.request_stop();
    if (stop.stop_requested()) throw sg::cancelled_error("as you wish");
  };
  EXPECT_THROW(t.two_seconds.call({.stop = caller.get_token()}, obedient), sg::call_timeout_error);
}

TEST(timeout, lets_a_late_cancellation_pass_that_it_did_not_cause) {
  setup t;
  const auto gave_up = [&] {
    t.clock.advance(3s);
    throw sg::cancelled_error("changed my mind");
  };
  EXPECT_THROW(t.two_seconds.call(gave_up), sg::cancelled_error);
}

TEST(timeout, lets_a_late_rejection_pass) {
  setup t;
  const auto rejected = [&](std::stop_token) {
    t.clock.advance(3s);
    throw sg::rejected_error("full");
  };
  EXPECT_THROW(t.two_seconds.call(rejected), sg::rejected_error);
}

TEST(timeout, ends_the_wait_of_a_policy_further_in) {
  setup t;
  const auto both = sg::pipeline(t.two_seconds, sg::retry({.max_attempts = 2, .backoff = sg::constant(10s)}, t.clock));
  int calls = 0;
  std::jthread time([&] {
    while (t.clock.timers() < 2) std::this_thread::yield();  // the deadline's and the wait's
    t.clock.advance(2s);
  });
  EXPECT_THROW(both([&]() -> int {
    ++calls;
    throw outage("down");
  }), sg::call_timeout_error);
  EXPECT_EQ(calls, 1);
  EXPECT_EQ(t.clock.now(), 2s);
}

TEST(timeout, limits_a_call_without_result) {
  setup t;
  EXPECT_THROW(t.two_seconds.call([&] { t.clock.advance(2s); }), sg::call_timeout_error);
  EXPECT_NO_THROW(t.two_seconds.call([&] { t.clock.advance(1s); }));
}

TEST(timeout, lets_a_reference_pass) {
  setup t;
  int i = 0;
  EXPECT_EQ(&t.two_seconds.call([&]() -> int& { return i; }), &i);
}

TEST(timeout, lets_a_move_only_result_pass) {
  setup t;
  EXPECT_EQ(*t.two_seconds.call([] { return std::make_unique<int>(5); }), 5);
}

struct pinned {
  explicit pinned(int v) : value(v) {}
  pinned(pinned&&) = delete;
  int value;
};

TEST(timeout, counts_and_returns_a_late_result_that_cannot_be_moved) {
  setup t;
  EXPECT_EQ(t.two_seconds.call([&] {
    t.clock.advance(3s);
    return pinned(5);
  }).value, 5);
  EXPECT_EQ(t.two_seconds.metrics().timeouts, 1u);
}

TEST(timeout, is_a_timeout_for_a_breaker_further_out) {
  setup t;
  sg::circuit_breaker payments("payments", {}, t.clock);
  const auto guarded = sg::pipeline(sg::guard(payments), t.two_seconds);
  EXPECT_THROW(guarded(t.takes(3s)), sg::call_timeout_error);
  EXPECT_EQ(payments.snapshot().metrics.timeouts, 1u);
}

TEST(timeout, is_a_timeout_for_a_breaker_further_in_whose_call_it_stopped) {
  setup t;
  sg::circuit_breaker payments("payments", {}, t.clock);
  const auto guarded = sg::pipeline(t.two_seconds, sg::guard(payments));
  EXPECT_THROW(guarded([&](std::stop_token stop) {
    t.clock.advance(3s);
    if (stop.stop_requested()) throw outage("interrupted");
  }), sg::call_timeout_error);
  EXPECT_EQ(payments.snapshot().metrics.timeouts, 1u);
}

TEST(timeout, is_no_evidence_for_a_breaker_further_in_when_the_caller_gave_up) {
  setup t;
  sg::circuit_breaker payments("payments", {}, t.clock);
  const auto guarded = sg::pipeline(t.two_seconds, sg::guard(payments));
  std::stop_source caller;
  EXPECT_THROW(guarded({.stop = caller.get_token()}, [&](std::stop_token) {
    caller.request_stop();
    throw outage("interrupted");
  }), outage);
  EXPECT_EQ(payments.snapshot().metrics.ignored, 1u);
}

TEST(timeout, tells_policies_further_in_that_their_call_has_lost) {
  setup t;
  std::stop_source caller;
  std::atomic<sg::call_fate> fate{sg::call_fate::wanted};
  sg::circuit_breaker payments("payments", {}, t.clock);
  const auto guarded = sg::pipeline(t.two_seconds, sg::guard(payments));
  guarded({.stop = caller.get_token(), .fate = &fate}, [&](std::stop_token) {
    fate = sg::call_fate::lost;
    caller.request_stop();
  });
  EXPECT_EQ(payments.snapshot().metrics.ignored, 1u);
}

TEST(timeout, tells_policies_further_in_also_after_the_deadline_that_their_call_has_lost) {
  setup t;
  std::stop_source caller;
  std::atomic<sg::call_fate> fate{sg::call_fate::wanted};
  sg::circuit_breaker payments("payments", {}, t.clock);
  const auto guarded = sg::pipeline(t.two_seconds, sg::guard(payments));
  EXPECT_THROW(guarded({.stop = caller.get_token(), .fate = &fate}, [&](std::stop_token) {
    t.clock.advance(2s);
    fate = sg::call_fate::lost;
    caller.request_stop();
  }), sg::call_timeout_error);
  EXPECT_EQ(payments.snapshot().metrics.ignored, 1u);
}

TEST(timeout, knows_where_it_stands_by_its_type) {
  const sg::timeout plain(2s);
  static_assert(!sg::timeout::is_per_attempt && !sg::timeout::is_total);
  static_assert(decltype(plain.per_attempt())::is_per_attempt && !decltype(plain.per_attempt())::is_total);
  static_assert(decltype(plain.total())::is_total && !decltype(plain.total())::is_per_attempt);
  EXPECT_EQ(plain.describe(), "timeout(2s)");
  EXPECT_EQ(plain.per_attempt().describe(), "timeout(2s per attempt)");
  EXPECT_EQ(plain.total().describe(), "timeout(2s in all)");
}

TEST(timeout, is_refused_in_the_wrong_place_at_compile_time) {
  using sg::detail::find_mistake, sg::detail::order_mistake, sg::detail::static_facts_of;
  static_assert(find_mistake(std::array{static_facts_of<sg::per_attempt_timeout>(), static_facts_of<sg::retry>()}) ==
                order_mistake::per_attempt_outside);
  static_assert(find_mistake(std::array{static_facts_of<sg::retry>(), static_facts_of<sg::total_timeout>()}) ==
                order_mistake::total_inside);
  static_assert(find_mistake(std::array{static_facts_of<sg::total_timeout>(), static_facts_of<sg::retry>(),
                                        static_facts_of<sg::per_attempt_timeout>()}) == order_mistake::none);
}

TEST(timeout, limits_each_attempt_and_all_of_them) {
  setup t;
  const sg::retry retry({.max_attempts = 10, .backoff = sg::constant(0s)}, t.clock);
  const auto guarded = sg::pipeline(sg::timeout(5s, t.clock).total(), retry, t.two_seconds.per_attempt());
  int attempts = 0;
  try {
    guarded([&] {
      ++attempts;
      t.clock.advance(3s);
    });
    FAIL();
  } catch (const sg::call_timeout_error& e) {
    EXPECT_EQ(e.limit(), 5s);
  }
  EXPECT_EQ(attempts, 2);
}

TEST(timeout, shares_its_counts_with_its_copies) {
  setup t;
  EXPECT_THROW(t.two_seconds.per_attempt().call(t.takes(2s)), sg::call_timeout_error);
  EXPECT_EQ(t.two_seconds.metrics().timeouts, 1u);
}

TEST(timeout, tells_its_observers) {
  setup t;
  std::vector<std::string> lines;
  const auto subscription = t.two_seconds.observe([&](const sg::policy_event& e) { lines.push_back(sg::log_line(e)); });
  EXPECT_THROW(t.two_seconds.call(t.takes(2s)), sg::call_timeout_error);
  sg::drain_events();
  EXPECT_THAT(lines, testing::ElementsAre("timeout: timed_out: the call took longer than 2s"));
}

TEST(timeout, knows_its_options) {
  const auto o = sg::timeout({.name = "quick", .limit = 2s}).total().options();
  EXPECT_EQ(o.name, "quick");
  EXPECT_EQ(o.limit, 2s);
}

TEST(timeout, names_every_problem_of_its_options) {
  const auto problems = sg::timeout_options{.name = "", .limit = 0s}.validate();
  ASSERT_EQ(problems.size(), 2u);
  EXPECT_EQ(problems[1].key, "limit");
  EXPECT_THROW(sg::timeout(25h), sg::config_error);
}

}  // namespace
