// SPDX-License-Identifier: Apache-2.0
//
// Events: an observer hears of everything, in order, outside every lock, on a thread that is not the caller's.
#include "check.hpp"

#include <switchgear/circuit_breaker.hpp>
#include <switchgear/testing/breakers.hpp>

#include <string>
#include <vector>

namespace sg = switchgear;
using namespace std::chrono_literals;

int main() {
  sg::testing::manual_clock clock;
  sg::circuit_breaker payments{
      "payments", {.failure_threshold = 2, .open_duration = 30s, .success_threshold = 1}, clock};

  std::vector<std::string> log;
  std::vector<std::string> pages;
  int rejected = 0;
  auto subscription = payments.observe([&](const sg::event& e) {
    if (sg::is_transition(e.kind)) log.push_back(sg::log_line(e));
    if (e.kind == sg::event_kind::opened) pages.push_back(e.service + ": " + e.reason);
    if (e.kind == sg::event_kind::rejected) ++rejected;
  });

  sg::testing::fail_times(payments, 3);  // the third is rejected
  clock.advance(30s);
  sg::testing::succeed_times(payments, 1);
  sg::drain_events();  // for programs that end, and tests: everything up to here has been delivered

  for (const std::string& line : log) std::cout << line << "\n";
  expect(log.size() == 3);
  expect(log.front() == "circuit payments closed → open: 2 consecutive failures (threshold 2)");
  expect(pages == std::vector<std::string>{"payments: 2 consecutive failures (threshold 2)"});
  expect(rejected == 1);

  // The wire form is CloudEvents; topics sort them.
  std::string wire;
  std::string topic;
  auto second = payments.observe([&](const sg::event& e) {
    wire = sg::to_json(e);
    topic = sg::topic_of(e);
  });
  payments.trip("maintenance");
  sg::drain_events();
  std::cout << wire << "\n";
  expect(wire.find(R"("type":"switchgear.circuit.opened")") != std::string::npos);
  expect(topic == "circuit_breaker.state.payments");
  expect(sg::topic_matches(sg::topics::state, topic));

  // After end() the handler is not called again; without observers events cost nothing.
  subscription.end();
  second.end();
  payments.reset();
  sg::drain_events();
  expect(log.size() == 4);
}
