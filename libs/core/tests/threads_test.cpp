// SPDX-License-Identifier: Apache-2.0
#include "support/shell.hpp"

#include <atomic>
#include <barrier>

namespace {

using namespace shell;

/// Runs `f(i)` on `n` threads and waits for all.
template <class F>
void on_threads(int n, const F& f) {
  std::vector<std::thread> threads;
  for (int i = 0; i < n; ++i) threads.emplace_back([&f, i] { f(i); });
  for (auto& t : threads) t.join();
}

sg::classifier negative_fails() {
  return sg::classifier{}.fail_if([](const int& v) { return v < 0; });
}

TEST(threads, ten_failures_at_once_open_a_circuit_of_threshold_five_and_all_ten_are_counted) {  // S0-91, S0-92
  small_breaker t(small_with([](auto& c) { c.failure_threshold = 5; }), negative_fails());
  std::barrier inside(10);
  on_threads(10, [&](int) {
    t.breaker.call([&] {
      inside.arrive_and_wait();
      return -1;
    });
  });
  const auto s = t.breaker.snapshot();
  EXPECT_EQ(s.state, sg::state::open);
  EXPECT_EQ(s.metrics.failures, 10u);
  EXPECT_EQ(s.metrics.late_results, 5u);
  EXPECT_EQ(s.metrics.transitions, 1u);
  ASSERT_EQ(s.state_changes.size(), 1u);
  EXPECT_EQ(s.state_changes[0].failure_count, 5u);
}

TEST(threads, do_not_wait_for_each_others_calls) {  // S4-56
  small_breaker t;
  // Each of the 100 calls waits inside until ten are inside: if calls were serialised, none would ever come back.
  std::barrier ten_inside(10);
  on_threads(10, [&](int) {
    for (int i = 0; i < 10; ++i) t.breaker.call([&] { ten_inside.arrive_and_wait(); });
  });
  EXPECT_EQ(t.metrics().successes, 100u);
  EXPECT_EQ(t.metrics().total_calls(), 100u);
}

TEST(threads, can_do_anything_with_a_breaker_while_a_call_is_inside) {  // traps 25, 27
  small_breaker t;
  t.breaker.call([&] {
    std::thread([&] {
      t.breaker.call([] {});
      EXPECT_EQ(t.breaker.snapshot().metrics.successes, 1u);
      EXPECT_TRUE(t.breaker.reconfigure([](sg::config& c) { c.success_threshold = 2; }).empty());
      t.breaker.force_open("maintenance", "alice");
      t.breaker.release();
      t.breaker.trip();
      t.breaker.reset();
      (void)t.breaker.history();
      (void)t.breaker.save();
      const event_recorder recorder(t.breaker);
    }).join();
  });
  EXPECT_EQ(t.metrics().successes, 2u);
}

TEST(threads, can_do_anything_with_a_breaker_while_a_classifier_runs) {
  sg::circuit_breaker* breaker = nullptr;
  small_breaker t(small_config(), sg::classifier{}.fail_if([&](const int&) {
    std::thread([&] {
      EXPECT_EQ(breaker->snapshot().metrics.total_calls(), 0u);
      breaker->reset();
    }).join();
    return false;
  }));
  breaker = &t.breaker;
  t.breaker.call([] { return 1; });
  EXPECT_EQ(t.metrics().late_results, 1u);
}

TEST(threads, take_statistics_while_calls_run) {  // trap 27
  small_breaker t(small_with([](auto& c) { c.failure_threshold = 1'000'000; }), negative_fails());
  std::atomic<bool> done{false};
  std::thread watcher([&] {
    std::uint64_t before = 0;
    while (!done) {
      const auto s = t.breaker.snapshot();
      EXPECT_GE(s.metrics.total_calls(), before);  // trap 24
      before = s.metrics.total_calls();
      EXPECT_LE(s.window.failures, s.window.calls);
      EXPECT_FALSE(to_json(s).empty());
    }
  });
  on_threads(4, [&](int) {
    for (int i = 0; i < 2000; ++i) t.breaker.call([&] { return i % 2 == 0 ? 1 : -1; });
  });
  done = true;
  watcher.join();
  EXPECT_EQ(t.metrics().successes, 4000u);
  EXPECT_EQ(t.metrics().failures, 4000u);
}

TEST(threads, are_admitted_to_half_open_up_to_the_limit_and_not_one_more) {  // trap 5
  small_breaker t(small_with([](auto& c) {
    c.half_open_max_calls = 3;
    c.success_threshold = 3;
  }));
  t.half_open();
  std::atomic<int> admitted{0};
  std::barrier asked(8);
  on_threads(8, [&](int) {
    auto permit = t.breaker.try_acquire();
    admitted += permit ? 1 : 0;
    asked.arrive_and_wait();
    permit.success();
  });
  EXPECT_EQ(admitted, 3);
  EXPECT_TRUE(t.breaker.is_closed());
  EXPECT_EQ(t.metrics().rejections, 5u);
  EXPECT_EQ(t.metrics().transitions, 3u);
}

TEST(threads, lose_no_verdict_whatever_happens_meanwhile) {  // S4-56
  small_breaker t(small_with([](auto& c) {
                    c.failure_threshold = 3;
                    c.open_duration = 0s;
                  }),
                  negative_fails());
  std::atomic<std::uint64_t> successes{0}, failures{0}, rejections{0}, ignored{0};
  on_threads(4, [&](int thread) {
    for (int i = 0; i < 1000; ++i) {
      if (i % 97 == 0) t.breaker.reset();
      if (i % 193 == 0) t.breaker.trip();
      auto permit = t.breaker.try_acquire();
      if (!permit) {
        ++rejections;
      } else if ((i + thread) % 3 == 0) {
        permit.failure();
        ++failures;
      } else if ((i + thread) % 5 == 0) {
        permit.ignore();
        ++ignored;
      } else {
        permit.success();
        ++successes;
      }
    }
  });
  const auto m = t.metrics();
  EXPECT_EQ(m.successes, successes);
  EXPECT_EQ(m.failures, failures);
  EXPECT_EQ(m.rejections, rejections);
  EXPECT_EQ(m.ignored, ignored);
  EXPECT_EQ(m.total_calls(), 4000u);
  EXPECT_EQ(t.breaker.snapshot().probes_in_flight, 0u);
}

TEST(threads, may_reconfigure_while_others_call) {
  small_breaker t(small_with([](auto& c) { c.failure_threshold = 1000; }));
  std::atomic<bool> done{false};
  std::thread operator_thread([&] {
    for (int i = 0; !done; ++i) {
      EXPECT_TRUE(t.breaker.reconfigure([&](sg::config& c) { c.window = sg::calls(10 + i % 50); }).empty());
    }
  });
  on_threads(3, [&](int) {
    for (int i = 0; i < 300; ++i) {
      succeed_times(t.breaker, 2);
      fail_times(t.breaker, 1);
    }
  });
  done = true;
  operator_thread.join();
  EXPECT_EQ(t.metrics().successes, 1800u);
  EXPECT_EQ(t.metrics().failures, 900u);
}

}  // namespace
