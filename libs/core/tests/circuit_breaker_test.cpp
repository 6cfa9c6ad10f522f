// SPDX-License-Identifier: Apache-2.0
#include "support/shell.hpp"

#include <any>

namespace {

using namespace shell;

// --- being made ---

TEST(circuit_breaker, starts_closed) {  // S3-31
  const sg::circuit_breaker breaker{"payments"};
  EXPECT_EQ(breaker.state(), sg::state::closed);
  EXPECT_TRUE(breaker.is_closed());
  EXPECT_EQ(breaker.snapshot().generation, 0u);
}

TEST(circuit_breaker, has_the_name_it_was_given) {
  EXPECT_EQ(sg::circuit_breaker("storage:save_task").name(), "storage:save_task");
}

TEST(circuit_breaker, has_the_default_configuration_unless_told_otherwise) {  // S4-57
  EXPECT_EQ(sg::circuit_breaker("payments").configuration(), sg::config{});
  EXPECT_EQ(sg::circuit_breaker("payments", sg::presets::strict()).configuration(), sg::presets::strict());
}

// --- calls ---

TEST(circuit_breaker, calls_a_function_whose_result_can_be_made_from_anything) {
  sg::circuit_breaker breaker{"payments"};
  EXPECT_EQ(std::any_cast<int>(breaker.call([] { return std::any(5); })), 5);
  const auto result = breaker.try_call([] { return std::any(6); });
  ASSERT_TRUE(result);
  EXPECT_EQ(std::any_cast<int>(*result), 6);
}

TEST(circuit_breaker, keeps_both_of_two_patches_made_at_once) {
  sg::circuit_breaker breaker{"payments"};
  bool disturbed = false;
  breaker.reconfigure([&](sg::config& c) {
    if (!std::exchange(disturbed, true)) {
      breaker.reconfigure([](sg::config& other) { other.open_duration = 5s; });
    }
    c.jitter = 0.5;
  });
  EXPECT_EQ(breaker.configuration().open_duration, 5s);
  EXPECT_EQ(breaker.configuration().jitter, 0.5);
}

TEST(circuit_breaker, the_longest_open_duration_with_jitter_is_not_the_shortest) {
  sg::config c;
  c.failure_threshold = 1;
  c.open_duration_multiplier = 10;
  c.jitter = 0.5;
  c.max_open_duration = nanoseconds::max();
  const auto s = sg::machine::resolve(c);
  EXPECT_EQ(sg::machine::open_duration(s, 60, ~0u), nanoseconds::max().count());
}

#if SWITCHGEAR_HAS_EXCEPTIONS
TEST(circuit_breaker, counts_a_call_once_when_its_result_cannot_be_moved_and_it_throws) {
  struct pinned {
    pinned() = default;
    pinned(pinned&&) = delete;
  };
  sg::circuit_breaker breaker{"payments", {.failure_threshold = 2}};
  succeed_times(breaker, 100);
  EXPECT_THROW(breaker.call([]() -> pinned { throw std::runtime_error("no"); }), std::runtime_error);
  EXPECT_EQ(breaker.snapshot().metrics.failures, 1u);
  EXPECT_TRUE(breaker.is_closed());
}

TEST(circuit_breaker, counts_a_call_once_when_moving_its_result_out_throws) {
  struct heavy {
    heavy() = default;
    heavy(heavy&&) { throw std::runtime_error("moving failed"); }
  };
  sg::circuit_breaker breaker{"payments"};
  succeed_times(breaker, 100);
  try {
    breaker.call([] { return heavy(); });
  } catch (const std::runtime_error&) {
  }
  const auto metrics = breaker.snapshot().metrics;
  EXPECT_EQ(metrics.total_calls(), 101u);
}
#endif

/// No call in a count window without slow calls needs the clock, but a success may be the verdict that completes
/// minimum_calls, and the open period counts from that moment.
TEST(circuit_breaker, stays_open_for_the_open_duration_when_a_success_trips_it) {
  manual_clock clock;
  sg::config c;
  c.failure_threshold = 0;
  c.failure_rate_threshold = 0.5;
  c.window = sg::calls(10);
  c.minimum_calls = 4;
  c.open_duration = 30s;
  for (const bool by_call : {false, true}) {
    sg::circuit_breaker breaker("payments", c, clock);
    fail_times(breaker, 2);
    succeed_times(breaker, 1);
    clock.advance(5s);
    if (by_call) {
      breaker.call([] {});
    } else {
      breaker.try_acquire().success();
    }
    EXPECT_EQ(breaker.state(), sg::state::open);
    EXPECT_EQ(breaker.snapshot().retry_after, nanoseconds(30s));
    clock.advance(29s);
    EXPECT_FALSE(breaker.try_acquire());
    EXPECT_EQ(breaker.history().size(), 1u);
  }
}

TEST(circuit_breaker, returns_what_the_function_returns) {  // S2-44
  sg::circuit_breaker breaker{"payments"};
  EXPECT_EQ(breaker.call([] { return 5; }), 5);
  EXPECT_EQ(breaker.call([] { return std::string("receipt"); }), "receipt");
}

TEST(circuit_breaker, calls_a_function_that_returns_nothing) {
  sg::circuit_breaker breaker{"payments"};
  bool called = false;
  breaker.call([&] { called = true; });
  EXPECT_TRUE(called);
  EXPECT_EQ(breaker.snapshot().metrics.successes, 1u);
}

TEST(circuit_breaker, passes_a_reference_on_as_the_same_reference) {
  small_breaker t;
  int x = 1;
  int& plain = t.breaker.call([&]() -> int& { return x; });
  EXPECT_EQ(&plain, &x);
  t.half_open();
  const int& probe = t.breaker.call([&]() -> const int& { return x; });
  EXPECT_EQ(&probe, &x);
}

TEST(circuit_breaker, returns_results_that_can_only_be_moved) {
  small_breaker t;
  EXPECT_EQ(*t.breaker.call([] { return std::make_unique<int>(4); }), 4);
  t.half_open();
  EXPECT_EQ(*t.breaker.call([] { return std::make_unique<int>(5); }), 5);
}

struct pinned {
  explicit pinned(int v) : value(v) {}
  pinned(pinned&&) = delete;
  int value;
};

TEST(circuit_breaker, returns_results_that_cannot_be_moved) {
  small_breaker t;
  const pinned quick = t.breaker.call([] { return pinned(7); });
  EXPECT_EQ(quick.value, 7);
  EXPECT_EQ(t.metrics().successes, 1u);
  t.half_open();
  const pinned probe = t.breaker.call([] { return pinned(8); });
  EXPECT_EQ(probe.value, 8);
  EXPECT_TRUE(t.breaker.is_closed());
}

TEST(circuit_breaker, hands_a_stop_token_to_a_function_that_takes_one) {
  sg::circuit_breaker breaker{"payments"};
  EXPECT_FALSE(breaker.call([](std::stop_token stop) { return stop.stop_requested(); }));
}

TEST(circuit_breaker, calls_a_function_object_once_as_it_was_given) {
  struct once {
    int operator()() && { return 3; }
  };
  sg::circuit_breaker breaker{"payments"};
  EXPECT_EQ(breaker.call(once{}), 3);
}

TEST(circuit_breaker, opens_at_the_threshold_and_not_before) {  // S3-32, S4-51
  small_breaker t(small_with([](auto& c) { c.failure_threshold = 5; }));
  fail_times(t.breaker, 4);
  EXPECT_TRUE(t.breaker.is_closed());
  fail_times(t.breaker, 1);
  EXPECT_TRUE(t.breaker.is_open());
}

TEST(circuit_breaker, starts_counting_again_after_a_success) {  // S4-51
  small_breaker t;
  fail_times(t.breaker, 1);
  succeed_times(t.breaker, 1);
  fail_times(t.breaker, 1);
  EXPECT_TRUE(t.breaker.is_closed());
}

TEST(circuit_breaker, does_not_call_the_function_when_open) {  // S4-52
  small_breaker t;
  t.open();
  bool called = false;
  const auto result = t.breaker.try_call([&] { called = true; });
  EXPECT_TRUE(result.rejected());
  EXPECT_FALSE(called);
}

TEST(circuit_breaker, counts_five_successes_as_five_successes) {  // S2-47
  sg::circuit_breaker breaker{"payments"};
  for (int i = 0; i < 5; ++i) breaker.call([] {});
  const auto m = breaker.snapshot().metrics;
  EXPECT_EQ(m.successes, 5u);
  EXPECT_EQ(m.failures, 0u);
  EXPECT_EQ(m.failure_rate(), 0.0);
}

TEST(circuit_breaker, counts_exactly_from_the_first_call_far_past_a_full_window) {
  sg::circuit_breaker breaker{"payments", {.window = sg::calls(10)}};
  for (int i = 0; i < 1000; ++i) breaker.call([] {});
  fail_times(breaker, 1);
  for (int i = 0; i < 1000; ++i) breaker.call([] {});
  const auto s = breaker.snapshot();
  EXPECT_EQ(s.metrics.successes, 2000u);
  EXPECT_EQ(s.metrics.failures, 1u);
  EXPECT_EQ(s.window.calls, 10u);
  EXPECT_EQ(s.window.failures, 0u);
  EXPECT_EQ(s.consecutive_failures, 0u);
}

// --- recovery ---

TEST(circuit_breaker, reads_half_open_once_the_open_duration_has_passed_without_any_call) {  // S2-46, S3-33, S4-53
  small_breaker t;
  t.open();
  t.clock.advance(30s - 1ns);
  EXPECT_EQ(t.breaker.state(), sg::state::open);
  t.clock.advance(1ns);
  EXPECT_EQ(t.breaker.state(), sg::state::half_open);
  EXPECT_TRUE(t.breaker.is_half_open());
}

TEST(circuit_breaker, changes_nothing_by_being_looked_at) {
  small_breaker t;
  t.half_open();
  const auto before = t.breaker.snapshot();
  for (int i = 0; i < 10; ++i) {
    (void)t.breaker.state();
    (void)t.breaker.is_open();
    (void)t.breaker.history();
    (void)t.breaker.configuration();
  }
  const auto after = t.breaker.snapshot();
  EXPECT_EQ(after.generation, before.generation);
  EXPECT_EQ(after.metrics.transitions, before.metrics.transitions);
  EXPECT_EQ(after.probes_in_flight, 0u);
}

TEST(circuit_breaker, closes_when_a_probe_succeeds) {  // S2-46, S3-34
  small_breaker t;
  t.half_open();
  t.breaker.call([] {});
  EXPECT_TRUE(t.breaker.is_closed());
}

TEST(circuit_breaker, closes_only_at_the_success_threshold) {  // S4-54, trap 4
  small_breaker t(small_with([](auto& c) { c.success_threshold = 3; }));
  t.half_open();
  succeed_times(t.breaker, 2);
  EXPECT_TRUE(t.breaker.is_half_open());
  EXPECT_EQ(t.breaker.snapshot().half_open_successes, 2u);
  succeed_times(t.breaker, 1);
  EXPECT_TRUE(t.breaker.is_closed());
}

TEST(circuit_breaker, opens_again_when_a_probe_fails) {  // S3-35, S4-55
  small_breaker t;
  t.half_open();
  fail_times(t.breaker, 1);
  EXPECT_TRUE(t.breaker.is_open());
  EXPECT_EQ(t.breaker.snapshot().retry_after, 30s);
}

TEST(circuit_breaker, works_on_the_steady_clock_when_given_none) {
  sg::circuit_breaker breaker{"payments", {.failure_threshold = 1, .open_duration = 1h}};
  fail_times(breaker, 1);
  const auto s = breaker.snapshot();
  EXPECT_EQ(s.state, sg::state::open);
  EXPECT_GT(s.retry_after.value(), 59min);
  EXPECT_LE(s.retry_after.value(), 60min);
}

TEST(circuit_breaker, may_open_for_no_time_at_all) {  // trap 21
  small_breaker t(small_with([](auto& c) { c.open_duration = 0s; }));
  fail_times(t.breaker, 2);
  EXPECT_TRUE(t.breaker.is_half_open());
  succeed_times(t.breaker, 1);
  EXPECT_TRUE(t.breaker.is_closed());
}

// --- guards ---

TEST(protect, counts_leaving_the_scope_normally_as_success) {
  small_breaker t;
  { auto guard = t.breaker.protect(); }
  EXPECT_EQ(t.metrics().successes, 1u);
}

TEST(protect, can_be_told_that_the_call_failed) {
  small_breaker t;
  {
    auto guard = t.breaker.protect();
    guard.failure("503");
  }
  EXPECT_EQ(t.metrics().failures, 1u);
  EXPECT_EQ(t.metrics().successes, 0u);
  EXPECT_EQ(t.breaker.snapshot().last_failure, "503");
}

TEST(protect, can_be_told_to_ignore_the_call) {
  small_breaker t;
  {
    auto guard = t.breaker.protect();
    guard.ignore();
  }
  EXPECT_EQ(t.metrics().ignored, 1u);
  EXPECT_EQ(t.metrics().total_calls(), 1u);
}

TEST(protect, may_be_moved_to_another_scope) {
  small_breaker t;
  {
    auto guard = t.breaker.protect();
    const auto moved = std::move(guard);
    EXPECT_EQ(t.metrics().total_calls(), 0u);
  }
  EXPECT_EQ(t.metrics().successes, 1u);
  EXPECT_EQ(t.metrics().total_calls(), 1u);
}

// --- decorators ---

TEST(decorate, gives_a_function_with_the_same_arguments) {
  sg::circuit_breaker breaker{"payments"};
  auto add = breaker.decorate([](int a, int b) { return a + b; });
  EXPECT_EQ(add(1, 2), 3);
  EXPECT_EQ(add(20, 22), 42);
  EXPECT_EQ(breaker.snapshot().metrics.successes, 2u);
}

TEST(decorate, passes_arguments_on_without_copying_them) {
  sg::circuit_breaker breaker{"payments"};
  auto charge = breaker.decorate([](std::unique_ptr<int> amount, int& total) { total += *amount; });
  int total = 1;
  charge(std::make_unique<int>(4), total);
  EXPECT_EQ(total, 5);
}

TEST(decorate, keeps_a_function_that_can_only_be_moved) {
  sg::circuit_breaker breaker{"payments"};
  auto charge = breaker.decorate([amount = std::make_unique<int>(4)] { return *amount; });
  auto moved = std::move(charge);
  EXPECT_EQ(moved(), 4);
}

TEST(decorate, returns_references_as_references) {
  sg::circuit_breaker breaker{"payments"};
  auto same = breaker.decorate([](int& x) -> int& { return x; });
  int x = 0;
  EXPECT_EQ(&same(x), &x);
}

TEST(decorate, takes_member_functions) {
  struct client {
    int charge(int amount) { return amount * 2; }
  };
  sg::circuit_breaker breaker{"payments"};
  auto charge = breaker.decorate(&client::charge);
  client c;
  EXPECT_EQ(charge(c, 4), 8);
}

#if SWITCHGEAR_HAS_EXCEPTIONS

struct client_error : std::runtime_error {
  client_error(int c) : std::runtime_error("client error"), code(c) {}
  int code;
};

TEST(circuit_breaker, is_never_built_from_a_bad_configuration_or_name) {
  const auto e = thrown_by<sg::config_error>([] {
    sg::circuit_breaker breaker("", sg::config{.failure_threshold = -1, .half_open_max_calls = 0});
  });
  std::vector<std::string> keys;
  for (const auto& p : e.problems()) keys.push_back(p.key);
  EXPECT_THAT(keys, testing::ElementsAre("name", "failure_threshold", "half_open_max_calls"));
}

TEST(circuit_breaker, passes_the_functions_exception_on_unchanged) {
  sg::circuit_breaker breaker{"payments"};
  const client_error* original = nullptr;
  try {
    breaker.call([&] {
      try {
        throw client_error(402);
      } catch (const client_error& e) {
        original = &e;
        throw;
      }
    });
    FAIL();
  } catch (const client_error& e) {
    EXPECT_EQ(e.code, 402);
    EXPECT_EQ(&e, original);
  }
  EXPECT_EQ(breaker.snapshot().metrics.failures, 1u);
  EXPECT_EQ(breaker.snapshot().last_failure, "client error");
}

TEST(circuit_breaker, counts_an_exception_that_is_no_std_exception) {
  sg::circuit_breaker breaker{"payments"};
  EXPECT_THROW(breaker.call([] { throw 7; }), int);
  EXPECT_EQ(breaker.snapshot().metrics.failures, 1u);
}

TEST(circuit_breaker, counts_an_exception_of_a_function_whose_result_cannot_be_moved) {
  small_breaker t;
  const auto broken = [](bool fails) {
    return [fails]() -> pinned {
      if (fails) throw client_error(500);
      return pinned(1);
    };
  };
  EXPECT_THROW((void)t.breaker.call(broken(true)), client_error);
  EXPECT_EQ(t.metrics().failures, 1u);
  t.half_open();
  EXPECT_THROW((void)t.breaker.call(broken(true)), client_error);
  EXPECT_TRUE(t.breaker.is_open());
  EXPECT_THROW((void)t.breaker.call(broken(false)), sg::circuit_open_error);
}

TEST(circuit_breaker, throws_its_own_error_only_once_it_is_open) {  // S2-45
  small_breaker t(small_with([](auto& c) { c.failure_threshold = 3; }));
  for (int i = 0; i < 3; ++i) EXPECT_THROW(t.breaker.call([] { throw client_error(500); }), client_error);
  EXPECT_THROW(t.breaker.call([] { throw client_error(500); }), sg::circuit_open_error);
}

TEST(circuit_breaker, tells_in_its_error_what_a_caller_needs) {  // S0-93, S0-94, S4-60
  small_breaker t;
  t.open();
  t.clock.advance(1500ms);
  const sg::error_context context{"kafka", "publish", "kafka.production"};
  const auto e = thrown_by<sg::circuit_open_error>([&] { t.breaker.call([] {}, {"request-17", &context}); });
  EXPECT_EQ(e.name(), "payments");
  EXPECT_EQ(e.state(), sg::state::open);
  EXPECT_EQ(e.reason(), sg::rejection_reason::open);
  EXPECT_EQ(e.retry_after(), 28500ms);
  EXPECT_EQ(e.failure_count(), 2u);
  EXPECT_EQ(e.correlation_id(), "request-17");
  EXPECT_EQ(e.context().transport, "kafka");
  EXPECT_EQ(e.context().operation, "publish");
  EXPECT_EQ(e.context().target, "kafka.production");
}

TEST(circuit_breaker, says_when_all_probes_are_out) {
  small_breaker t;
  t.half_open();
  const auto probe = t.breaker.try_acquire();
  const auto e = thrown_by<sg::circuit_open_error>([&] { t.breaker.call([] {}); });
  EXPECT_EQ(e.state(), sg::state::half_open);
  EXPECT_EQ(e.reason(), sg::rejection_reason::half_open_limit);
  EXPECT_EQ(e.retry_after(), 0ns);
}

TEST(circuit_breaker, says_when_an_operator_holds_it_open) {
  small_breaker t;
  t.breaker.force_open("maintenance");
  const auto e = thrown_by<sg::circuit_open_error>([&] { t.breaker.call([] {}); });
  EXPECT_EQ(e.state(), sg::state::forced_open);
  EXPECT_EQ(e.reason(), sg::rejection_reason::forced_open);
  EXPECT_FALSE(e.retry_after());
}

TEST(circuit_breaker, gives_the_probe_back_when_the_function_throws) {  // trap 2
  small_breaker t;
  t.half_open();
  EXPECT_THROW(t.breaker.call([] { throw client_error(500); }), client_error);
  EXPECT_TRUE(t.breaker.is_open());
  EXPECT_EQ(t.breaker.snapshot().probes_in_flight, 0u);
}

TEST(protect, counts_leaving_the_scope_by_an_exception_as_failure) {
  small_breaker t;
  try {
    auto guard = t.breaker.protect();
    throw client_error(500);
  } catch (const client_error&) {
  }
  EXPECT_EQ(t.metrics().failures, 1u);
  EXPECT_EQ(t.metrics().successes, 0u);
}

TEST(protect, ignores_an_exception_when_told_before) {
  small_breaker t;
  try {
    auto guard = t.breaker.protect();
    guard.ignore();
    throw client_error(404);
  } catch (const client_error&) {
  }
  EXPECT_EQ(t.metrics().ignored, 1u);
  EXPECT_EQ(t.metrics().failures, 0u);
}

TEST(protect, is_not_confused_by_an_exception_that_is_already_on_its_way) {
  small_breaker t;
  struct cleanup {
    sg::circuit_breaker& breaker;
    ~cleanup() { auto guard = breaker.protect(); }
  };
  try {
    const cleanup c{t.breaker};
    throw client_error(500);
  } catch (const client_error&) {
  }
  EXPECT_EQ(t.metrics().successes, 1u);
  EXPECT_EQ(t.metrics().failures, 0u);
}

TEST(protect, throws_when_open_and_the_scope_is_not_entered) {
  small_breaker t;
  t.open();
  bool entered = false;
  const auto e = thrown_by<sg::circuit_open_error>([&] {
    auto guard = t.breaker.protect({"request-18"});
    entered = true;
  });
  EXPECT_FALSE(entered);
  EXPECT_EQ(e.correlation_id(), "request-18");
  EXPECT_EQ(t.metrics().rejections, 1u);
}

TEST(decorate, fails_and_is_rejected_like_any_call) {
  small_breaker t;
  int calls = 0;
  auto charge = t.breaker.decorate([&](int code) {
    ++calls;
    throw client_error(code);
  });
  EXPECT_THROW(charge(1), client_error);
  EXPECT_THROW(charge(2), client_error);
  EXPECT_THROW(charge(3), sg::circuit_open_error);
  EXPECT_EQ(calls, 2);
}

TEST(circuit_breaker, fails_fast_under_a_retry_and_recovers) {  // S4-59
  small_breaker t;
  scripted_dependency service(t.clock);
  service.fail(2).succeed();
  const auto with_retry = [&](int attempts) {
    for (;; t.clock.advance(10s)) {
      try {
        return t.breaker.call([&] { return service(); });
      } catch (const std::exception&) {
        if (--attempts == 0) throw;
      }
    }
  };
  EXPECT_THROW((void)with_retry(4), sg::circuit_open_error);  // two failures, then two rejections
  EXPECT_EQ(service.calls(), 2u);
  EXPECT_EQ(with_retry(3), 0);
  EXPECT_EQ(service.calls(), 3u);
  EXPECT_TRUE(t.breaker.is_closed());
}

#endif

}  // namespace
