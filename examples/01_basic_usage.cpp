// SPDX-License-Identifier: Apache-2.0
//
// A guarded call: after three failures in a row the circuit opens, and the function is not called any more.
//
// [readme]
#include <switchgear/circuit_breaker.hpp>
#include <iostream>
using namespace std::chrono_literals;

int main() {
  switchgear::circuit_breaker payments{"payments", {.failure_threshold = 3, .open_duration = 30s}};
  for (int attempt = 1; attempt <= 5; ++attempt) try {
      payments.call([] { throw std::runtime_error("connection refused"); });
    } catch (const switchgear::circuit_open_error& e) {  // rejected: the function was not called
      std::cout << e.what() << "\n";
    } catch (const std::runtime_error& e) {  // the function's own exception, unchanged
      std::cout << "attempt " << attempt << ": " << e.what() << "\n";
    }
}
// [/readme]
