// SPDX-License-Identifier: Apache-2.0
//
// No call allocates. This program counts what the global operator new is asked for, thread by thread.
#include "support/counted_new.hpp"
#include "support/shell.hpp"

namespace {

using namespace shell;
using counted_new::allocations_of;

sg::config with_a_full_history() {
  return small_with([](auto& c) { c.state_history = 3; });
}

TEST(allocations, are_counted_here) {
  EXPECT_EQ(allocations_of([] { delete new int; }), 1u);
  EXPECT_EQ(allocations_of([] { std::vector<std::string> v(3, std::string(100, 'x')); }), 4u + 1u);
  EXPECT_EQ(allocations_of([] {}), 0u);
}

TEST(no_allocation, by_a_success) {
  small_breaker t;
  EXPECT_EQ(allocations_of([&] {
              for (int i = 0; i < 1000; ++i) t.breaker.call([] {});
              for (int i = 0; i < 1000; ++i) (void)t.breaker.call([&] { return i; });
            }),
            0u);
}

TEST(no_allocation, by_a_success_that_is_timed_and_judged) {
  small_breaker t(small_with([](auto& c) {
                    c.window = sg::last(10s);
                    c.slow_call_duration = 1s;
                    c.failure_rate_threshold = 0.5;
                  }),
                  sg::classifier{}.fail_if([](const int& status) { return status >= 500; }));
  EXPECT_EQ(allocations_of([&] {
              for (int i = 0; i < 1000; ++i) (void)t.breaker.call([] { return 200; });
            }),
            0u);
}

TEST(no_allocation, by_a_failure) {
  small_breaker t(small_with([](auto& c) { c.failure_threshold = 10'000; }));
  EXPECT_EQ(allocations_of([&] {
              for (int i = 0; i < 1000; ++i) t.breaker.try_acquire().failure("connection refused");
              for (int i = 0; i < 1000; ++i) t.breaker.try_acquire().timeout();
            }),
            0u);
}

TEST(no_allocation, by_a_failed_value) {
  small_breaker t(small_with([](auto& c) { c.failure_threshold = 10'000; }),
                  sg::classifier{}.fail_if([](const int& status) { return status >= 500; }));
  EXPECT_EQ(allocations_of([&] {
              for (int i = 0; i < 1000; ++i) (void)t.breaker.call([] { return 503; });
              for (int i = 0; i < 1000; ++i) (void)t.breaker.try_call([] { return 503; });
            }),
            0u);
}

TEST(no_allocation, by_ignored_and_abandoned_permits) {
  small_breaker t;
  EXPECT_EQ(allocations_of([&] {
              for (int i = 0; i < 100; ++i) {
                t.breaker.try_acquire().ignore();
                (void)t.breaker.try_acquire();
              }
            }),
            0u);
}

TEST(no_allocation, by_a_guard_or_a_decorated_call) {
  small_breaker t;
  auto twice = t.breaker.decorate([](int x) { return 2 * x; });
  EXPECT_EQ(allocations_of([&] {
              for (int i = 0; i < 100; ++i) {
                auto guard = t.breaker.protect();
                (void)twice(i);
              }
            }),
            0u);
}

TEST(no_allocation, by_tripping_rejecting_probing_and_closing) {
  small_breaker t(with_a_full_history());
  EXPECT_EQ(allocations_of([&] {
              for (int i = 0; i < 50; ++i) {
                fail_times(t.breaker, 2);
                for (int k = 0; k < 10; ++k) EXPECT_FALSE(t.breaker.try_acquire());
                t.clock.advance(30s);
                succeed_times(t.breaker, 1);
              }
            }),
            0u);
  EXPECT_EQ(t.metrics().transitions, 150u);
}

TEST(no_allocation, by_probes_that_fail_expire_or_find_no_room) {
  small_breaker t(with_a_full_history());
  t.half_open();
  EXPECT_EQ(allocations_of([&] {
              for (int i = 0; i < 20; ++i) {
                auto lost = t.breaker.try_acquire();
                EXPECT_FALSE(t.breaker.try_acquire());
                t.clock.advance(30s);
                t.breaker.try_acquire().failure();
                t.clock.advance(30s);
              }
            }),
            0u);
  EXPECT_EQ(t.metrics().expired_probes, 20u);
}

TEST(no_allocation, by_late_verdicts) {
  small_breaker t(with_a_full_history());
  EXPECT_EQ(allocations_of([&] {
              for (int i = 0; i < 20; ++i) {
                auto success = t.breaker.try_acquire();
                auto failure = t.breaker.try_acquire();
                t.breaker.reset();
                success.success();
                failure.failure();
              }
            }),
            0u);
  EXPECT_EQ(t.metrics().late_results, 40u);
}

TEST(no_allocation, by_the_first_three_transitions_of_any_breaker) {
  small_breaker t;
  EXPECT_EQ(allocations_of([&] {
              fail_times(t.breaker, 2);
              t.clock.advance(30s);
              succeed_times(t.breaker, 1);
            }),
            0u);
}

TEST(no_allocation, by_the_growing_history_but_now_and_then) {
  small_breaker t;
  EXPECT_EQ(allocations_of([&] {
              for (int i = 0; i < 50; ++i) {
                t.breaker.trip();
                t.breaker.reset();
              }
            }),
            6u);  // at 4, 7, 13, 25, 49 and 97 transitions
}

TEST(no_allocation, in_shadow_or_without_being_enabled) {
  small_breaker shadow(small_with([](auto& c) {
    c.shadow = true;
    c.state_history = 3;
  }));
  small_breaker off(small_with([](auto& c) { c.enabled = false; }));
  EXPECT_EQ(allocations_of([&] {
              fail_times(shadow.breaker, 20);
              fail_times(off.breaker, 20);
            }),
            0u);
}

TEST(no_allocation, by_an_observer_that_has_gone) {
  small_breaker t;
  { const event_recorder recorder(t.breaker); }
  sg::drain_events();
  EXPECT_EQ(allocations_of([&] {
              succeed_times(t.breaker, 100);
              for (int i = 0; i < 100; ++i) t.breaker.call([] {});
            }),
            0u);
}

TEST(no_allocation, by_asking_for_the_state) {
  small_breaker t;
  t.open();
  EXPECT_EQ(allocations_of([&] { EXPECT_EQ(t.breaker.state(), sg::state::open); }), 0u);
}

TEST(no_allocation, on_any_thread) {
  small_breaker t(with_a_full_history());
  std::vector<std::size_t> of_each(12);
  std::vector<std::thread> threads;
  for (auto& mine : of_each) {
    threads.emplace_back([&] {
      mine = allocations_of([&] {
        for (int i = 0; i < 500; ++i) {
          if (auto permit = t.breaker.try_acquire()) {
            permit.settle(i % 3 == 0 ? sg::verdict::failure : sg::verdict::success);
          }
          if (i % 50 == 0) t.clock.advance(30s);
        }
      });
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_THAT(of_each, testing::Each(0u));
}

TEST(no_allocation, by_calls_on_the_steady_clock) {
  sg::circuit_breaker breaker{"payments", {.failure_threshold = 2, .slow_call_duration = 1h}};
  EXPECT_EQ(allocations_of([&] {
              for (int i = 0; i < 100; ++i) breaker.call([] {});
              fail_times(breaker, 2);
              for (int i = 0; i < 100; ++i) EXPECT_FALSE(breaker.try_acquire());
            }),
            0u);
}

}  // namespace
