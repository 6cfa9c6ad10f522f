// SPDX-License-Identifier: Apache-2.0
//
// What people on call do: trip, hold open for a while, let everything through, release, reset, reconfigure.
#include "check.hpp"

#include <switchgear/circuit_breaker.hpp>
#include <switchgear/testing/breakers.hpp>

namespace sg = switchgear;
using namespace std::chrono_literals;

int main() {
  sg::testing::manual_clock clock;
  sg::circuit_breaker payments{
      "payments", {.failure_threshold = 2, .open_duration = 30s, .success_threshold = 1}, clock};

  // By hand, but from then on like any open circuit: it recovers by itself.
  payments.trip("the provider announced an outage");
  expect(payments.is_open());
  clock.advance(30s);
  sg::testing::succeed_times(payments, 1);
  expect(payments.is_closed());

  // Held open, by whom, why, and until when. Time does not end it before that.
  payments.force_open("maintenance", "on-call", 2h);
  clock.advance(1h);
  expect(payments.is_forced_open());
  const sg::permit refused = payments.try_acquire();
  expect(!refused && !refused.rejection().retry_after);  // nobody knows when: an operator may come back sooner
  const sg::snapshot held = payments.snapshot();
  std::cout << held.name << " " << held.state << " by " << held.operator_override->owner << ": "
            << held.operator_override->reason << "\n";
  expect(held.operator_override->owner == "on-call");
  clock.advance(1h);
  expect(payments.is_closed());  // its time was over

  payments.force_open("maintenance", "on-call", 2h);
  payments.release("done early");
  expect(payments.is_closed());

  // Everything passes, and nothing is evidence: for a load test, or when the breaker itself is suspected.
  payments.disable("load test");
  expect(sg::testing::fail_times(payments, 100) == 100);
  expect(payments.is_disabled());

  // Back to closed, everything forgotten but the lifetime metrics.
  payments.reset();
  expect(payments.is_closed());
  expect(payments.snapshot().metrics.failures == 100);
  payments.reset_metrics();
  expect(payments.snapshot().metrics.failures == 0);

  // Another configuration without losing the state. One that is invalid is refused and changes nothing.
  expect(payments.reconfigure([](sg::config& c) { c.failure_threshold = 1; }).empty());
  const auto problems = payments.reconfigure([](sg::config& c) { c.success_threshold = 0; });
  expect(problems.size() == 1 && payments.configuration().success_threshold == 1);
  std::cout << sg::to_string(problems.front()) << "\n";
  expect(sg::testing::fail_times(payments, 5) == 1);
  expect(payments.is_open());
}
