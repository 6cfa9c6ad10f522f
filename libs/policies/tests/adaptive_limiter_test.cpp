// SPDX-License-Identifier: Apache-2.0
#include <switchgear/adaptive_limiter.hpp>
#include <switchgear/circuit_breaker.hpp>
#include <switchgear/testing/manual_clock.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace {

namespace sg = switchgear;
using namespace std::chrono_literals;
using slot = sg::adaptive_limiter::slot;
using sg::testing::manual_clock;
using std::chrono::nanoseconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::vector<std::string> keys(const sg::adaptive_limiter_options& o) {
  std::vector<std::string> out;
  for (const sg::problem& p : o.validate()) out.push_back(p.key);
  return out;
}

/// A limiter with short windows, so that each round of calls is one.
struct setup {
  manual_clock clock;
  sg::adaptive_limiter limiter;
  explicit setup(sg::adaptive_limiter_options o = {.initial_limit = 4, .max_limit = 100, .window = 10ms, .min_samples = 1,
                                            .long_window = 1000})
      : limiter(std::move(o), clock) {}

  /// `concurrent` calls at a time that all take `latency`, `times` times.
  void calls(int concurrent, nanoseconds latency, int times = 1) {
    for (int t = 0; t < times; ++t) {
      std::vector<slot> all;
      for (int i = 0; i < concurrent; ++i) all.push_back(limiter.try_enter(clock.now()));
      clock.advance(latency);
      for (slot& s : all) s.succeeded(clock.now());
    }
  }
};

TEST(adaptive_limiter, returns_what_the_function_returns) {
  const sg::adaptive_limiter l;
  EXPECT_EQ(l.call([](int x) { return x + 1; }, 41), 42);
  EXPECT_EQ(*l.call([] { return std::make_unique<int>(7); }), 7);
  EXPECT_TRUE(l.call([] { return std::atomic<bool>(true); }));  // cannot even be moved
  int value = 0;
  l.call([&] { value = 2; });
  EXPECT_EQ(value, 2);
  EXPECT_EQ(l.metrics().succeeded, 4u);
}

TEST(adaptive_limiter, gives_the_slot_back_after_success_and_exception) {
  manual_clock clock;
  const sg::adaptive_limiter l{{.initial_limit = 1, .min_limit = 1}, clock};
  l.call([&] { EXPECT_EQ(l.metrics().in_flight, 1); });
  EXPECT_EQ(l.metrics().in_flight, 0);
  EXPECT_THROW(l.call([] { throw std::runtime_error("down"); }), std::runtime_error);
  EXPECT_EQ(l.metrics().in_flight, 0);
  EXPECT_EQ(l.metrics().entered, 2u);
}

TEST(adaptive_limiter, rejects_a_call_beyond_the_limit_and_says_so) {
  manual_clock clock;
  const sg::adaptive_limiter l{{.name = "search", .initial_limit = 2}, clock};
  const slot first = l.try_enter(0ns);
  const slot second = l.try_enter(0ns);
  bool ran = false;
  try {
    l.call([&] { ran = true; });
    FAIL() << "was let through";
  } catch (const sg::limit_exceeded_error& e) {
    EXPECT_EQ(e.name(), "search");
    EXPECT_EQ(e.limit(), 2);
    EXPECT_EQ(e.retry_after(), std::nullopt);
    EXPECT_STREQ(e.what(), "adaptive limit of search reached: 2 calls in flight");
  }
  EXPECT_FALSE(ran);
  EXPECT_EQ(l.metrics().rejected, 1u);
}

TEST(adaptive_limiter, a_slot_ends_once_and_goes_back_however_it_ends) {
  manual_clock clock;
  const sg::adaptive_limiter l{{}, clock};
  for (int way = 0; way < 5; ++way) {
    slot s = l.try_enter(0ns);
    slot moved = std::move(s);
    EXPECT_EQ(l.metrics().in_flight, 1);
    if (way == 0) moved.succeeded(1ms);
    if (way == 1) moved.failed(1ms);
    if (way == 2) moved.dropped();
    if (way == 3) moved.ignored();
    if (way == 4) moved = slot();
    EXPECT_FALSE(moved);
    moved.succeeded(1ms);
    moved.dropped();
    EXPECT_EQ(l.metrics().in_flight, 0);
  }
  EXPECT_EQ(l.metrics().succeeded, 1u);
  EXPECT_EQ(l.metrics().dropped, 1u);
  EXPECT_EQ(l.metrics().ignored, 3u);
}

TEST(adaptive_limiter, counts_neither_rejections_from_further_in_nor_cancelled_calls) {
  manual_clock clock;
  const sg::adaptive_limiter l{{}, clock};
  EXPECT_THROW(l.call([] { throw sg::rejected_error("full"); }), sg::rejected_error);
  EXPECT_THROW(l.call([] { throw sg::cancelled_error("stopped"); }), sg::cancelled_error);
  EXPECT_EQ(l.metrics().ignored, 2u);
  EXPECT_EQ(l.metrics().succeeded, 0u);
}

TEST(adaptive_limiter, an_exception_after_a_stop_request_says_nothing_however_long_it_took) {
  setup t;
  t.calls(1, 10ms, 5);
  std::stop_source stop;
  EXPECT_THROW(t.limiter.call(sg::execution{stop.get_token()},
                              [&] {
                                stop.request_stop();
                                t.clock.advance(1h);
                                throw std::runtime_error("gave up when asked to");
                              }),
               std::runtime_error);
  EXPECT_EQ(t.limiter.metrics().ignored, 1u);
  EXPECT_EQ(t.limiter.metrics().succeeded, 5u);
}

TEST(adaptive_limiter, counts_neither_the_loser_of_a_hedge_nor_a_call_that_timed_out_further_out_as_a_success) {
  manual_clock clock;
  const sg::adaptive_limiter l{{}, clock};
  const std::atomic<sg::call_fate> lost{sg::call_fate::lost}, late{sg::call_fate::timed_out};
  l.call(sg::execution{.stop = {}, .context = {}, .fate = &lost}, [] {});
  l.call(sg::execution{.stop = {}, .context = {}, .fate = &late}, [] {});
  EXPECT_THROW(l.call(sg::execution{.stop = {}, .context = {}, .fate = &late}, [] { throw std::runtime_error("late"); }),
               std::runtime_error);
  EXPECT_EQ(l.metrics().ignored, 1u);
  EXPECT_EQ(l.metrics().dropped, 2u);
  EXPECT_EQ(l.metrics().succeeded, 0u);
}

TEST(adaptive_limiter, a_timeout_counts_as_dropped) {
  manual_clock clock;
  const sg::adaptive_limiter l{{}, clock};
  EXPECT_THROW(l.call([] { throw sg::call_timeout_error("slow", 1s); }), sg::call_timeout_error);
  EXPECT_EQ(l.metrics().dropped, 1u);
}

TEST(adaptive_limiter, a_quick_failure_says_nothing_and_a_slow_one_counts) {
  setup t;
  t.calls(1, 10ms, 5);
  const std::uint64_t before = t.limiter.metrics().succeeded;
  const auto fail_after = [&](nanoseconds d) {
    EXPECT_THROW(t.limiter.call([&] {
      t.clock.advance(d);
      throw std::runtime_error("down");
    }),
                 std::runtime_error);
  };
  fail_after(1ms);
  EXPECT_EQ(t.limiter.metrics().succeeded, before);
  EXPECT_EQ(t.limiter.metrics().ignored, 1u);
  EXPECT_EQ(t.limiter.metrics().normal_latency, 10ms);
  fail_after(50ms);
  EXPECT_EQ(t.limiter.metrics().succeeded, before + 1);
}

TEST(adaptive_limiter, grows_while_it_is_used_and_latency_stays) {
  setup t;
  t.calls(4, 10ms, 3);
  EXPECT_GT(t.limiter.limit(), 3);
  for (int i = 0; i < 60; ++i) t.calls(static_cast<int>(t.limiter.limit()), 10ms);
  EXPECT_GT(t.limiter.limit(), 50);
}

TEST(adaptive_limiter, does_not_grow_while_it_is_not_used) {
  setup t;
  t.calls(1, 10ms, 100);
  EXPECT_EQ(t.limiter.limit(), 4);
}

TEST(adaptive_limiter, never_exceeds_max_limit) {
  setup t({.initial_limit = 4, .max_limit = 10, .window = 10ms, .min_samples = 1});
  for (int i = 0; i < 200; ++i) {
    t.calls(static_cast<int>(t.limiter.limit()), 10ms);
    ASSERT_LE(t.limiter.limit(), 10);
  }
  EXPECT_EQ(t.limiter.limit(), 10);
}

TEST(adaptive_limiter, falls_to_min_limit_and_no_further_when_everything_times_out_and_recovers) {
  setup t({.initial_limit = 50, .min_limit = 3, .max_limit = 100, .window = 10ms, .min_samples = 1});
  t.calls(50, 10ms, 3);
  for (int i = 0; i < 100; ++i) {
    std::vector<slot> all;
    for (std::int64_t n = t.limiter.limit(); n > 0; --n) all.push_back(t.limiter.try_enter(t.clock.now()));
    t.clock.advance(10ms);
    for (slot& s : all) s.dropped();
    ASSERT_GE(t.limiter.limit(), 3);
  }
  EXPECT_EQ(t.limiter.limit(), 3);
  for (int i = 0; i < 100; ++i) t.calls(static_cast<int>(t.limiter.limit()), 10ms);
  EXPECT_GT(t.limiter.limit(), 50);
}

TEST(adaptive_limiter, the_normal_latency_falls_fast_and_rises_only_without_load) {
  setup t({.initial_limit = 10, .max_limit = 10, .window = 10ms, .min_samples = 1, .long_window = 1000});
  t.calls(1, 20ms, 3);
  EXPECT_EQ(t.limiter.metrics().normal_latency, 20ms);
  t.calls(1, 10ms, 6);
  EXPECT_LE(t.limiter.metrics().normal_latency, 10'500us);
  const nanoseconds before = t.limiter.metrics().normal_latency;
  t.calls(8, 100ms);
  EXPECT_EQ(t.limiter.metrics().normal_latency, before);
  t.calls(1, 30ms, 60);
  EXPECT_GE(t.limiter.metrics().normal_latency, 29ms);
}

/// At a quarter of its limit, because it measures.
struct measuring : setup {
  measuring() : setup({.initial_limit = 40, .min_limit = 1, .window = 10ms, .min_samples = 5, .long_window = 2}) {
    for (int i = 0; i < 100 && limiter.limit() >= 40; ++i) calls(40, 10ms);
  }
};

TEST(adaptive_limiter, has_its_limit_back_when_all_calls_fail_quickly_while_it_measures) {
  measuring t;
  ASSERT_LT(t.limiter.limit(), 40);
  for (int i = 0; i < 10; ++i) {
    slot s = t.limiter.try_enter(t.clock.now());
    t.clock.advance(5ms);
    s.failed(t.clock.now());
  }
  EXPECT_GE(t.limiter.limit(), 40);
}

TEST(adaptive_limiter, has_its_limit_back_when_it_measures_and_all_calls_are_rejected_further_in) {
  measuring t;
  ASSERT_LT(t.limiter.limit(), 40);
  for (int i = 0; i < 10; ++i) {
    std::vector<slot> all;
    for (int n = 0; n < 40; ++n) all.push_back(t.limiter.try_enter(t.clock.now()));
    t.clock.advance(5ms);
    for (slot& s : all) s.ignored();
  }
  EXPECT_GE(t.limiter.limit(), 40);
}

TEST(adaptive_limiter, a_window_with_too_few_samples_goes_on) {
  setup t({.initial_limit = 10, .window = 10ms, .min_samples = 5});
  t.calls(1, 10ms, 5);
  EXPECT_EQ(t.limiter.metrics().windows, 0u);
  t.calls(1, 10ms, 2);
  EXPECT_EQ(t.limiter.metrics().windows, 1u);
}

// trap 18: own limits pollute the rate
TEST(adaptive_limiter, trap_18_its_rejections_are_no_evidence_for_a_breaker_around_it) {
  manual_clock clock;
  const sg::adaptive_limiter l{{.initial_limit = 1, .min_limit = 1}, clock};
  sg::circuit_breaker breaker{"search", {.failure_threshold = 2}, clock};
  const slot running = l.try_enter(0ns);
  for (int i = 0; i < 10; ++i) EXPECT_THROW(breaker.call([&] { l.call([] {}); }), sg::limit_exceeded_error);
  EXPECT_EQ(breaker.state(), sg::state::closed);
  EXPECT_EQ(breaker.snapshot().metrics.failures, 0u);
  EXPECT_EQ(breaker.snapshot().metrics.ignored, 10u);
}

TEST(adaptive_limiter, tells_of_a_moved_limit_and_of_rejections) {
  setup t({.name = "search", .initial_limit = 4, .max_limit = 100, .window = 10ms, .min_samples = 1});
  std::vector<sg::policy_event> events;
  const sg::subscription s = t.limiter.observe([&](const sg::policy_event& e) { events.push_back(e); });
  t.calls(4, 10ms, 5);
  sg::drain_events();
  ASSERT_FALSE(events.empty());
  EXPECT_EQ(events[0].kind, sg::policy_event_kind::limit_changed);
  EXPECT_EQ(events[0].policy, "adaptive_limiter");
  EXPECT_EQ(events[0].name, "search");
  EXPECT_THAT(events[0].reason, HasSubstr("4 → 5: latency 10ms, normal 10ms"));
  events.clear();
  std::vector<slot> all;
  while (slot more = t.limiter.try_enter(t.clock.now())) all.push_back(std::move(more));
  sg::drain_events();
  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(events[0].kind, sg::policy_event_kind::rejected);
}

TEST(adaptive_limiter, describes_itself) {
  EXPECT_EQ(sg::adaptive_limiter({.max_limit = 400}).describe(), "adaptive_limiter(2 … 400 at a time, tolerance 1.5)");
  EXPECT_EQ(sg::adaptive_limiter({.tolerance = 10}).describe(), "adaptive_limiter(2 … 1000 at a time, tolerance 10)");
}

TEST(adaptive_limiter, reports_every_problem_of_its_options) {
  EXPECT_THAT(keys({}), IsEmpty());
  EXPECT_THAT(keys({.name = "", .initial_limit = 0, .min_limit = 0, .max_limit = 0, .tolerance = 0.9, .smoothing = 0,
                    .window = 0ns, .min_samples = 0, .long_window = 1}),
              ElementsAre("name", "min_limit", "max_limit", "initial_limit", "tolerance", "smoothing", "window", "min_samples",
                          "long_window"));
  EXPECT_THAT(keys({.initial_limit = 30, .max_limit = 20}), ElementsAre("initial_limit"));
  EXPECT_THAT(keys({.initial_limit = 30, .min_limit = 30, .max_limit = 20}), ElementsAre("max_limit"));
  EXPECT_THROW(sg::adaptive_limiter({.min_limit = 0}), sg::config_error);
}

TEST(adaptive_limiter, threads_never_exceed_the_limit_and_everything_is_back_at_the_end) {
  constexpr int threads = 4, calls = 5000, limit = 2;
  manual_clock clock;
  const sg::adaptive_limiter l{{.initial_limit = limit, .min_limit = limit, .max_limit = limit, .window = 1ms}, clock};
  std::atomic<int> inside{0}, most{0};
  std::atomic<std::uint64_t> ran{0}, rejected{0};
  std::vector<std::thread> all;
  for (int t = 0; t < threads; ++t) {
    all.emplace_back([&, t] {
      for (int i = 0; i < calls; ++i) {
        try {
          l.call([&] {
            const int now = ++inside;
            int seen = most.load();
            while (seen < now && !most.compare_exchange_weak(seen, now)) {
            }
            if (t == 0) clock.advance(100us);
            if (i % 16 == 0) std::this_thread::yield();
            --inside;
            ++ran;
            if ((i + t) % 7 == 0) throw std::runtime_error("down");
          });
        } catch (const sg::limit_exceeded_error&) {
          ++rejected;
        } catch (const std::runtime_error&) {
        }
      }
    });
  }
  for (std::thread& t : all) t.join();
  EXPECT_LE(most.load(), limit);
  const sg::adaptive_limiter_metrics m = l.metrics();
  EXPECT_EQ(m.in_flight, 0);
  EXPECT_EQ(m.entered, ran.load());
  EXPECT_EQ(m.rejected, rejected.load());
  EXPECT_EQ(m.succeeded + m.dropped + m.ignored, m.entered);
}

}  // namespace
