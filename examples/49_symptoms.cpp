// SPDX-License-Identifier: Apache-2.0
//
// What docs/troubleshooting.md tells of, in small: each symptom, how it shows, and what ends it.
#include "check.hpp"

#include <switchgear/registry.hpp>
#include <switchgear/testing/breakers.hpp>

#include <stdexcept>

namespace sg = switchgear;
using namespace std::chrono_literals;

struct bad_request : std::invalid_argument { using invalid_argument::invalid_argument; };

void opens_for_mistakes_of_callers() {
  const auto reject = [] { throw bad_request("no such field"); };
  // [mistakes]
  sg::circuit_breaker strict{"search"}, fair{"search", {}, sg::classifier{}.ignore<bad_request>()};
  for (int i = 0; i < 5; ++i) {
    (void)strict.try_call(reject);
    (void)fair.try_call(reject);
  }
  expect(strict.is_open() && strict.snapshot().last_failure == "no such field");  // the text tells whose fault it is
  expect(fair.is_closed() && fair.snapshot().metrics.ignored == 5);
  // [/mistakes]
}

void never_opens_when_half_succeeds() {
  // [half]
  sg::circuit_breaker in_a_row{"search"}, by_rate{"search", {.failure_rate_threshold = 0.5}};
  for (int i = 0; i < 10; ++i) {
    for (sg::circuit_breaker* each : {&in_a_row, &by_rate}) {
      i % 2 == 0 ? each->try_acquire().success() : each->try_acquire().failure();
    }
  }
  expect(in_a_row.is_closed() && in_a_row.snapshot().metrics.failure_rate() == 0.5);
  expect(by_rate.is_open());
  // [/half]
}

void never_opens_when_values_are_failures() {
  // [values]
  sg::circuit_breaker blind{"search"};
  sg::circuit_breaker told{"search", {}, sg::classifier{}.fail_if([](const int& status) { return status >= 500; })};
  for (int i = 0; i < 5; ++i) expect(blind.call([] { return 503; }) == 503 && told.call([] { return 503; }) == 503);
  expect(blind.is_closed() && blind.snapshot().metrics.successes == 5 && told.is_open());
  // [/values]
}

void never_closes_when_probes_are_lost() {
  sg::testing::manual_clock clock;
  // [lost]
  sg::circuit_breaker search{"search", {.failure_threshold = 1, .open_duration = 10s, .probe_timeout = 0s}, clock};
  search.try_acquire().failure();
  clock.advance(10s);
  const sg::permit lost = search.try_acquire();  // a probe that hangs: with probe_timeout = 0 it keeps its place
  clock.advance(1h);
  expect(!search.try_acquire() && search.snapshot().probes_in_flight == 1);
  // [/lost]
}

void another_configuration_is_reported() {
  // [different]
  sg::registry circuits{{.environment = sg::variables{}}};
  const auto first = circuits.get("search", {.failure_threshold = 3});
  const auto second = circuits.get("search", {.failure_threshold = 9});  // the same breaker, as it was made
  expect(second->configuration().failure_threshold == 3);
  expect(circuits.reports().back().message.find("failure_threshold is 3, asked for 9") != std::string::npos);
  // [/different]
}

int main() {
  opens_for_mistakes_of_callers();
  never_opens_when_half_succeeds();
  never_opens_when_values_are_failures();
  never_closes_when_probes_are_lost();
  another_configuration_is_reported();
}
