// SPDX-License-Identifier: Apache-2.0
//
// Effects: calls that change something outside. What a failed attempt has done is undone, in reverse order.
#include "check.hpp"

#include <switchgear/effect_executor.hpp>
#include <switchgear/testing/skipping_clock.hpp>
#include <switchgear/transaction.hpp>

#include <stdexcept>
#include <string>
#include <vector>

namespace sg = switchgear;
using namespace std::chrono_literals;

int main() {
  std::vector<std::string> done;  // what the other systems have been told
  int refusals = 0;
  const auto charge = [&] {
    if (refusals-- > 0) throw std::runtime_error("bank: connection refused");
    done.push_back("charged");
    return 4711;
  };

  sg::testing::skipping_clock clock;
  sg::effect_executor effects{{.breakers = {.environment = sg::variables{}}}, clock};
  // [define]
  effects.define("book_flight", {.circuit_breaker = true,
                                 .retry = sg::retry_presets::worker(),
                                 .breaker = sg::config{.failure_threshold = 1, .open_duration = 30s}});
  // [/define]
  // [execute]
  const auto book = [&] {
    return effects.execute("book_flight", [&](sg::transaction& t) {
      done.push_back("reserved");
      t.on_rollback("reserve the seat", [&] { done.push_back("released"); });
      t.on_commit("send the ticket", [&] { done.push_back("sent"); });
      return charge();
    });
  };
  // [/execute]

  // The first attempt is rolled back before the second begins; the breaker sees one call that succeeded.
  refusals = 1;
  expect(book() == 4711);
  expect(done == std::vector<std::string>{"reserved", "released", "reserved", "charged", "sent"});
  const sg::breaker_handle breaker = effects.breakers().find("book_flight");
  expect(breaker.snapshot().metrics.successes == 1 && breaker.snapshot().metrics.failures == 0);

  // Attempts used up: nothing is left behind, the exception is the function's own, the breaker counts one failure.
  done.clear();
  refusals = 3;
  try {
    (void)book();
  } catch (const std::runtime_error& e) {
    std::cout << e.what() << "\n";
  }
  expect(done.size() == 6 && done.back() == "released");

  // Then the circuit is open: nothing runs, nothing has to be undone.
  done.clear();
  try {
    (void)book();
  } catch (const sg::circuit_open_error&) {
  }
  expect(done.empty());
  const sg::effect_metrics seen = effects.metrics("book_flight");
  expect(seen.committed == 1 && seen.rolled_back == 1 && seen.rejected == 1 && seen.rollbacks == 4);

  // A transaction alone. An undo that throws is written down and stops no other.
  // [transaction]
  sg::transaction t;
  t.run("reserve the seat", [&] { done.push_back("reserved"); }, [&] { done.push_back("released"); });
  t.run("charge the card", charge, [] { throw std::runtime_error("bank: closed on Sundays"); });
  const std::vector<sg::undo_failure> left_behind = t.rollback();
  // [/transaction]
  expect(left_behind.size() == 1 && left_behind.front().name == "charge the card" && done.back() == "released");
}
