// SPDX-License-Identifier: Apache-2.0
#include "support/shell.hpp"

#include <switchgear/detail/library_thread.hpp>

#include <algorithm>
#include <barrier>

namespace {

using namespace shell;

TEST(lanes, are_a_power_of_two_between_two_and_eight) {
  const auto n = sg::detail::lane_count();
  EXPECT_THAT(n, testing::AnyOf(2u, 4u, 8u));
}

TEST(lanes, are_left_to_the_threads_of_the_user_by_those_of_the_library) {
  std::thread([] {
    sg::detail::own_no_lane();
    EXPECT_FALSE(sg::detail::this_lane(8).exclusive);
    small_breaker t;
    succeed_times(t.breaker, 3);
    EXPECT_EQ(t.metrics().successes, 3u);
  }).join();
}

TEST(lanes, belong_to_one_thread_each_and_are_shared_beyond) {
  // On a thread of its own, which does not need its true number.
  std::thread([] {
    sg::detail::thread_number = 1;
    EXPECT_TRUE(sg::detail::this_lane(4).exclusive);
    EXPECT_EQ(sg::detail::this_lane(4).lane, 0u);
    sg::detail::thread_number = 4;
    EXPECT_TRUE(sg::detail::this_lane(4).exclusive);
    EXPECT_EQ(sg::detail::this_lane(4).lane, 3u);
    sg::detail::thread_number = 5;
    EXPECT_FALSE(sg::detail::this_lane(4).exclusive);
    EXPECT_LT(sg::detail::this_lane(4).lane, 4u);
  }).join();
}

TEST(lanes, give_threads_that_live_together_different_numbers) {
  std::vector<std::uint32_t> numbers(20);
  std::barrier together(20);
  std::vector<std::thread> threads;
  for (auto& mine : numbers) {
    threads.emplace_back([&] {
      mine = sg::detail::number_this_thread();
      together.arrive_and_wait();
    });
  }
  for (auto& t : threads) t.join();
  std::sort(numbers.begin(), numbers.end());
  EXPECT_EQ(std::adjacent_find(numbers.begin(), numbers.end()), numbers.end());
  EXPECT_GE(numbers.front(), 1u);
}

TEST(lanes, take_numbers_of_ended_threads_up_again) {
  std::uint32_t first = 0, second = 0;
  std::thread([&] { first = sg::detail::number_this_thread(); }).join();
  std::thread([&] { second = sg::detail::number_this_thread(); }).join();
  EXPECT_EQ(first, second);
}

void call_from_threads(sg::circuit_breaker& breaker, std::size_t threads, int calls) {
  std::barrier start(static_cast<std::ptrdiff_t>(threads));
  std::vector<std::thread> running;
  for (std::size_t i = 0; i < threads; ++i) {
    running.emplace_back([&] {
      start.arrive_and_wait();
      for (int k = 0; k < calls; ++k) breaker.call([] {});
    });
  }
  for (auto& t : running) t.join();
}

TEST(lanes, add_up_exactly_with_more_threads_than_lanes) {
  sg::circuit_breaker breaker{"payments", {.window = sg::calls(10)}};
  call_from_threads(breaker, sg::detail::lane_count() + 5, 2000);
  EXPECT_EQ(breaker.snapshot().metrics.successes, (sg::detail::lane_count() + 5) * 2000u);
}

TEST(lanes, lose_no_call_of_a_time_window_with_more_threads_than_lanes) {
  sg::circuit_breaker breaker{"payments", {.window = sg::last(24h)}};
  call_from_threads(breaker, sg::detail::lane_count() + 5, 20'000);
  EXPECT_EQ(breaker.snapshot().window.calls, (sg::detail::lane_count() + 5) * 20'000u);
}

TEST(lanes, add_up_exactly_over_threads_that_come_and_go) {
  sg::circuit_breaker breaker{"payments", {.window = sg::calls(10)}};
  for (int round = 0; round < 10; ++round) call_from_threads(breaker, 6, 100);
  EXPECT_EQ(breaker.snapshot().metrics.successes, 6000u);
}

TEST(lanes, count_rejections_as_exactly) {
  small_breaker t;
  t.open();
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < sg::detail::lane_count() + 5; ++i) {
    threads.emplace_back([&] {
      for (int k = 0; k < 500; ++k) EXPECT_FALSE(t.breaker.try_acquire());
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(t.metrics().rejections, (sg::detail::lane_count() + 5) * 500u);
}

struct calls_when_the_thread_ends {
  sg::circuit_breaker* breaker = nullptr;
  ~calls_when_the_thread_ends() {
    if (breaker != nullptr) breaker->call([] {});
  }
};

TEST(lanes, count_calls_that_a_thread_makes_while_it_ends) {
  sg::circuit_breaker breaker{"payments"};
  std::thread([&] {
    thread_local calls_when_the_thread_ends last;  // made first, so destroyed after the thread's number is given back
    last.breaker = &breaker;
    breaker.call([] {});
  }).join();
  EXPECT_EQ(breaker.snapshot().metrics.successes, 2u);
}

}  // namespace
