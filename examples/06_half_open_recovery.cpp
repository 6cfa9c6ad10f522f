// SPDX-License-Identifier: Apache-2.0
//
// How a circuit recovers, on a clock that only the program moves: probes, back-off, a probe that never answers.
#include "check.hpp"

#include <switchgear/circuit_breaker.hpp>
#include <switchgear/testing/breakers.hpp>

#include <utility>

namespace sg = switchgear;
using namespace std::chrono_literals;

int main() {
  sg::testing::manual_clock clock;
  sg::circuit_breaker payments{"payments",
                               {.failure_threshold = 2,
                                .open_duration = 30s,
                                .open_duration_multiplier = 2,
                                .half_open_max_calls = 1,
                                .success_threshold = 2,
                                .probe_timeout = 5s},
                               clock};
  sg::testing::fail_times(payments, 2);
  expect(payments.is_open());
  clock.advance(30s - 1ns);
  expect(!payments.try_acquire());
  clock.advance(1ns);
  expect(payments.is_half_open());  // looking changes nothing: the first call makes the transition and is a probe

  // A failed probe opens again, for longer.
  sg::testing::fail_times(payments, 1);
  expect(payments.is_open());
  expect(payments.snapshot().retry_after == 60s);
  clock.advance(60s);

  // One probe at a time; a second caller is told to come back.
  sg::permit lost = payments.try_acquire();
  const sg::permit refused = payments.try_acquire();
  expect(lost && !refused);
  expect(refused.rejection().reason == sg::rejection_reason::half_open_limit);

  // The probe never answers. Its lease ends, the next call takes its place, and a late answer moves nothing.
  clock.advance(5s);
  sg::permit probe = payments.try_acquire();
  expect(bool(probe));
  lost.failure("far too late");
  expect(payments.is_half_open());
  expect(payments.snapshot().metrics.late_results == 1);
  expect(payments.snapshot().metrics.expired_probes == 1);

  // Two successes close the circuit.
  probe.success();
  expect(payments.is_half_open());
  sg::testing::succeed_times(payments, 1);
  expect(payments.is_closed());

  for (const sg::state_change& change : payments.history()) {
    std::cout << change.from_state << " > " << change.to_state << "  " << change.reason << "\n";
  }
  expect(payments.history().size() == 5);
}
