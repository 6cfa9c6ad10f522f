// SPDX-License-Identifier: Apache-2.0
//
// Yesterday's answer instead of none, as long as it is not too old.
#include "check.hpp"

#include <switchgear/guard.hpp>
#include <switchgear/last_known_good.hpp>
#include <switchgear/pipeline.hpp>
#include <switchgear/testing/manual_clock.hpp>

#include <stdexcept>

namespace sg = switchgear;
using namespace std::chrono_literals;

struct rates {
  double dollars_per_euro = 0;
};

int main() {
  sg::testing::manual_clock clock;
  sg::circuit_breaker bank{"bank", {.failure_threshold = 1, .open_duration = 1min}, clock};
  bool is_down = false;
  const auto ask = [&]() -> rates {
    if (is_down) throw std::runtime_error("connection refused");
    return {1.25};
  };

  // [last_known_good]
  const sg::last_known_good<rates> remembered{{.name = "rates", .max_age = 10min}, clock};
  const auto guarded = sg::pipeline(remembered, sg::guard(bank));  // outside the breaker, which has to see every failure
  // [/last_known_good]
  expect(guarded(ask).dollars_per_euro == 1.25);

  // Failures and rejections are answered from memory.
  is_down = true;
  clock.advance(5min);
  for (int i = 0; i < 3; ++i) expect(guarded(ask).dollars_per_euro == 1.25);
  expect(bank.is_open() && bank.snapshot().metrics.rejections == 2);
  expect(remembered.metrics().hits == 3 && remembered.age() == 5min);

  // An answer that is too old is none: the failure passes.
  clock.advance(5min + 1ns);
  try {
    (void)guarded(ask);
    expect(false);
  } catch (const std::runtime_error& e) {
    std::cout << e.what() << "\n";
  }
  expect(remembered.metrics().misses == 1);
}
