// SPDX-License-Identifier: Apache-2.0
#include "support/shell.hpp"

#include <atomic>
#include <latch>

namespace {

using namespace shell;

TEST(steady_clock, never_goes_back) {
  auto& clock = sg::steady_clock();
  auto before = clock.now();
  for (int i = 0; i < 1000; ++i) {
    const auto now = clock.now();
    EXPECT_GE(now, before);
    before = now;
  }
}

TEST(steady_clock, runs_a_timer_that_is_due_on_a_thread_of_its_own) {
  std::latch ran(1);
  std::thread::id on;
  sg::steady_clock().call_at(sg::steady_clock().now(), [&] {
    on = std::this_thread::get_id();
    ran.count_down();
  });
  ran.wait();
  EXPECT_NE(on, std::this_thread::get_id());
}

TEST(steady_clock, runs_timers_in_the_order_of_their_times_and_not_early) {
  auto& clock = sg::steady_clock();
  std::vector<int> order;
  std::latch both(2);
  const auto start = clock.now();
  bool early = false;
  clock.call_at(start + 2ms, [&] {
    order.push_back(2);
    early = early || clock.now() < start + 2ms;
    both.count_down();
  });
  clock.call_at(start + 1ms, [&] {
    order.push_back(1);
    early = early || clock.now() < start + 1ms;
    both.count_down();
  });
  both.wait();
  EXPECT_THAT(order, testing::ElementsAre(1, 2));
  EXPECT_FALSE(early);
}

TEST(steady_clock, forgets_a_cancelled_timer) {
  auto& clock = sg::steady_clock();
  std::atomic<bool> ran{false};
  const auto cancelled = clock.call_at(clock.now() + 1h, [&] { ran = true; });
  clock.cancel(cancelled);
  clock.cancel(cancelled);
  std::latch later(1);
  clock.call_at(clock.now(), [&] { later.count_down(); });
  later.wait();
  EXPECT_FALSE(ran);
}

TEST(steady_clock, lets_a_timer_set_another) {
  auto& clock = sg::steady_clock();
  std::latch done(1);
  clock.call_at(clock.now(), [&] { clock.call_at(clock.now(), [&] { done.count_down(); }); });
  done.wait();
}

/// Calls the clock when the last copy goes, as what owns a timer does.
struct cancels_when_it_goes {
  std::shared_ptr<void> held{nullptr, [](void*) { sg::steady_clock().cancel(0); }};
};

TEST(steady_clock, does_not_hold_its_lock_while_an_action_goes) {
  auto& clock = sg::steady_clock();
  std::latch done(1), again(1);
  clock.call_at(clock.now(), [c = cancels_when_it_goes{}, &done] { done.count_down(); });
  done.wait();
  const auto timer = clock.call_at(clock.now() + std::chrono::hours(1), [c = cancels_when_it_goes{}] {});
  clock.cancel(timer);
  clock.call_at(clock.now(), [&] { again.count_down(); });
  again.wait();
}

}  // namespace
