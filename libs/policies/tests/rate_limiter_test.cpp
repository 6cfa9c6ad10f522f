// SPDX-License-Identifier: Apache-2.0
#include <switchgear/circuit_breaker.hpp>
#include <switchgear/rate_limiter.hpp>
#include <switchgear/testing/manual_clock.hpp>
#include <switchgear/testing/skipping_clock.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

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
using reservation = sg::rate_limiter::reservation;
using sg::testing::manual_clock;
using sg::testing::skipping_clock;
using std::chrono::nanoseconds;
using testing::ElementsAre;
using testing::IsEmpty;

std::vector<std::string> keys(const sg::rate_limiter_options& o) {
  std::vector<std::string> out;
  for (const sg::problem& p : o.validate()) out.push_back(p.key);
  return out;
}

/// How many calls are let through in [0, end) when a caller always comes as soon as it has been told to.
std::int64_t eager_calls(const sg::rate_limiter& r, nanoseconds end) {
  std::int64_t count = 0;
  for (nanoseconds now{0}; now < end;) {
    const reservation turn = r.reserve(now, 0ns);
    if (turn.granted) {
      ++count;
    } else {
      EXPECT_GT(turn.wait, 0ns);
      now += turn.wait;
    }
  }
  return count;
}

TEST(rate_limiter, returns_what_the_function_returns) {
  const sg::rate_limiter r;
  EXPECT_EQ(r.call([](int x) { return x + 1; }, 41), 42);
  EXPECT_EQ(*r.call([] { return std::make_unique<int>(7); }), 7);
  EXPECT_TRUE(r.call([] { return std::atomic<bool>(true); }));  // cannot even be moved
  int value = 0;
  r.call([&] { value = 2; });
  EXPECT_EQ(value, 2);
}

TEST(rate_limiter, lets_a_burst_through_then_the_rate) {
  manual_clock clock;
  const sg::rate_limiter r{{.permits = 10, .per = 1s, .burst = 3}, clock};
  const auto passes = [&] { return r.reserve().granted; };
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(passes()) << i;
  EXPECT_FALSE(passes());
  clock.advance(100ms - 1ns);
  EXPECT_FALSE(passes());
  clock.advance(1ns);
  EXPECT_TRUE(passes());
  EXPECT_FALSE(passes());
}

TEST(rate_limiter, the_burst_is_one_period_unless_said) {
  manual_clock clock;
  const sg::rate_limiter r{{.permits = 5, .per = 1s}, clock};
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(r.reserve().granted);
  EXPECT_FALSE(r.reserve().granted);
}

TEST(rate_limiter, a_burst_of_one_is_smooth) {
  manual_clock clock;
  const sg::rate_limiter r{{.permits = 10, .per = 1s, .burst = 1}, clock};
  EXPECT_TRUE(r.reserve().granted);
  EXPECT_FALSE(r.reserve().granted);
  clock.advance(1h);  // a rest saves nothing up
  EXPECT_TRUE(r.reserve().granted);
  EXPECT_FALSE(r.reserve().granted);
}

TEST(rate_limiter, fills_up_to_the_burst_and_no_further) {
  manual_clock clock(1000h);
  const sg::rate_limiter r{{.permits = 10, .per = 1s, .burst = 3}, clock};
  EXPECT_EQ(r.available(), 3);
  (void)r.reserve();
  (void)r.reserve();
  EXPECT_EQ(r.available(), 1);
  clock.advance(100ms);
  EXPECT_EQ(r.available(), 2);
  clock.advance(1000h);
  EXPECT_EQ(r.available(), 3);
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(r.reserve().granted);
  EXPECT_EQ(r.available(), 0);
  EXPECT_FALSE(r.reserve().granted);
}

TEST(rate_limiter, rejects_with_the_exact_time_to_come_back) {
  manual_clock clock;
  const sg::rate_limiter r{{.name = "search", .permits = 3, .per = 1s, .burst = 1}, clock};
  r.call([] {});
  bool ran = false;
  try {
    r.call([&] { ran = true; });
    FAIL() << "was let through";
  } catch (const sg::rate_limited_error& e) {
    EXPECT_EQ(e.name(), "search");
    EXPECT_EQ(e.limit(), "3 per 1s");
    ASSERT_EQ(e.retry_after(), 333'333'334ns);
    EXPECT_STREQ(e.what(), "rate limit search of 3 per 1s reached: retry after 333333334ns");
    clock.advance(*e.retry_after() - 1ns);
    EXPECT_THROW(r.call([&] { ran = true; }), sg::rate_limited_error);
    clock.advance(1ns);
  }
  EXPECT_FALSE(ran);
  EXPECT_NO_THROW(r.call([] {}));
}

TEST(rate_limiter, three_per_second_are_three_million_in_a_million_seconds) {
  manual_clock clock;
  const sg::rate_limiter smooth{{.permits = 3, .per = 1s, .burst = 1}, clock};
  EXPECT_EQ(eager_calls(smooth, 1'000'000s), 3'000'000);
  const sg::rate_limiter bucket{{.permits = 3, .per = 1s}, clock};
  EXPECT_EQ(eager_calls(bucket, 100'000s), 300'000 + 2);
}

TEST(rate_limiter, the_whole_burst_is_there_whatever_the_tick_one_comes_with) {
  for (int i = 0; i < 50; ++i) {
    manual_clock clock;
    const sg::rate_limiter r{{.permits = 7, .per = 50ns, .burst = 5}, clock};
    clock.advance(std::chrono::nanoseconds(1000 + i));
    EXPECT_EQ(r.available(), 5);
    for (int n = 0; n < 5; ++n) EXPECT_TRUE(r.reserve().granted) << i;
    EXPECT_EQ(r.available(), 0);
    EXPECT_FALSE(r.reserve().granted) << i;
  }
}

TEST(rate_limiter, no_rate_drifts_however_awkward) {
  struct {
    std::int64_t permits;
    nanoseconds per;
    nanoseconds end;
    std::int64_t expected;
  } const cases[] = {
      {3'000'000, 1s, 100ms, 300'000},
      {999'999'937, 1s, 1ms, 999'999},       // call number k comes at ⌈k / 0.999999937⌉ ns
      {7, 1s, 100'000s, 700'000},
      {999'983, 24h, 24h, 999'983},          // a prime
      {1'000'000'000, 1s, 100us, 100'000},   // one per nanosecond
      {2, 3ns, 300'000ns, 200'000},
      {1, 24h, 24h * 3000, 3000},
  };
  for (const auto& c : cases) {
    manual_clock clock;
    const sg::rate_limiter r{{.permits = c.permits, .per = c.per, .burst = 1}, clock};
    EXPECT_EQ(eager_calls(r, c.end), c.expected) << c.permits << " per " << c.per.count() << " ns";
  }
}

TEST(rate_limiter, works_far_from_the_zero_of_its_clock) {
  const nanoseconds far = nanoseconds::max() - 1000s;
  for (const nanoseconds start : {-far, far}) {
    manual_clock clock(start);
    const sg::rate_limiter r{{.permits = 3, .per = 1s, .burst = 1}, clock};
    EXPECT_TRUE(r.reserve().granted);
    EXPECT_EQ(r.reserve().wait, 333'333'334ns);
    clock.advance(333'333'334ns);
    EXPECT_TRUE(r.reserve().granted);
  }
}

TEST(rate_limiter, is_exact_after_a_century) {
  manual_clock clock;
  const sg::rate_limiter r{{.permits = 3, .per = 1s, .burst = 2}, clock};
  const nanoseconds century = 24h * 36500;
  for (int i = 0; i < 2; ++i) EXPECT_TRUE(r.reserve(century, 0ns).granted);
  EXPECT_EQ(r.reserve(century, 0ns).wait, 333'333'334ns);
  EXPECT_TRUE(r.reserve(century + 333'333'334ns, 0ns).granted);
  EXPECT_EQ(r.reserve(century + 333'333'334ns, 0ns).wait, 333'333'333ns);
}

TEST(rate_limiter, a_time_before_it_was_made_is_that_moment) {
  manual_clock clock(10s);
  const sg::rate_limiter r{{.permits = 1, .per = 1s}, clock};
  EXPECT_TRUE(r.reserve(5s, 0ns).granted);
  EXPECT_EQ(r.reserve(5s, 0ns).wait, 1s);
}

TEST(rate_limiter, hands_out_turns_up_to_max_wait_ahead) {
  manual_clock clock;
  const sg::rate_limiter r{{.permits = 10, .per = 1s, .burst = 1, .max_wait = 250ms}, clock};
  EXPECT_EQ(r.reserve().wait, 0ms);
  EXPECT_EQ(r.reserve().wait, 100ms);
  EXPECT_EQ(r.reserve().wait, 200ms);
  const reservation refused = r.reserve();
  EXPECT_FALSE(refused.granted);
  EXPECT_EQ(refused.wait, 300ms);
  clock.advance(50ms);
  EXPECT_EQ(r.reserve().wait, 250ms);
  EXPECT_EQ(r.metrics().at_once, 1u);
  EXPECT_EQ(r.metrics().delayed, 3u);
  EXPECT_EQ(r.metrics().rejected, 1u);
}

TEST(rate_limiter, a_call_waits_for_its_turn) {
  skipping_clock clock;
  const sg::rate_limiter r{{.permits = 10, .per = 1s, .burst = 1, .max_wait = 1s}, clock};
  std::vector<nanoseconds> times;
  for (int i = 0; i < 3; ++i) r.call([&] { times.push_back(clock.now()); });
  EXPECT_THAT(times, ElementsAre(0ms, 100ms, 200ms));
  EXPECT_THAT(clock.waits(), ElementsAre(100ms, 100ms));
}

TEST(rate_limiter, waiting_calls_keep_an_awkward_rate_exactly) {
  skipping_clock clock;
  const sg::rate_limiter r{{.permits = 3, .per = 1s, .burst = 1, .max_wait = 1s}, clock};
  for (int i = 0; i < 3000; ++i) r.call([] {});
  EXPECT_EQ(clock.now(), 999'666'666'667ns);  // 2999 thirds of a second
}

TEST(rate_limiter, a_stop_request_during_the_wait_ends_it_and_returns_the_turn) {
  skipping_clock clock;
  const sg::rate_limiter r{{.permits = 1, .per = 1s, .max_wait = 5s}, clock};
  r.call([] {});
  std::stop_source stop;
  clock.on_wait([&](nanoseconds) { stop.request_stop(); });
  bool ran = false;
  EXPECT_THROW(r.call(sg::execution{stop.get_token()}, [&] { ran = true; }), sg::cancelled_error);
  EXPECT_FALSE(ran);
  EXPECT_EQ(r.metrics().cancelled, 1u);
  EXPECT_EQ(r.metrics().lost, 0u);
  // Now it is one second later, and the turn of that second is still there.
  EXPECT_TRUE(r.reserve(clock.now(), 0ns).granted);
}

TEST(rate_limiter, a_blocked_thread_is_woken_by_a_stop_request) {
  manual_clock clock;
  const sg::rate_limiter r{{.permits = 1, .per = 1s, .max_wait = 5s}, clock};
  r.call([] {});
  std::stop_source stop;
  bool cancelled = false;
  std::thread other([&] {
    try {
      r.call(sg::execution{stop.get_token()}, [] {});
    } catch (const sg::cancelled_error&) {
      cancelled = true;
    }
  });
  while (clock.timers() == 0) std::this_thread::yield();
  stop.request_stop();
  other.join();
  EXPECT_TRUE(cancelled);
  EXPECT_EQ(clock.timers(), 0u);
}

TEST(rate_limiter, the_last_turn_can_be_given_back) {
  manual_clock clock;
  const sg::rate_limiter r{{.permits = 10, .per = 1s, .burst = 1, .max_wait = 1s}, clock};
  (void)r.reserve();
  const reservation second = r.reserve();
  const reservation third = r.reserve();
  EXPECT_TRUE(r.give_back(third));
  EXPECT_TRUE(r.give_back(second));
  EXPECT_EQ(r.reserve().wait, 100ms);
  EXPECT_EQ(r.metrics().cancelled, 2u);
}

TEST(rate_limiter, a_turn_with_later_ones_given_out_is_lost) {
  manual_clock clock;
  const sg::rate_limiter r{{.permits = 10, .per = 1s, .burst = 1, .max_wait = 1s}, clock};
  (void)r.reserve();
  const reservation second = r.reserve();
  (void)r.reserve();
  EXPECT_FALSE(r.give_back(second));
  EXPECT_EQ(r.reserve().wait, 300ms);
  EXPECT_EQ(r.metrics().lost, 1u);
}

TEST(rate_limiter, an_exception_of_the_function_passes_and_its_turn_is_used) {
  manual_clock clock;
  const sg::rate_limiter r{{.permits = 1, .per = 1s}, clock};
  EXPECT_THROW(r.call([] { throw std::runtime_error("down"); }), std::runtime_error);
  EXPECT_FALSE(r.reserve().granted);
}

// trap 18: own limits pollute the rate
TEST(rate_limiter, trap_18_its_rejections_are_no_evidence_for_a_breaker_around_it) {
  manual_clock clock;
  const sg::rate_limiter r{{.permits = 1, .per = 1h}, clock};
  sg::circuit_breaker breaker{"search", {.failure_threshold = 2}, clock};
  breaker.call([&] { r.call([] {}); });
  for (int i = 0; i < 10; ++i) EXPECT_THROW(breaker.call([&] { r.call([] {}); }), sg::rate_limited_error);
  EXPECT_EQ(breaker.state(), sg::state::closed);
  EXPECT_EQ(breaker.snapshot().metrics.failures, 0u);
  EXPECT_EQ(breaker.snapshot().metrics.ignored, 10u);
}

TEST(rate_limiter, tells_of_rejections_with_the_time_to_come_back) {
  manual_clock clock;
  const sg::rate_limiter r{{.name = "search", .permits = 1, .per = 1s}, clock};
  std::vector<sg::policy_event> events;
  const sg::subscription s = r.observe([&](const sg::policy_event& e) { events.push_back(e); });
  r.call([] {});
  EXPECT_THROW(r.call(sg::execution{.stop = {}, .context = {.correlation_id = "abc"}}, [] {}), sg::rate_limited_error);
  sg::drain_events();
  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(events[0].kind, sg::policy_event_kind::rejected);
  EXPECT_EQ(events[0].policy, "rate_limiter");
  EXPECT_EQ(events[0].name, "search");
  EXPECT_EQ(events[0].delay, 1s);
  EXPECT_EQ(events[0].correlation_id, "abc");
}

TEST(rate_limiter, copies_share_the_rate) {
  manual_clock clock;
  const sg::rate_limiter r{{.permits = 1, .per = 1s}, clock};
  const sg::rate_limiter copy = r;
  EXPECT_TRUE(r.reserve().granted);
  EXPECT_FALSE(copy.reserve().granted);
}

TEST(rate_limiter, describes_itself) {
  EXPECT_EQ(sg::rate_limiter({.permits = 100, .burst = 10, .max_wait = 200ms}).describe(),
            "rate_limiter(100 per 1s, burst 10, waits up to 200ms)");
  EXPECT_EQ(sg::rate_limiter({.permits = 5, .per = 1min, .burst = 1}).describe(), "rate_limiter(5 per 1m, smooth)");
}

TEST(rate_limiter, reports_every_problem_of_its_options) {
  EXPECT_THAT(keys({}), IsEmpty());
  EXPECT_THAT(keys({.permits = 1'000'000'000, .per = 1s, .burst = 1'000'000'000, .max_wait = 24h}), IsEmpty());
  EXPECT_THAT(keys({.name = "", .permits = 0, .per = 0ns, .burst = 0, .max_wait = -1ns}),
              ElementsAre("name", "permits", "per", "burst", "max_wait"));
  EXPECT_THAT(keys({.permits = 1'000'000'001, .per = 24h + 1ns, .burst = 1'000'000'001, .max_wait = 24h + 1ns}),
              ElementsAre("permits", "per", "burst", "max_wait"));
  EXPECT_THAT(keys({.permits = 2, .per = 1ns}), ElementsAre("permits"));
  EXPECT_THAT(keys({.permits = 1, .per = 24h, .burst = 365}), IsEmpty());
  EXPECT_THAT(keys({.permits = 1, .per = 24h, .burst = 366}), ElementsAre("burst"));
  EXPECT_THROW(sg::rate_limiter({.permits = 0}), sg::config_error);
}

TEST(rate_limiter, threads_together_get_exactly_the_burst) {
  constexpr int threads = 4, calls = 5000, burst = 7777;
  manual_clock clock;
  const sg::rate_limiter r{{.permits = 1, .per = 1s, .burst = burst}, clock};
  std::atomic<int> granted{0};
  std::vector<std::thread> all;
  for (int t = 0; t < threads; ++t) {
    all.emplace_back([&] {
      for (int i = 0; i < calls; ++i) granted += r.reserve().granted ? 1 : 0;
    });
  }
  for (std::thread& t : all) t.join();
  EXPECT_EQ(granted.load(), burst);
  EXPECT_EQ(r.metrics().at_once, static_cast<std::uint64_t>(burst));
  EXPECT_EQ(r.metrics().rejected, static_cast<std::uint64_t>(threads * calls - burst));
}

TEST(rate_limiter, turns_given_back_by_threads_are_neither_lost_twice_nor_made_up) {
  constexpr int threads = 4, rounds = 3000;
  manual_clock clock;
  const sg::rate_limiter r{{.permits = 1, .per = 1ms, .burst = 1, .max_wait = 24h}, clock};
  std::atomic<std::int64_t> kept{0};
  std::vector<std::thread> all;
  for (int t = 0; t < threads; ++t) {
    all.emplace_back([&, t] {
      for (int i = 0; i < rounds; ++i) {
        const reservation turn = r.reserve();
        if ((i + t) % 2 == 0 || !r.give_back(turn)) ++kept;
      }
    });
  }
  for (std::thread& t : all) t.join();
  // Every turn that was kept or lost is one step, and nothing else is.
  EXPECT_EQ(r.reserve().wait, kept.load() * 1ms);
}

}  // namespace
