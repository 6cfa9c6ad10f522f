// SPDX-License-Identifier: Apache-2.0
//
// A client of Consul whose circuit is in a registry, called while nobody listens at its address: what its errors say.
#include "check.hpp"

#include <switchgear/consul/client.hpp>
#include <switchgear/registry.hpp>
#include <switchgear/testing/manual_clock.hpp>

#include <exception>
#include <string>
#include <vector>

namespace sg = switchgear;
using namespace std::chrono_literals;

int main() {
  sg::testing::manual_clock clock;
  std::vector<std::string> log;
  std::string id = "request-7";
  // [shared]
  sg::registry circuits{{.environment = sg::variables{}}, clock};
  const auto circuit = circuits.get("consul.dc1", sg::presets::omnibase_infra(), sg::consul::rules());
  sg::consul::client consul{{.address = "http://127.0.0.1:1", .adapter = {.shared_breaker = circuit.get()}}};
  // [/shared]
  expect(circuit->configuration().failure_threshold == 5 && circuit->configuration().open_duration == 30s);

  const auto announce = [&] {
    // [errors]
    try {
      consul.register_service({.name = "billing", .port = 8080}, {.correlation_id = id});
    } catch (const sg::circuit_open_error& e) {  // nothing was sent
      log.push_back(id + ": not now, again in " + sg::format_duration(e.retry_after().value_or(0s)));
    } catch (const sg::connection_error& e) {  // it was tried and failed; the cause is nested
      log.push_back(e.correlation_id() + ": " + e.context().operation + " at " + e.context().target + ": " + e.what());
    } catch (const sg::refused_error& e) {  // it answered, and said no: the circuit takes no notice
      log.push_back(e.correlation_id() + ": refused, " + e.code());
    }
    // [/errors]
  };
  for (int i = 0; i < 6; ++i) announce();
  expect(log.front().starts_with("request-7: register_service at consul.dc1: Failed to register service billing"));
  expect(log.back() == "request-7: not now, again in 30s");
  expect(circuit->is_open() && circuit->snapshot().metrics.failures == 5);
  std::cout << log.front() << "\n" << log.back() << "\n";

  // Whoever brings no id gets a fresh one, so that every rejection can be found again.
  try {
    consul.put("config/billing/limit", "12");
    expect(false);
  } catch (const sg::circuit_open_error& e) {
    expect(e.correlation_id().size() == 36 && e.context().transport == "consul" && e.context().target == "consul.dc1");
  }
}
