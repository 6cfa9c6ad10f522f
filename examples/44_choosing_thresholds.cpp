// SPDX-License-Identifier: Apache-2.0
//
// What each rule notices, and how soon: the same outages before circuits with different rules.
#include "check.hpp"

#include <switchgear/circuit_breaker.hpp>
#include <switchgear/testing/manual_clock.hpp>

#include <functional>
#include <string>

namespace sg = switchgear;
using namespace std::chrono_literals;

/// A service that is asked every `each`: after `healthy` good calls its calls go as `fails` says of their number. Returns how
/// many of these it took to open the circuit; 0: 1,000 did not.
int calls_until_open(const sg::config& c, std::chrono::nanoseconds each, int healthy, const std::function<bool(int)>& fails) {
  sg::testing::manual_clock clock;
  sg::circuit_breaker service{"service", c, clock};
  for (int i = 0; i < healthy; ++i, clock.advance(each)) service.try_acquire().success();
  for (int i = 1; i <= 1'000; ++i, clock.advance(each)) {
    fails(i) ? service.try_acquire().failure() : service.try_acquire().success();
    if (service.is_open()) return i;
  }
  return 0;
}

int main() {
  const auto down = [](int) { return true; };
  const auto every_third = [](int i) { return i % 3 == 0; };

  // [low]
  const sg::config nightly{.failure_threshold = 3, .open_duration = 15min};  // asked six times an hour
  const sg::config by_rate{.failure_threshold = 0, .window = sg::calls(100), .failure_rate_threshold = 0.5};
  // [/low]
  expect(calls_until_open(nightly, 10min, 200, down) == 3);   // half an hour
  expect(calls_until_open(by_rate, 10min, 200, down) == 50);  // more than eight hours

  // [high]
  const sg::config in_a_row{.failure_threshold = 5};
  const sg::config busy{.failure_threshold = 20,             // what is down altogether, at once
                        .window = sg::last(10s),
                        .minimum_calls = 100,
                        .failure_rate_threshold = 0.25,      // what is down in part
                        .open_duration = 5s};
  // [/high]
  // 100 calls a second. One of three servers is gone: never five in a row.
  expect(calls_until_open(in_a_row, 10ms, 5'000, every_third) == 0);
  const int noticed = calls_until_open(busy, 10ms, 5'000, every_third);
  std::cout << "a third fails: noticed after " << noticed << " calls\n";
  expect(noticed == 701);
  expect(calls_until_open(busy, 10ms, 5'000, down) == 20);  // a fifth of a second

  // [slow]
  sg::testing::manual_clock clock;
  const sg::config patient{
      .window = sg::last(30s), .minimum_calls = 20, .slow_call_duration = 2s, .slow_call_rate_threshold = 0.5};
  sg::circuit_breaker search{"search", patient, clock};
  for (int i = 0; i < 40 && search.is_closed(); ++i) {
    (void)search.call([&] { return clock.advance(i % 2 == 0 ? 2s : 100ms), "hits"; });  // every other call takes two seconds
  }
  // [/slow]
  std::cout << search.history().back().reason << "\n";
  expect(search.snapshot().metrics.failures == 0 && search.snapshot().metrics.slow_calls == 10);
}
