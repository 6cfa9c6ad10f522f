// SPDX-License-Identifier: Apache-2.0
#include <switchgear/circuit_breaker.hpp>

#include <iostream>

namespace sg = switchgear;

// Succeeds when a breaker opened after two failures and then rejected.
int main() {
  sg::circuit_breaker breaker{"payments", {.failure_threshold = 2}};
  for (int i = 0; i < 2; ++i) {
    if (sg::permit permit = breaker.try_acquire()) permit.failure();
  }
  if (sg::permit permit = breaker.try_acquire()) {
    permit.success();
    std::cerr << "the breaker did not open\n";
    return 1;
  }
  std::cout << "rejected\n";
  return 0;
}
