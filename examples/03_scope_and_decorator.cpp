// SPDX-License-Identifier: Apache-2.0
//
// A guard protects the rest of a scope; decorate makes a protected function of an ordinary one.
#include "check.hpp"

#include <switchgear/circuit_breaker.hpp>

#include <stdexcept>
#include <string>

namespace sg = switchgear;
using namespace std::chrono_literals;

struct order {
  std::string article;
  int amount = 1;
};

std::string charge(const order& o) {
  if (o.amount < 0) throw std::runtime_error("connection reset");
  return "receipt for " + o.article;
}

int main() {
  sg::circuit_breaker payments{"payments", {.failure_threshold = 2, .open_duration = 30s}};

  {
    auto guard = payments.protect();  // throws circuit_open_error when open
    charge({"a lamp"});               // leaving normally: success; by exception: failure
  }
  expect(payments.snapshot().metrics.successes == 1);

  try {
    auto guard = payments.protect();
    charge({"a chair", -1});
  } catch (const std::runtime_error& e) {
    std::cout << "failed: " << e.what() << "\n";
  }
  expect(payments.snapshot().metrics.failures == 1);

  {
    auto guard = payments.protect();
    guard.ignore();  // the caller changed his mind: no evidence
  }
  expect(payments.snapshot().metrics.ignored == 1);
  expect(payments.snapshot().consecutive_failures == 1);

  auto protected_charge = payments.decorate([](const order& o) { return charge(o); });
  expect(protected_charge(order{"a table"}) == "receipt for a table");

  int rejected = 0;
  for (int i = 0; i < 4; ++i) {
    try {
      protected_charge(order{"a shelf", -1});
    } catch (const sg::circuit_open_error& e) {
      ++rejected;
      expect(e.name() == "payments" && e.retry_after() <= 30s);
    } catch (const std::runtime_error&) {
    }
  }
  expect(rejected == 2);
  std::cout << "rejected: " << rejected << " of 4\n";
}
