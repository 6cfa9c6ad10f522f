// SPDX-License-Identifier: Apache-2.0
//
// What docs/migration.md shows for Resilience4j, Polly and gobreaker: their defaults, spelled out, and their usual combination.
#include "check.hpp"

#include <switchgear/bulkhead.hpp>
#include <switchgear/guard.hpp>
#include <switchgear/pipeline.hpp>
#include <switchgear/registry.hpp>
#include <switchgear/retry.hpp>
#include <switchgear/testing/breakers.hpp>
#include <switchgear/testing/skipping_clock.hpp>
#include <switchgear/timeout.hpp>

#include <iostream>
#include <stdexcept>
#include <string>

namespace sg = switchgear;
using namespace std::chrono_literals;

struct business_error : std::runtime_error {
  using std::runtime_error::runtime_error;
};

int main() {
  sg::testing::skipping_clock clock;
  sg::registry circuits{{.environment = sg::variables{}}, clock};
  const auto fetch = [] { return std::string("a page"); };

  // [resilience]
  const sg::config r4j{.failure_threshold = 0, .window = sg::calls(100), .minimum_calls = 100, .failure_rate_threshold = 0.5,
                       .slow_call_duration = 60s, .slow_call_rate_threshold = 1.0, .open_duration = 60s,
                       .half_open_max_calls = 10, .success_threshold = 10};
  auto backend = circuits.get("backendA", r4j, sg::classifier{}.ignore<business_error>());
  const auto decorated = sg::pipeline(sg::retry({.max_attempts = 3, .backoff = sg::constant(500ms)}, clock),
                                      sg::guard(backend), sg::bulkhead({.max_concurrent = 25}));
  std::cout << decorated(fetch) << "\n";
  // [/resilience]
  for (int i = 0; i < 99; ++i) backend->try_acquire().failure();
  std::cout << backend->state() << ": " << backend->history().back().reason << "\n";

  // [polly]
  const sg::config polly{.failure_threshold = 0, .window = sg::last(30s), .minimum_calls = 100, .failure_rate_threshold = 0.1,
                         .open_duration = 5s, .half_open_max_calls = 1, .success_threshold = 1};
  sg::circuit_breaker breaker{"downstream", polly, clock};
  const auto pipeline = sg::pipeline(sg::retry({.max_attempts = 4, .backoff = sg::constant(2s)}, clock),  // 3 retries there
                                     sg::guard(breaker), sg::timeout(30s, clock));
  std::cout << pipeline(fetch) << "\n";
  breaker.force_open("maintenance", "ops");  // IsolateAsync
  breaker.reset();                           // CloseAsync
  // [/polly]
  sg::testing::succeed_times(breaker, 90);
  sg::testing::fail_times(breaker, 10);
  std::cout << breaker.state() << ": " << breaker.history().back().reason << "\n";

  // [gobreaker]
  sg::circuit_breaker cb{"HTTP GET", {.failure_threshold = 6, .open_duration = 60s, .half_open_max_calls = 1,
                                      .success_threshold = 1}, clock};  // Settings{}: more than 5 in a row
  auto changed = cb.observe([](const sg::event& e) { std::cout << e.previous_state << " > " << e.state << "\n"; },
                            sg::event_filter::transitions);
  const auto body = cb.try_call(fetch);
  if (body.rejected() && body.rejection()->reason == sg::rejection_reason::half_open_limit) return 2;  // ErrTooManyRequests
  if (body.rejected()) return 1;                                                                       // ErrOpenState
  // [/gobreaker]
  sg::testing::fail_times(cb, 5);
  expect(cb.is_closed());
  sg::testing::fail_times(cb, 1);
  sg::drain_events();
}
