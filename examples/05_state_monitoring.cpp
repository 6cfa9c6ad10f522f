// SPDX-License-Identifier: Apache-2.0
//
// A snapshot is everything about a circuit at one moment, as data and as JSON; what save() gives survives a restart.
#include "check.hpp"

#include <switchgear/circuit_breaker.hpp>

#include <stdexcept>
#include <string>

namespace sg = switchgear;
using namespace std::chrono_literals;

int main() {
  const sg::config config{.failure_threshold = 2, .window = sg::calls(50), .open_duration = 30s};
  sg::circuit_breaker payments{"payments", config};
  for (int i = 0; i < 6; ++i) (void)payments.try_call([] { return "receipt"; });
  for (int i = 0; i < 4; ++i) (void)payments.try_call([]() -> int { throw std::runtime_error("connection refused"); });

  const sg::snapshot now = payments.snapshot();
  std::cout << now.name << " " << now.state << " " << now.metrics.failure_rate() << "\n";
  expect(now.state == sg::state::open);
  expect(now.metrics.successes == 6 && now.metrics.failures == 2 && now.metrics.rejections == 2);
  expect(now.metrics.total_calls() == 10);
  expect(now.metrics.failure_rate() == 0.25);  // rejections are in no failure rate
  expect(now.retry_after > 0s && now.retry_after <= 30s);
  expect(now.last_failure == "connection refused");

  for (const sg::state_change& change : payments.history()) {
    std::cout << change.from_state << " > " << change.to_state << ": " << change.reason << "\n";
  }
  expect(payments.history().size() == 1);

  const std::string json = sg::to_json(now);
  std::cout << json << "\n";
  expect(json.starts_with(R"({"name":"payments","state":"open")"));

  // A restart of the program half a minute later: the time away counts, so a probe may pass.
  const std::string kept = sg::to_binary(payments.save());
  const sg::read_state read = sg::from_binary(kept);
  expect(read.state.has_value());
  sg::circuit_breaker restarted{"payments", config};
  restarted.restore(*read.state, 30s);
  expect(restarted.is_half_open());
  expect(restarted.snapshot().metrics.failures == 2);

  // What save() did not write is refused, with the reason.
  std::cout << "refused: " << sg::from_binary(kept.substr(0, kept.size() / 2)).refused << "\n";
  expect(!sg::from_binary(kept.substr(0, kept.size() / 2)).state);
}
