// SPDX-License-Identifier: Apache-2.0
// What holds for any options and any order of events, drawn at random: the bulkhead against a plain queue, the rate limiter
// against its promise.
#include <switchgear/bulkhead.hpp>
#include <switchgear/rate_limiter.hpp>
#include <switchgear/testing/manual_clock.hpp>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <deque>
#include <memory>
#include <utility>
#include <vector>

namespace {

namespace sg = switchgear;
using std::chrono::nanoseconds;
__extension__ using wide = __int128;

struct numbered_waiter : sg::bulkhead::waiter {
  numbered_waiter(int n, std::vector<int>& grants) : number(n), granted_to(grants) {}
  void granted(sg::bulkhead::slot place) noexcept override {
    held = std::move(place);
    granted_to.push_back(number);
  }
  int number;
  std::vector<int>& granted_to;
  sg::bulkhead::slot held;
};

/// What a bulkhead is, in words that anybody can check.
struct plain_bulkhead {
  std::size_t limit, room;
  std::vector<int> inside{};
  std::deque<int> queue{};
  std::vector<int> granted{};

  sg::bulkhead::outcome enter(int who) {
    if (inside.size() < limit) {
      inside.push_back(who);
      return sg::bulkhead::outcome::granted;
    }
    if (queue.size() >= room) return sg::bulkhead::outcome::full;
    queue.push_back(who);
    return sg::bulkhead::outcome::queued;
  }
  void leave(std::size_t i) {
    inside.erase(inside.begin() + static_cast<std::ptrdiff_t>(i));
    if (queue.empty()) return;
    inside.push_back(queue.front());
    granted.push_back(queue.front());
    queue.pop_front();
  }
};

RC_GTEST_PROP(bulkhead_properties, does_what_a_plain_queue_does, ()) {
  const int limit = *rc::gen::inRange(1, 5);
  const int room = *rc::gen::inRange(0, 5);
  const sg::bulkhead b({.max_concurrent = limit, .max_queue = room});
  plain_bulkhead expected{static_cast<std::size_t>(limit), static_cast<std::size_t>(room)};
  std::vector<int> granted;
  std::vector<std::unique_ptr<numbered_waiter>> callers;
  const auto steps = *rc::gen::container<std::vector<std::pair<int, unsigned>>>(
      rc::gen::pair(rc::gen::inRange(0, 8), rc::gen::inRange(0u, 1000u)));

  for (const auto& [verb, which] : steps) {
    const int who = static_cast<int>(callers.size());
    if (verb < 4) {
      callers.push_back(std::make_unique<numbered_waiter>(who, granted));
      sg::bulkhead::entry got = b.enter(*callers.back());
      RC_ASSERT(got.is == expected.enter(who));
      RC_ASSERT(static_cast<bool>(got.place) == (got.is == sg::bulkhead::outcome::granted));
      callers.back()->held = std::move(got.place);
    } else if (verb < 6) {
      if (expected.inside.empty()) continue;
      const std::size_t i = which % expected.inside.size();
      const int leaver = expected.inside[i];
      expected.leave(i);
      callers[static_cast<std::size_t>(leaver)]->held.give_back();
    } else if (verb == 6) {
      if (callers.empty()) continue;
      const int leaver = static_cast<int>(which % callers.size());
      const auto found = std::find(expected.queue.begin(), expected.queue.end(), leaver);
      const bool was_queued = found != expected.queue.end();
      if (was_queued) expected.queue.erase(found);
      RC_ASSERT(b.withdraw(*callers[static_cast<std::size_t>(leaver)], sg::bulkhead::withdrawal::cancelled) == was_queued);
    } else {
      // Somebody who does not want to wait.
      sg::bulkhead::slot place = b.try_enter();
      const bool is_free = expected.inside.size() < expected.limit;
      RC_ASSERT(static_cast<bool>(place) == is_free);
    }
    RC_ASSERT(granted == expected.granted);
    const sg::bulkhead_metrics m = b.metrics();
    RC_ASSERT(m.in_use == static_cast<std::int64_t>(expected.inside.size()));
    RC_ASSERT(m.queued == static_cast<std::int64_t>(expected.queue.size()));
  }
  while (!expected.inside.empty()) {
    const int leaver = expected.inside.front();
    expected.leave(0);
    callers[static_cast<std::size_t>(leaver)]->held.give_back();
  }
  RC_ASSERT(granted == expected.granted);
  RC_ASSERT(b.metrics().in_use == 0);
  RC_ASSERT(b.metrics().queued == 0);
}

struct any_rate {
  std::int64_t permits = 1;
  nanoseconds per{1};
  std::int64_t burst = 1;
};

any_rate draw_rate() {
  any_rate r;
  r.per = nanoseconds(*rc::gen::oneOf(rc::gen::inRange<std::int64_t>(1, 50), rc::gen::inRange<std::int64_t>(1, 2'000'000'000),
                                      rc::gen::element<std::int64_t>(1'000'000'000, 60'000'000'000, 86'400'000'000'000)));
  const std::int64_t most = std::min<std::int64_t>(r.per.count(), 1'000'000'000);
  r.permits = *rc::gen::oneOf(rc::gen::inRange<std::int64_t>(1, std::min<std::int64_t>(most, 20) + 1),
                              rc::gen::inRange<std::int64_t>(1, most + 1));
  r.burst = *rc::gen::inRange<std::int64_t>(1, 8);
  return r;
}

/// Steps of time around those that matter: the time between two calls.
nanoseconds draw_step(const any_rate& r) {
  const std::int64_t between = r.per.count() / r.permits;
  return nanoseconds(*rc::gen::oneOf(rc::gen::just<std::int64_t>(0), rc::gen::inRange<std::int64_t>(0, 3),
                                     rc::gen::inRange<std::int64_t>(std::max<std::int64_t>(0, between - 2), between + 3),
                                     rc::gen::inRange<std::int64_t>(0, 4 * between + 2)));
}

RC_GTEST_PROP(rate_limiter_properties, never_admits_more_than_burst_and_rate_in_any_interval, ()) {
  const any_rate rate = draw_rate();
  sg::testing::manual_clock source;
  const sg::rate_limiter r({.permits = rate.permits, .per = rate.per, .burst = rate.burst}, source);
  const auto max_wait = std::min<nanoseconds>(
      std::chrono::hours(24), nanoseconds(*rc::gen::inRange<std::int64_t>(0, 3 * (rate.per.count() / rate.permits) + 2)));
  const int steps = *rc::gen::inRange(1, 60);
  nanoseconds now{0};
  std::vector<nanoseconds> times;  // of the admitted calls, at their turns
  std::vector<sg::rate_limiter::reservation> turns;
  for (int i = 0; i < steps; ++i) {
    now += draw_step(rate);
    const auto turn = r.reserve(now, max_wait);
    RC_ASSERT(turn.wait >= nanoseconds(0));
    if (!turn.granted) {
      RC_ASSERT(turn.wait > max_wait);
      continue;
    }
    RC_ASSERT(turn.wait <= max_wait);
    // Some who wait give up at once; a turn that goes back may be given out again.
    if (turn.wait.count() > 0 && *rc::gen::inRange(0, 4) == 0) {
      RC_ASSERT(r.give_back(turn));
      continue;
    }
    times.push_back(now + turn.wait);
  }
  RC_ASSERT(std::is_sorted(times.begin(), times.end()));
  for (std::size_t a = 0; a < times.size(); ++a) {
    for (std::size_t b = a; b < times.size(); ++b) {
      // (count − burst) ≤ t × permits / per, with the last tick as long as it is
      const auto count = static_cast<wide>(b - a + 1);
      const wide t = (times[b] - times[a]).count() + 1;
      RC_ASSERT((count - rate.burst) * rate.per.count() <= t * rate.permits);
      // Where the time between two calls is whole, without that tick.
      if (rate.per.count() % rate.permits == 0) RC_ASSERT((count - rate.burst) * rate.per.count() <= (t - 1) * rate.permits);
    }
  }
}

RC_GTEST_PROP(rate_limiter_properties, whoever_waits_as_long_as_he_is_told_is_let_through_and_not_a_tick_sooner, ()) {
  const any_rate rate = draw_rate();
  sg::testing::manual_clock source;
  const sg::rate_limiter r({.permits = rate.permits, .per = rate.per, .burst = rate.burst}, source);
  nanoseconds now{*rc::gen::inRange<std::int64_t>(0, 1'000'000'000'000'000)};
  for (int i = 0; i < 30; ++i) {
    const auto turn = r.reserve(now, nanoseconds(0));
    if (turn.granted) {
      now += draw_step(rate);
      continue;
    }
    RC_ASSERT(turn.wait > nanoseconds(0));
    RC_ASSERT(!r.reserve(now + turn.wait - nanoseconds(1), nanoseconds(0)).granted);
    now += turn.wait;
    RC_ASSERT(r.reserve(now, nanoseconds(0)).granted);
  }
}

RC_GTEST_PROP(rate_limiter_properties, an_eager_caller_gets_exactly_the_rate, ()) {
  const any_rate rate = draw_rate();
  sg::testing::manual_clock source;
  const sg::rate_limiter r({.permits = rate.permits, .per = rate.per, .burst = rate.burst}, source);
  nanoseconds now{0};
  const int calls = *rc::gen::inRange(10, 300);
  for (int k = 0; k < calls;) {
    const auto turn = r.reserve(now, nanoseconds(0));
    if (!turn.granted) {
      now += turn.wait;
      continue;
    }
    // Call number k beyond the burst comes at ⌈k × per / permits⌉, however many there were.
    const wide late = k - (rate.burst - 1);
    const wide due = late <= 0 ? 0 : (late * rate.per.count() + rate.permits - 1) / rate.permits;
    RC_ASSERT(due == now.count());
    ++k;
  }
}

}  // namespace
