// SPDX-License-Identifier: Apache-2.0
//
// A configuration of one's own: from nothing, from a preset, with a window, a back-off and rules about exceptions. One that makes
// no sense is refused, with every reason.
#include "check.hpp"

#include <switchgear/circuit_breaker.hpp>
#include <switchgear/testing/breakers.hpp>

#include <stdexcept>
#include <string>

namespace sg = switchgear;
using namespace std::chrono_literals;

struct bad_query : std::invalid_argument {
  using std::invalid_argument::invalid_argument;
};

int main() {
  sg::testing::manual_clock clock;

  // [preset]
  sg::config files = sg::presets::service();  // 5 failures, 30 s open, 2 successes, 15 s a call
  files.call_timeout = 10s;                   // one key is another
  // [/preset]
  expect(files.failure_threshold == 5 && files.open_duration == 30s && files.validate().empty());

  // [rate]
  const sg::config search{.failure_threshold = 0,           // a row of failures says nothing here
                          .window = sg::last(60s),          // but of the last minute's calls,
                          .minimum_calls = 20,              // once there were 20,
                          .failure_rate_threshold = 0.5,    // half must not fail,
                          .slow_call_duration = 2s,         // and no more than 80 %
                          .slow_call_rate_threshold = 0.8,  // may take two seconds
                          .open_duration = 10s,
                          .open_duration_multiplier = 2,    // 10 s, 20 s, 40 s, … while it does not recover,
                          .max_open_duration = 5min,        // but five minutes at most
                          .half_open_max_calls = 3,
                          .success_threshold = 3};
  sg::circuit_breaker index{"search", search, sg::classifier{}.ignore<bad_query>(), clock};
  // [/rate]

  for (int i = 0; i < 100; ++i) (void)index.try_call([] { throw bad_query("no such field"); });  // the caller's fault
  sg::testing::succeed_times(index, 11);
  for (int i = 0; i < 10; ++i) (void)index.try_call([] { throw std::runtime_error("connection reset"); });
  std::cout << index.state() << ", ignored " << index.snapshot().metrics.ignored << "\n";  // 10 of 21: below the half
  (void)index.try_call([] { throw std::runtime_error("connection reset"); });
  std::cout << index.state() << ": " << index.history().back().reason << "\n";

  clock.advance(10s);
  sg::testing::fail_times(index, 1);  // the probe failed: twice as long
  std::cout << "again in " << sg::format_duration(*index.snapshot().retry_after) << "\n";

  // [refused]
  try {
    sg::circuit_breaker broken{"broken", {.failure_threshold = -1, .failure_rate_threshold = 1.5, .jitter = 2}};
  } catch (const sg::config_error& e) {
    for (const sg::problem& p : e.problems()) std::cout << p.key << " = " << p.value << " (allowed: " << p.allowed << ")\n";
  }
  // [/refused]
}
