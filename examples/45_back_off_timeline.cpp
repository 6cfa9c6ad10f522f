// SPDX-License-Identifier: Apache-2.0
//
// The timeline of docs/state-machine.md: each failed probe doubles the time that the circuit stays open.
#include "check.hpp"

#include <switchgear/circuit_breaker.hpp>
#include <switchgear/testing/breakers.hpp>

#include <vector>

namespace sg = switchgear;
using namespace std::chrono_literals;

int main() {
  sg::testing::manual_clock clock;
  // [configuration]
  const sg::config backing_off{.failure_threshold = 3,
                               .open_duration = 10s,
                               .open_duration_multiplier = 2,
                               .max_open_duration = 60s,
                               .success_threshold = 2};
  // [/configuration]
  sg::circuit_breaker service{"service", backing_off, clock};
  const auto wait = [&] { return *service.snapshot().retry_after; };

  // [timeline]
  sg::testing::fail_times(service, 3);                       // t = 0: opens
  std::vector<std::chrono::nanoseconds> waits{wait()};
  for (int probe = 1; probe <= 4; ++probe) {                 // t = 10, 30, 70, 130: each probe fails
    clock.advance(waits.back());
    sg::testing::fail_times(service, 1);
    waits.push_back(wait());
  }
  expect(waits == std::vector<std::chrono::nanoseconds>{10s, 20s, 40s, 60s, 60s});
  expect(service.history().back().failure_count == 7);       // the rule's three, and four probes

  clock.advance(60s);                                        // t = 190: the service is back
  sg::testing::succeed_times(service, 2);
  expect(service.is_closed());

  clock.advance(5s);                                         // t = 195: too soon, the recovery was none
  sg::testing::fail_times(service, 3);
  expect(wait() == 60s);                                     // 10 s doubled five times, but at most 60 s

  clock.advance(60s);                                        // t = 255: closes again, and stays so for a while
  sg::testing::succeed_times(service, 2);
  clock.advance(10s);
  sg::testing::fail_times(service, 3);                       // t = 265: as long after as open_duration: a new outage
  expect(wait() == 10s);
  // [/timeline]

  // [late]
  service.reset();
  sg::permit early = service.try_acquire();                  // admitted while closed
  sg::testing::fail_times(service, 3);
  expect(service.is_open());
  early.success();                                           // comes when the circuit is open: late
  expect(service.is_open() && wait() == 10s);
  expect(service.snapshot().metrics.late_results == 1);
  // [/late]
  for (const sg::state_change& c : service.history()) {
    std::cout << c.from_state << " > " << c.to_state << ": " << c.reason << "\n";
  }
}
