// SPDX-License-Identifier: Apache-2.0
//
// call_timeout asks a function that takes a stop token to stop at the deadline. The clock here is moved by hand, so
// nothing waits; a program of yours leaves it out and gets the real one.
#include "check.hpp"

#include <switchgear/circuit_breaker.hpp>
#include <switchgear/testing/manual_clock.hpp>

#include <stop_token>
#include <string>

namespace sg = switchgear;
using namespace std::chrono_literals;

int main() {
  sg::testing::manual_clock clock;
  sg::circuit_breaker model{"agent.llm", {.failure_threshold = 2, .open_duration = 90s, .call_timeout = 2s}, clock};

  // A call that is quick enough is never asked to stop.
  const auto answer = [&](std::stop_token stop, std::chrono::seconds takes) -> std::string {
    for (auto passed = 0s; passed < takes; passed += 1s) {
      if (stop.stop_requested()) return "half an answer";  // close the connection, give up
      clock.advance(1s);
    }
    return "an answer";
  };
  expect(model.call([&](std::stop_token stop) { return answer(stop, 1s); }) == "an answer");

  // A call that comes back after the deadline has failed, whatever it brings.
  bool asked_to_stop = false;
  try {
    (void)model.call([&](std::stop_token stop) {
      const std::string text = answer(stop, 10s);
      asked_to_stop = text == "half an answer";
      return text;
    });
    expect(false);
  } catch (const sg::call_timeout_error& e) {
    std::cout << e.what() << "\n";
    expect(e.name() == "agent.llm" && e.limit() == 2s);
  }
  expect(asked_to_stop);
  expect(model.snapshot().metrics.timeouts == 1);

  // A timeout is a failure: the second in a row opens the circuit. It is never reported as the open error.
  const auto result = model.try_call([&](std::stop_token stop) { return answer(stop, 10s); });
  expect(!result && !result.rejected());
  expect(result.verdict() == sg::verdict::timeout);
  expect(result.duration() == 2s);
  expect(model.is_open());
  expect(clock.timers() == 0);
  expect(model.try_call([](std::stop_token) { return 0; }).rejected());
}
