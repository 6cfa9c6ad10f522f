// SPDX-License-Identifier: Apache-2.0
#include "support/executors.hpp"

#include <switchgear/thread_pool.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <latch>
#include <memory>
#include <optional>
#include <stdexcept>
#include <thread>
#include <vector>

namespace {

namespace sg = switchgear;
using executors::gate;

TEST(thread_pool, runs_work_on_another_thread) {
  sg::thread_pool pool;
  std::thread::id where;
  std::latch done(1);
  ASSERT_TRUE(pool.post([&] {
    where = std::this_thread::get_id();
    done.count_down();
  }));
  done.wait();
  EXPECT_NE(where, std::this_thread::get_id());
}

TEST(thread_pool, starts_a_thread_only_when_there_is_work) {
  sg::thread_pool pool({.threads = 4});
  EXPECT_EQ(pool.metrics().threads, 0u);
  std::latch done(1);
  ASSERT_TRUE(pool.post([&] { done.count_down(); }));
  done.wait();
  EXPECT_EQ(pool.metrics().threads, 1u);
}

TEST(thread_pool, runs_as_much_at_a_time_as_it_has_threads) {
  std::latch all_here(3);
  sg::thread_pool pool({.threads = 3, .max_queue = 0});
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(pool.post([&] { all_here.arrive_and_wait(); }));
  all_here.wait();
  EXPECT_EQ(pool.metrics().threads, 3u);
}

TEST(thread_pool, refuses_what_its_queue_cannot_hold) {
  gate end;
  sg::thread_pool pool({.threads = 1, .max_queue = 1});
  std::latch running(1);
  ASSERT_TRUE(pool.post([&] {
    running.count_down();
    end.wait();
  }));
  running.wait();
  EXPECT_TRUE(pool.post([] {}));
  EXPECT_FALSE(pool.post([] {}));
  const sg::thread_pool_metrics m = pool.metrics();
  EXPECT_EQ(m.running, 1u);
  EXPECT_EQ(m.waiting, 1u);
  EXPECT_EQ(m.refused, 1u);
  end.open();
}

TEST(thread_pool, runs_work_in_the_order_in_which_it_came) {
  std::vector<int> order;
  {
    sg::thread_pool pool({.threads = 1});
    for (int i = 0; i < 5; ++i) ASSERT_TRUE(pool.post([&order, i] { order.push_back(i); }));
  }
  EXPECT_THAT(order, testing::ElementsAre(0, 1, 2, 3, 4));
}

TEST(thread_pool, says_at_its_end_that_it_is_closing_and_waits_for_what_runs) {
  std::atomic<bool> asked = false, ended = false;
  {
    std::latch running(1);
    sg::thread_pool pool;
    ASSERT_TRUE(pool.post([&, closing = pool.closing()] {
      gate stop;
      const std::stop_callback on_closing(closing, [&] { stop.open(); });
      running.count_down();
      stop.wait();
      asked = closing.stop_requested();
      ended = true;
    }));
    running.wait();
  }
  EXPECT_TRUE(asked);
  EXPECT_TRUE(ended);
}

TEST(thread_pool, lets_what_waits_run_before_it_ends) {
  std::atomic<int> ran = 0;
  {
    sg::thread_pool pool({.threads = 2, .max_queue = 100});
    for (int i = 0; i < 100; ++i) ASSERT_TRUE(pool.post([&] { ++ran; }));
  }
  EXPECT_EQ(ran, 100);
}

TEST(thread_pool, refuses_work_that_comes_while_it_ends) {
  constexpr std::size_t room = 1'000'000;
  std::atomic<std::size_t> waiting = room;
  {
    gate closing;
    std::optional<sg::thread_pool> pool(std::in_place, sg::thread_pool_options{.threads = 1, .max_queue = room});
    const std::stop_callback on_closing(pool->closing(), [&] { closing.open(); });
    ASSERT_TRUE(pool->post([&, p = &*pool] {
      closing.wait();
      while (p->post([] {})) std::this_thread::yield();  // accepted only until the destructor has the lock
      waiting = p->metrics().waiting;
    }));
    pool.reset();
  }
  EXPECT_LT(waiting, room);
}

TEST(thread_pool, goes_on_after_work_that_throws) {
  std::latch done(1);
  sg::thread_pool pool({.threads = 1});
  ASSERT_TRUE(pool.post([] { throw std::runtime_error("work does not throw"); }));
  ASSERT_TRUE(pool.post([&] { done.count_down(); }));
  done.wait();
}

TEST(thread_pool, lets_go_of_what_work_holds_before_the_next) {
  std::latch done(1);
  std::weak_ptr<int> held;
  bool gone = false;
  {
    sg::thread_pool pool({.threads = 1});
    auto value = std::make_shared<int>(1);
    held = value;
    ASSERT_TRUE(pool.post([v = std::move(value)] {}));
    ASSERT_TRUE(pool.post([&] {
      gone = held.expired();
      done.count_down();
    }));
    done.wait();
  }
  EXPECT_TRUE(gone);
}

TEST(thread_pool, serves_many_threads_at_a_time) {
  std::atomic<int> ran = 0, accepted = 0;
  {
    sg::thread_pool pool({.threads = 2, .max_queue = 8});
    std::vector<std::jthread> posters;
    for (int t = 0; t < 4; ++t) {
      posters.emplace_back([&] {
        for (int i = 0; i < 200; ++i) accepted += pool.post([&] { ++ran; }) ? 1 : 0;
      });
    }
  }
  EXPECT_EQ(ran, accepted);
}

TEST(thread_pool, names_every_problem_of_its_options) {
  const auto problems = sg::thread_pool_options{.name = "", .threads = 0, .max_queue = 1'000'001}.validate();
  EXPECT_EQ(problems.size(), 3u);
  EXPECT_THROW(sg::thread_pool({.threads = 0}), sg::config_error);
}

TEST(executor_full_error, says_who_wanted_what_of_whom) {
  const executors::full busy;
  const sg::executor_full_error e("lookup", busy);
  EXPECT_STREQ(e.what(), "lookup: full has no room for more than 3 calls");
  EXPECT_EQ(e.executor_name(), "full");
  EXPECT_EQ(e.capacity(), 3u);
}

TEST(default_executor, is_one_for_the_whole_process) {
  EXPECT_EQ(&sg::default_executor(), &sg::default_executor());
  std::latch done(1);
  ASSERT_TRUE(sg::default_executor().post([&] { done.count_down(); }));
  done.wait();
}

}  // namespace
