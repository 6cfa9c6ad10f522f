// SPDX-License-Identifier: Apache-2.0
#include "support.hpp"

#include <switchgear/adaptive_limiter.hpp>
#include <switchgear/bulkhead.hpp>
#include <switchgear/fallback.hpp>
#include <switchgear/guard.hpp>
#include <switchgear/hedge.hpp>
#include <switchgear/pipeline.hpp>
#include <switchgear/rate_limiter.hpp>
#include <switchgear/retry.hpp>
#include <switchgear/timeout.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

// Every call of these scenarios is driven step by step; at step k, for every k, it is cancelled, or the execution context is
// destroyed. Whatever happens, permits, places, turns and timers are all given back, and the handler is called at most once.

namespace {

using namespace tests;

/// Everything a call can hold.
struct station : world {
  sg::circuit_breaker breaker{
      "b", {.failure_threshold = 1000, .open_duration = 1s, .half_open_max_calls = 100, .success_threshold = 100}, clock};
  sg::bulkhead places{{.max_concurrent = 1, .max_queue = 10}, clock};
  sg::bulkhead places_with_limit{{.max_concurrent = 1, .max_queue = 10, .max_wait = 250ms}, clock};
  sg::rate_limiter rate{{.permits = 1, .per = 300ms, .max_wait = 10s}, clock};
  sg::adaptive_limiter adaptive{{}, clock};
  sg::hedge hedge{{.delay = 150ms, .max_hedges = 2}, clock};
  sg::retry retry{{.max_attempts = 3, .backoff = sg::constant(200ms)}, clock};
  ending first, second;
};

struct scenario {
  std::string name;
  std::function<void(station&)> begin;
  bool well = true;  ///< whether the dependency answers well
  remote::manners how = remote::manners::listens;
  bool answers = true;  ///< whether it answers at all
  std::chrono::nanoseconds tick = 100ms;
};

/// One step: the next thing that is ready, else the dependency ends an operation, else time goes on. False when all is over.
bool step(station& s, const scenario& what) {
  s.io->restart();
  if (s.io->poll_one() != 0) return true;
  if (what.answers && s.dependency.end_oldest(what.well)) return true;
  if (s.clock.timers() == 0) return false;
  s.clock.advance(what.tick);
  return true;
}

void expect_all_back(station& s, const std::string& where) {
  const sg::snapshot now = s.breaker.snapshot();
  EXPECT_EQ(now.probes_in_flight, 0u) << where;
  EXPECT_EQ(s.places.metrics().in_use, 0) << where;
  EXPECT_EQ(s.places.metrics().queued, 0) << where;
  EXPECT_EQ(s.places_with_limit.metrics().in_use, 0) << where;
  EXPECT_EQ(s.places_with_limit.metrics().queued, 0) << where;
  EXPECT_EQ(s.adaptive.metrics().in_flight, 0) << where;
  EXPECT_EQ(s.clock.timers(), 0u) << where;
}

/// How many permits the breaker heard of again.
std::uint64_t settled(const sg::circuit_breaker& b) {
  const auto m = b.snapshot().metrics;
  return m.successes + m.failures + m.ignored + m.abandoned;
}

std::vector<scenario> scenarios() {
  using sg::guard;
  using sg::pipeline;
  const auto both = [](auto make) {
    return [make](station& s) {
      s.start_apart(make(s), s.first);
      s.start(make(s), s.second);
    };
  };
  std::vector<scenario> all;
  const auto add = [&](std::string name, auto make, bool well = true, remote::manners how = remote::manners::listens,
                       bool answers = true) {
    all.push_back({std::move(name), both(make), well, how, answers});
  };
  const auto guarded = [](station& s) { return guard(s.breaker); };
  const auto retried = [](station& s) { return pipeline(s.retry, guard(s.breaker)); };
  const auto timed = [](station& s) { return pipeline(sg::timeout(350ms, s.clock), guard(s.breaker)); };
  const auto queued = [](station& s) { return pipeline(s.places, guard(s.breaker)); };
  const auto queued_briefly = [](station& s) { return pipeline(guard(s.breaker), s.places_with_limit); };
  const auto hedged = [](station& s) { return pipeline(s.hedge, guard(s.breaker)); };
  const auto limited = [](station& s) { return pipeline(s.rate, s.adaptive, guard(s.breaker)); };
  const auto everything = [](station& s) {
    return pipeline(sg::fallback(-1, {.only_rejections = true}), sg::timeout(2s, s.clock).total(), s.retry, s.hedge,
                    guard(s.breaker), s.rate, s.places, s.adaptive, sg::timeout(400ms, s.clock).per_attempt());
  };
  add("guard", guarded);
  add("retry, failing", retried, false);
  add("retry, silent", retried, true, remote::manners::stubborn);
  for (const auto how : {remote::manners::listens, remote::manners::stubborn, remote::manners::deaf}) {
    const std::string manners = how == remote::manners::listens ? "" : how == remote::manners::stubborn ? ", stubborn" : ", deaf";
    add("timeout" + manners, timed, true, how, false);
    add("hedge" + manners, hedged, true, how);
    add("hedge, silent" + manners, hedged, true, how, false);
    add("everything" + manners, everything, true, how);
    add("everything, failing" + manners, everything, false, how);
    add("everything, silent" + manners, everything, true, how, false);
  }
  add("timeout in time", timed);
  add("bulkhead", queued);
  add("bulkhead with a limit", queued_briefly);
  add("hedge, failing", hedged, false);
  add("limiters", limited);
  all.push_back({"probe",
                 [](station& s) {
                   s.breaker.trip();
                   s.clock.advance(1s);
                   s.start_apart(pipeline(s.retry, guard(s.breaker), sg::timeout(350ms, s.clock)), s.first);
                   s.start(pipeline(s.retry, guard(s.breaker), sg::timeout(350ms, s.clock)), s.second);
                 },
                 false});
  all.push_back({"coroutine",
                 [](station& s) {
                   asio::co_spawn(
                       *s.io,
                       [&s]() -> asio::awaitable<int> {
                         co_return co_await sg::asio::call(
                             pipeline(s.retry, guard(s.breaker), s.places, sg::timeout(350ms, s.clock)),
                             [&s]() -> asio::awaitable<int> { co_return co_await s.dependency.async_ask(asio::use_awaitable); },
                             asio::use_awaitable);
                       },
                       s.handler(s.second));
                   s.first.times = 1;
                 },
                 false});
  return all;
}

/// Steps until all is over. False when it does not end, which is a mistake of the test.
bool finish(station& s, const scenario& what) {
  for (int k = 0; k < 2000; ++k) {
    if (!step(s, what)) return true;
  }
  return false;
}

/// Ends what is left behind: the dependency answers at last.
void let_the_rest_end(station& s, const scenario& what) {
  while (s.dependency.end_oldest(true)) s.run();
  ASSERT_TRUE(finish(s, what));
}

class steps : public testing::TestWithParam<scenario> {};

TEST_P(steps, undisturbed_everything_goes_back) {
  const scenario& what = GetParam();
  station s;
  s.dependency.how = what.how;
  what.begin(s);
  ASSERT_TRUE(finish(s, what));
  let_the_rest_end(s, what);
  expect_all_back(s, what.name);
  EXPECT_EQ(s.first.times, 1);
  EXPECT_EQ(s.second.times, 1);
}

TEST_P(steps, cancelled_at_every_step_everything_goes_back) {
  const scenario& what = GetParam();
  for (const auto type : {asio::cancellation_type::terminal, asio::cancellation_type::total}) {
    for (int k = 0;; ++k) {
      const std::string where = what.name + ", cancelled at step " + std::to_string(k);
      station s;
      s.dependency.how = what.how;
      what.begin(s);
      bool over = false;
      for (int i = 0; i < k && !over; ++i) over = !step(s, what);
      const bool was_done = s.second.times == 1;
      s.cancel.emit(type);
      ASSERT_TRUE(finish(s, what)) << where;
      let_the_rest_end(s, what);
      expect_all_back(s, where);
      ASSERT_EQ(s.first.times, 1) << where;
      ASSERT_EQ(s.second.times, 1) << where;
      const auto m = s.breaker.snapshot().metrics;
      EXPECT_GE(settled(s.breaker), s.dependency.started()) << where << ": every operation had a permit";
      EXPECT_EQ(m.abandoned, 0u) << where;
      if (what.well && what.how == remote::manners::listens && what.answers) {
        EXPECT_EQ(m.failures, 0u) << where << ": a cancellation is no evidence";
      }
      if (was_done || over) break;
    }
  }
}

TEST_P(steps, destroyed_at_every_step_everything_goes_back) {
  const scenario& what = GetParam();
  for (int k = 0;; ++k) {
    const std::string where = what.name + ", destroyed at step " + std::to_string(k);
    station s;
    s.dependency.how = what.how;
    what.begin(s);
    bool over = false;
    for (int i = 0; i < k && !over; ++i) over = !step(s, what);
    const std::uint64_t in_flight = s.dependency.started() - std::min<std::uint64_t>(settled(s.breaker), s.dependency.started());
    s.io.reset();
    expect_all_back(s, where);
    EXPECT_GE(settled(s.breaker), s.dependency.started()) << where << ": every operation had a permit";
    EXPECT_GE(s.breaker.snapshot().metrics.abandoned, in_flight) << where;
    s.clock.advance(1h);  // whatever the clock still knew of it, it does no harm
    EXPECT_LE(s.first.times, 1) << where;
    EXPECT_LE(s.second.times, 1) << where;
    if (over) break;
  }
}

std::string name_of(const testing::TestParamInfo<scenario>& info) {
  std::string out;
  for (const char c : info.param.name) out += std::isalnum(static_cast<unsigned char>(c)) != 0 ? c : '_';
  return out;
}

INSTANTIATE_TEST_SUITE_P(asio, steps, testing::ValuesIn(scenarios()), name_of);

}  // namespace
