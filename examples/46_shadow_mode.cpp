// SPDX-License-Identifier: Apache-2.0
//
// A configuration that is tried first: in shadow the circuit judges and tells, and lets every call through.
#include "check.hpp"

#include <switchgear/circuit_breaker.hpp>
#include <switchgear/testing/breakers.hpp>

#include <string>
#include <vector>

namespace sg = switchgear;
using namespace std::chrono_literals;

int main() {
  sg::testing::manual_clock clock;
  std::vector<std::string> log;
  // [shadow]
  sg::circuit_breaker payments{"payments", {.shadow = true, .failure_threshold = 3, .open_duration = 30s}, clock};
  const auto listening = payments.observe(
      [&](const sg::event& e) { log.push_back(sg::log_line(e)); }, sg::event_filter::transitions);
  // [/shadow]

  sg::testing::succeed_times(payments, 90);
  expect(sg::testing::fail_times(payments, 10) == 10);  // all ten reached the service
  expect(payments.is_open());                           // but seven of them it would have rejected

  // [look]
  const sg::snapshot now = payments.snapshot();
  const double share = static_cast<double>(now.metrics.would_reject) / static_cast<double>(now.metrics.total_calls());
  std::cout << now.metrics.transitions << " transitions, would have rejected " << 100 * share << " %\n";
  // [/look]
  expect(now.metrics.would_reject == 7 && now.metrics.rejections == 0 && now.metrics.total_calls() == 100);
  sg::drain_events();
  expect(log.size() == 1 && log.front().find("3 consecutive failures") != std::string::npos);
  std::cout << log.front() << "\n";

  // [enforce]
  const auto problems = payments.reconfigure([](sg::config& c) { c.shadow = false; });
  // [/enforce]
  expect(problems.empty() && payments.is_open());  // the state is kept, so it rejects from now on
  expect(sg::testing::succeed_times(payments, 1) == 0);
}
