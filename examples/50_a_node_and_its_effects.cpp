// SPDX-License-Identifier: Apache-2.0
//
// Nodes of a program, each with an executor of its own: a circuit for each type of effect, asked only where a call wants it.
#include "check.hpp"

#include <switchgear/effect_executor.hpp>
#include <switchgear/testing/skipping_clock.hpp>

#include <stdexcept>
#include <string>

namespace sg = switchgear;
using namespace std::chrono_literals;

bool service_is_down = false;

std::string fetch(const std::string& what) {
  if (service_is_down) throw std::runtime_error("connection refused");
  return "the " + what;
}

// [node]
/// Everything that this node does to the world outside goes through its executor.
class node {
 public:
  explicit node(sg::clock& clock) : effects({.breakers = {.environment = sg::variables{}}}, clock) {
    effects.define("fetch", {.circuit_breaker = true,  // said here for all calls of this type; off unless said
                             .retry = sg::retry_options{.max_attempts = 3},
                             .breaker = sg::config{.failure_threshold = 2, .open_duration = 30s}});
  }
  std::string read(const std::string& what, const std::string& request) {
    return effects.execute("fetch", {.context = {.correlation_id = request}}, [&] { return fetch(what); });
  }
  sg::effect_executor effects;
};
// [/node]

int main() {
  sg::testing::skipping_clock clock;
  node first(clock), second(clock);
  expect(first.read("weather", "request-1") == "the weather");

  service_is_down = true;
  for (int i = 0; i < 2; ++i) {
    try {
      (void)first.read("weather", "request-2");
      expect(false);
    } catch (const std::runtime_error&) {  // the function's own, after three attempts
    }
  }
  try {
    (void)first.read("weather", "request-3");
    expect(false);
  } catch (const sg::circuit_open_error& e) {  // nothing ran
    std::cout << e.what() << "\n";
    expect(e.correlation_id() == "request-3");
  }
  expect(!second.effects.breakers().contains("fetch"));  // nodes share nothing

  // [opt_in]
  sg::effect_options bare = first.effects.definition("fetch");
  bare.circuit_breaker = false;  // for this call: the circuit is neither asked nor told
  bare.retry.reset();
  bool called = false;
  try {
    first.effects.execute("fetch", bare, [&] { return called = true, fetch("health page"); });
  } catch (const std::runtime_error& e) {
    std::cout << "still down: " << e.what() << "\n";
  }
  expect(called && first.effects.breakers().find("fetch")->snapshot().metrics.failures == 2);
  // [/opt_in]
}
