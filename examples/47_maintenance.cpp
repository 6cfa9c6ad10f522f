// SPDX-License-Identifier: Apache-2.0
//
// Operators' overrides: a planned maintenance, one that lasts longer, and a breaker that is itself suspected.
#include "check.hpp"

#include <switchgear/registry.hpp>
#include <switchgear/testing/breakers.hpp>

#include <string>

namespace sg = switchgear;
using namespace std::chrono_literals;

int main() {
  sg::testing::manual_clock clock;
  sg::registry circuits{{.environment = sg::variables{}, .timer = true}, clock};
  const auto database = circuits.get("orders-db", {.failure_threshold = 3, .open_duration = 30s});

  // [planned]
  database->force_open("upgrade to version 16", "on-call", 45min);  // nobody waits for a database that is not there
  // [/planned]
  const sg::permit refused = database->try_acquire();
  expect(!refused && refused.rejection().reason == sg::rejection_reason::forced_open && !refused.rejection().retry_after);

  // [longer]
  clock.advance(40min);
  database->force_open("upgrade to version 16, takes longer", "on-call", 30min);  // from now on: no transition, a new end
  clock.advance(29min);
  expect(database->is_forced_open());
  clock.advance(1min);
  expect(database->is_closed());  // by itself: nobody has to remember
  // [/longer]
  expect(database->history().size() == 2);

  // [suspected]
  database->disable("do we reject for no reason?", "on-call", 10min);  // everything passes, nothing is evidence
  sg::testing::fail_times(*database, 100);
  database->release("no, the database was down");
  // [/suspected]
  expect(database->is_closed() && database->snapshot().metrics.failures == 100);

  // [whole]
  circuits.for_each([](sg::circuit_breaker& each) {
    if (each.name().ends_with("-db")) each.force_open("the storage is moved", "on-call", 20min);
  });
  // [/whole]
  expect(circuits.open_circuits() == std::vector<std::string>{"orders-db"});
  for (const sg::state_change& c : database->history()) {
    std::cout << c.from_state << " > " << c.to_state << ": " << c.reason << "\n";
  }
}
