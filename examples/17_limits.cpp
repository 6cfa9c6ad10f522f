// SPDX-License-Identifier: Apache-2.0
//
// Three ways to keep too many calls away from a dependency: at a time, per time, and as many as it can work off.
#include "check.hpp"

#include <switchgear/adaptive_limiter.hpp>
#include <switchgear/bulkhead.hpp>
#include <switchgear/guard.hpp>
#include <switchgear/pipeline.hpp>
#include <switchgear/rate_limiter.hpp>
#include <switchgear/testing/manual_clock.hpp>
#include <switchgear/testing/skipping_clock.hpp>

#include <vector>

namespace sg = switchgear;
using namespace std::chrono_literals;

void bulkhead() {
  // [bulkhead]
  const sg::bulkhead reports{{.name = "reports", .max_concurrent = 2}};
  // [/bulkhead]
  sg::circuit_breaker renderer{"renderer"};
  const auto guarded = sg::pipeline(sg::guard(renderer), reports);
  bool rejected = false;
  try {
    guarded([&] { guarded([&] { guarded([] {}); }); });  // three at a time
  } catch (const sg::bulkhead_full_error& e) {
    rejected = e.limit() == 2;
  }
  expect(rejected && reports.metrics().in_use == 0 && reports.metrics().most_in_use == 2);
  expect(renderer.snapshot().metrics.failures == 0);  // a rejection says nothing about the dependency
}

void rate_limiter() {
  sg::testing::manual_clock clock;
  // [rate_limiter]
  const sg::rate_limiter search{{.name = "search", .permits = 10, .per = 1s, .burst = 2}, clock};
  // [/rate_limiter]
  for (int i = 0; i < 2; ++i) expect(search.call([] { return true; }));
  try {
    search.call([] { expect(false); });
  } catch (const sg::rate_limited_error& e) {
    expect(e.retry_after() == 100ms);
  }
  clock.advance(100ms);
  expect(search.available() == 1);

  // With max_wait, calls wait for their turn instead, in the order in which they came.
  sg::testing::skipping_clock waiting;
  const sg::rate_limiter patient{{.permits = 10, .per = 1s, .burst = 1, .max_wait = 1s}, waiting};
  for (int i = 0; i < 4; ++i) expect(patient.call([] { return true; }));
  expect(waiting.waited() == 300ms && patient.metrics().delayed == 3);
}

void adaptive_limiter() {
  sg::testing::manual_clock clock;
  // [adaptive_limiter]
  const sg::adaptive_limiter search{{.name = "search", .initial_limit = 10, .max_limit = 400}, clock};
  // [/adaptive_limiter]
  // A dependency that works on 40 calls at a time, 20 ms each; what exceeds that waits in its queue.
  const auto work = [&](std::chrono::nanoseconds each) {
    for (const auto end = clock.now() + 45s; clock.now() < end;) {
      std::vector<sg::adaptive_limiter::slot> calls;
      while (sg::adaptive_limiter::slot call = search.try_enter(clock.now())) calls.push_back(std::move(call));
      clock.advance(each * ((calls.size() + 39) / 40));
      for (auto& call : calls) call.succeeded(clock.now());
    }
  };
  work(20ms);
  expect(search.limit() >= 40 && search.limit() <= 80);
  expect(search.metrics().normal_latency == 20ms && search.metrics().rejected > 0);
}

int main() {
  bulkhead();
  rate_limiter();
  adaptive_limiter();
}
