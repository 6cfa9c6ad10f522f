// SPDX-License-Identifier: Apache-2.0
#include "shared_fixture.hpp"

#include <csignal>
#include <thread>

namespace switchgear::host::tests {
namespace {

using shared_fork = shared_tests;

TEST_F(shared_fork, gives_the_child_a_place_and_counters_of_its_own_and_the_sums_survive_it) {
  const auto shared = open();
  const auto b = breaker(*shared);
  succeed(*b, 10);
  const auto raw = open_raw();
  const std::uint64_t own = raw->record(0).lanes()[0].successes.load();
  EXPECT_EQ(own, 10u);
  EXPECT_EQ(in_child([&] {
              succeed(*b, 100);
              fail(*b);
              return b->snapshot().metrics.successes == 110 ? 0 : 1;
            }),
            0);
  EXPECT_EQ(raw->record(0).lanes()[0].successes.load(), own);  // the child wrote none of ours
  EXPECT_EQ(b->snapshot().metrics.successes, 110u);
  EXPECT_EQ(b->snapshot().metrics.failures, 1u);
  // The next one in the place goes on where it ended.
  EXPECT_EQ(in_child([&] {
              succeed(*b, 1000);
              return 0;
            }),
            0);
  EXPECT_EQ(b->snapshot().metrics.successes, 1110u);
}

TEST_F(shared_fork, many_workers_that_count_at_once_lose_nothing) {
  const auto shared = open({.max_circuits = 1, .max_processes = 12, .lanes_per_process = 2});
  const auto b = breaker(*shared, "payments", {.failure_threshold = 1'000'000});
  std::vector<pid_t> children;
  for (int i = 0; i < 8; ++i) {
    const pid_t child = ::fork();
    if (child == 0) {
      for (int k = 0; k < 5000; ++k) k % 10 == 0 ? fail(*b) : succeed(*b);
      ::_exit(0);
    }
    children.push_back(child);
  }
  for (int k = 0; k < 5000; ++k) succeed(*b);
  for (const pid_t child : children) {
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0);
  }
  EXPECT_EQ(b->snapshot().metrics.successes, 8u * 4500 + 5000);
  EXPECT_EQ(b->snapshot().metrics.failures, 8u * 500);
}

TEST_F(shared_fork, a_child_decides_with_its_parent) {
  const auto shared = open();
  const auto b = breaker(*shared);
  fail(*b);
  EXPECT_EQ(in_child([&] {
              fail(*b);
              return b->is_open() ? 0 : 1;
            }),
            0);
  EXPECT_TRUE(b->is_open());
  EXPECT_EQ(in_child([&] {
              const auto more = breaker(*shared, "made by the child");
              return b->reconfigure([](config& c) { c.open_duration = 1s; }).empty() ? 0 : 1;
            }),
            0);
  EXPECT_EQ(b->snapshot().retry_after, 10s);  // the end of a running period stays
  EXPECT_FALSE(b->try_acquire());
  EXPECT_EQ(b->configuration().open_duration, 1s);
  EXPECT_EQ(shared->names().size(), 2u);
}

TEST_F(shared_fork, a_child_for_which_there_is_no_place_counts_with_the_others_and_keeps_the_place_of_its_parent) {
  const auto shared = open({.max_circuits = 2, .max_processes = 1, .lanes_per_process = 2});
  const auto b = breaker(*shared);
  EXPECT_EQ(in_child([&] {
              succeed(*b, 50);
              breaker(*shared, "by the child");
              return shared->processes() == 1 ? 0 : 1;
            }),
            0);
  succeed(*b, 5);
  EXPECT_EQ(b->snapshot().metrics.successes, 55u);
  EXPECT_EQ(shared->names().size(), 2u);
}

TEST_F(shared_fork, the_place_of_a_killed_process_is_free_at_once) {
  const auto one = open({.max_circuits = 1, .max_processes = 2, .lanes_per_process = 1});
  for (int i = 0; i < 5; ++i) {
    int ready[2];
    ASSERT_EQ(::pipe(ready), 0);
    const pid_t child = ::fork();
    if (child == 0) {
      (void)!::write(ready[1], "x", 1);
      for (;;) ::pause();
    }
    char c = 0;
    ASSERT_EQ(::read(ready[0], &c, 1), 1);
    EXPECT_EQ(one->processes(), 2u);
    EXPECT_THROW(open(), state_error);
    ::kill(child, SIGKILL);
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_EQ(one->processes(), 1u);
    ::close(ready[0]);
    ::close(ready[1]);
  }
}

TEST_F(shared_fork, while_other_threads_call_and_make_circuits_leaves_parent_and_child_whole) {
  if (under_sanitizer) GTEST_SKIP() << "forks while other threads allocate";
  const auto shared = open({.max_circuits = 8, .max_processes = 8, .lanes_per_process = 2});
  const auto b = breaker(*shared, "payments", {.failure_threshold = 1'000'000});
  std::atomic<bool> end{false};
  std::thread caller([&] {
    while (!end) succeed(*b);
  });
  std::thread maker([&] {
    for (int i = 0; !end; ++i) {
      const std::string name = "c" + std::to_string(i % 4);
      try {
        breaker(*shared, name);
        shared->remove(name);
      } catch (const state_error& e) {
        // A child that was forked just then has the circuit of before.
        if (e.what_kind() != state_error::kind::busy && e.what_kind() != state_error::kind::full) throw;
      }
    }
  });
  for (int i = 0; i < 30; ++i) {
    EXPECT_EQ(in_child([&] {
                succeed(*b, 10);
                breaker(*shared, "child");
                return 0;
              }),
              0);
  }
  end = true;
  caller.join();
  maker.join();
  EXPECT_EQ(shared->names().back(), "payments");
}

}  // namespace
}  // namespace switchgear::host::tests
