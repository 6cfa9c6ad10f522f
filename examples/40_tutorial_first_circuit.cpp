// SPDX-License-Identifier: Apache-2.0
//
// The first program of docs/tutorial.md: a service fails three times, its circuit opens, and closes again a second later.
//
// [program]
#include <switchgear/circuit_breaker.hpp>

#include <iostream>
#include <stdexcept>
#include <string>
#include <thread>

namespace sg = switchgear;
using namespace std::chrono_literals;

/// Stands for a service. The third, fourth and fifth time that it is asked it fails.
std::string ask_for_price() {
  static int times = 0;
  if (++times >= 3 && times <= 5) throw std::runtime_error("connection refused");
  return "19.99";
}

int main() {
  sg::circuit_breaker prices{"prices", {.failure_threshold = 3, .open_duration = 1s, .success_threshold = 1}};
  for (int i = 1; i <= 12; ++i) {
    std::cout << i << ": ";
    try {
      std::cout << prices.call(ask_for_price) << "\n";
    } catch (const sg::circuit_open_error& e) {  // the service was not asked
      const auto wait = std::chrono::ceil<std::chrono::milliseconds>(e.retry_after().value_or(0ms));
      std::cout << "not asked, again in " << sg::format_duration(wait) << "\n";
    } catch (const std::exception& e) {  // the service's own exception
      std::cout << "failed, " << e.what() << "\n";
    }
    std::this_thread::sleep_for(200ms);
  }
  for (const sg::state_change& c : prices.history()) {
    std::cout << c.from_state << " -> " << c.to_state << ": " << c.reason << "\n";
  }
}
// [/program]
