// SPDX-License-Identifier: Apache-2.0
#include "support/shell.hpp"

namespace {

using namespace shell;

sg::config limited(nanoseconds limit) {
  return small_with([&](auto& c) { c.call_timeout = limit; });
}

TEST(call_timeout, asks_the_function_to_stop_at_the_deadline_and_not_before) {
  small_breaker t(limited(10s));
  (void)t.breaker.try_call([&](std::stop_token stop) {
    t.clock.advance(10s - 1ns);
    EXPECT_FALSE(stop.stop_requested());
    t.clock.advance(1ns);
    EXPECT_TRUE(stop.stop_requested());
  });
}

TEST(call_timeout, of_the_longest_duration_there_is_asks_nobody_to_stop) {
  small_breaker t(limited(nanoseconds::max()));
  t.clock.advance(1s);
  (void)t.breaker.try_call([&](std::stop_token stop) { EXPECT_FALSE(stop.stop_requested()); });
  EXPECT_EQ(t.metrics().successes, 1u);
}

TEST(call_timeout, wakes_a_function_that_waits_in_another_thread) {
  small_breaker t(limited(10s));
  scripted_dependency service(t.clock);
  service.hang();
  sg::verdict v = sg::verdict::success;
  std::thread caller([&] { v = t.breaker.try_call([&](std::stop_token stop) { return service(stop); }).verdict(); });
  service.wait_until_inside(1);
  t.clock.advance(10s);
  caller.join();
  EXPECT_EQ(v, sg::verdict::timeout);
  EXPECT_EQ(service.stopped(), 1u);
}

TEST(call_timeout, counts_as_a_failure_and_as_a_timeout) {
  small_breaker t(limited(10s));
  const auto result = t.breaker.try_call([&] { t.clock.advance(10s); });
  EXPECT_EQ(result.verdict(), sg::verdict::timeout);
  EXPECT_FALSE(result.has_value());
  EXPECT_FALSE(result.rejected());
  EXPECT_EQ(t.metrics().failures, 1u);
  EXPECT_EQ(t.metrics().timeouts, 1u);
  EXPECT_EQ(t.metrics().total_calls(), 1u);
  EXPECT_EQ(t.breaker.snapshot().last_failure, "the call took longer than call_timeout");
}

TEST(call_timeout, lets_a_call_pass_that_comes_back_in_time) {
  small_breaker t(limited(10s));
  const auto result = t.breaker.try_call([&] {
    t.clock.advance(10s - 1ns);
    return 3;
  });
  EXPECT_EQ(*result, 3);
  EXPECT_EQ(t.metrics().successes, 1u);
}

TEST(call_timeout, leaves_no_timer_behind) {
  small_breaker t(limited(10s));
  (void)t.breaker.try_call([&](std::stop_token) { EXPECT_EQ(t.clock.timers(), 1u); });
  EXPECT_EQ(t.clock.timers(), 0u);
}

TEST(call_timeout, sets_no_timer_for_a_function_that_cannot_be_asked) {
  small_breaker t(limited(10s));
  (void)t.breaker.try_call([&] { EXPECT_EQ(t.clock.timers(), 0u); });
}

TEST(call_timeout, opens_the_circuit_like_other_failures) {
  small_breaker t(limited(10s));
  for (int i = 0; i < 2; ++i) (void)t.breaker.try_call([&] { t.clock.advance(10s); });
  EXPECT_TRUE(t.breaker.is_open());
}

TEST(call_timeout, of_a_probe_opens_the_circuit_again) {
  small_breaker t(limited(10s));
  t.half_open();
  (void)t.breaker.try_call([&] { t.clock.advance(10s); });
  EXPECT_TRUE(t.breaker.is_open());
}

TEST(call_timeout, is_not_applied_to_permits_that_their_holder_settles) {
  small_breaker t(limited(10s));
  auto permit = t.breaker.try_acquire();
  t.clock.advance(20s);
  permit.success();
  EXPECT_EQ(t.metrics().successes, 1u);
  EXPECT_EQ(t.metrics().timeouts, 0u);
}

TEST(call_timeout, can_be_switched_on_and_off_while_running) {
  small_breaker t;
  const auto slow = [&] { return t.breaker.try_call([&] { t.clock.advance(10s); }).verdict(); };
  EXPECT_EQ(slow(), sg::verdict::success);
  EXPECT_TRUE(t.breaker.reconfigure([](sg::config& c) { c.call_timeout = 10s; }).empty());
  EXPECT_EQ(slow(), sg::verdict::timeout);
  EXPECT_TRUE(t.breaker.reconfigure([](sg::config& c) { c.call_timeout = 0s; }).empty());
  EXPECT_EQ(slow(), sg::verdict::success);
}

struct pinned {
  explicit pinned(int& l) : living(l) { ++living; }
  pinned(pinned&&) = delete;
  ~pinned() { --living; }
  int& living;
};

TEST(call_timeout, counts_a_result_that_cannot_be_moved_and_returns_it) {
  small_breaker t(limited(10s));
  int living = 0;
  {
    const pinned result = t.breaker.call([&] {
      t.clock.advance(10s);
      return pinned(living);
    });
    EXPECT_EQ(living, 1);
  }
  EXPECT_EQ(living, 0);
  EXPECT_EQ(t.metrics().timeouts, 1u);
  EXPECT_EQ(t.metrics().total_calls(), 1u);
}

#if SWITCHGEAR_HAS_EXCEPTIONS

struct own_timeout : std::runtime_error {
  own_timeout() : std::runtime_error("the server's own timeout") {}
};

TEST(call_timeout, is_reported_as_call_timeout_error_and_not_as_an_open_circuit) {  // S3-36
  small_breaker t(limited(10s));
  const auto e = thrown_by<sg::call_timeout_error>([&] {
    t.breaker.call([&] {
      t.clock.advance(11s);
      return 3;
    });
  });
  EXPECT_EQ(e.name(), "payments");
  EXPECT_EQ(e.limit(), 10s);
}

TEST(call_timeout, carries_what_the_function_threw_after_the_deadline) {
  small_breaker t(limited(10s));
  try {
    t.breaker.call([&] {
      t.clock.advance(10s);
      throw own_timeout();
    });
    FAIL();
  } catch (const sg::call_timeout_error& e) {
    EXPECT_THROW(std::rethrow_if_nested(e), own_timeout);
  }
  EXPECT_EQ(t.metrics().timeouts, 1u);
}

TEST(call_timeout, leaves_a_timeout_error_that_the_function_throws_in_time_alone) {
  small_breaker t(limited(10s));
  EXPECT_THROW(t.breaker.call([] { throw own_timeout(); }), own_timeout);
  EXPECT_EQ(t.metrics().failures, 1u);
  EXPECT_EQ(t.metrics().timeouts, 0u);
}

TEST(call_timeout, leaves_a_cancellation_after_the_deadline_ignored) {
  small_breaker t(limited(10s));
  EXPECT_THROW(t.breaker.call([&] {
    t.clock.advance(10s);
    throw sg::cancelled_error("the caller gave up");
  }),
               sg::cancelled_error);
  EXPECT_EQ(t.metrics().ignored, 1u);
  EXPECT_EQ(t.metrics().timeouts, 0u);
}

TEST(call_timeout, carries_what_was_thrown_instead_of_a_result_that_cannot_be_moved) {
  small_breaker t(limited(10s));
  EXPECT_THROW((void)t.breaker.call([&]() -> pinned {
    t.clock.advance(10s);
    throw own_timeout();
  }),
               sg::call_timeout_error);
  EXPECT_EQ(t.metrics().timeouts, 1u);
  EXPECT_EQ(t.metrics().total_calls(), 1u);
}

#endif

#if SWITCHGEAR_HAS_EXCEPTIONS

TEST(call_timeout, takes_a_cancellation_that_it_asked_for_itself_for_a_timeout) {
  small_breaker t(limited(10s));
  EXPECT_THROW(t.breaker.call([&](std::stop_token stop) {
    t.clock.advance(10s);
    if (stop.stop_requested()) throw sg::cancelled_error("asked to stop");
  }), sg::call_timeout_error);
  EXPECT_EQ(t.metrics().timeouts, 1u);
  EXPECT_EQ(t.metrics().ignored, 0u);
}

TEST(call_timeout, leaves_a_cancellation_alone_that_it_did_not_ask_for) {
  small_breaker t(limited(10s));
  EXPECT_THROW(t.breaker.call([&](std::stop_token) { throw sg::cancelled_error("the caller gave up"); }), sg::cancelled_error);
  EXPECT_EQ(t.metrics().ignored, 1u);
}

#endif

}  // namespace
