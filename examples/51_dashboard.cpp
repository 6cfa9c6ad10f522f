// SPDX-License-Identifier: Apache-2.0
//
// A page in the program itself: what it takes to show all circuits, to let operators act, and to ask by HTTP.
#include "check.hpp"

#include <switchgear/dashboard.hpp>
#include <switchgear/http/transport.hpp>
#include <switchgear/prometheus_collector.hpp>
#include <switchgear/registry.hpp>
#include <switchgear/retry.hpp>

#include <cstdio>
#include <memory>
#include <string>

namespace sg = switchgear;

namespace {

sg::http::outcome ask(const std::string& url, const std::string& method = "GET", const std::string& body = {},
                      const std::string& token = {}) {
  static sg::http::transport transport({.environment_proxy = false});
  sg::http::request request{.method = method, .url = url, .headers = {{"Content-Type", "application/json"}}, .body = body};
  if (!token.empty()) request.headers.push_back({"Authorization", "Bearer " + token});
  return transport.send(request);
}

}  // namespace

int main() {
  // [three_lines]
  sg::registry circuits;
  auto payments = circuits.get("payments", {.failure_threshold = 3});
  sg::dashboard page{circuits, {.listen = "127.0.0.1:0"}};  // port 0: any that is free
  // [/three_lines]
  expect(ask(page.url() + "healthz").reply.status == 200);
  expect(ask(page.url() + "api/v1/circuits").reply.body.find("\"payments\"") != std::string::npos);

  // [operators]
  sg::retry again{{.max_attempts = 3}};
  auto policies = std::make_shared<sg::prometheus_collector>();
  policies->add("payments", again);

  const std::string token = sg::make_token();  // or one that you keep in a file
  sg::dashboard steered{circuits, {.listen = "127.0.0.1:0",
                                   .token = token,
                                   .critical = {"pay*"},
                                   .audit_file = "audit.jsonl",
                                   .collectables = {policies}}};
  // [/operators]

  const std::string trip = steered.url() + "api/v1/circuits/payments/trip";
  const std::string why = R"({"owner": "ann", "reason": "the bank asked us to wait"})";
  expect(ask(trip, "POST", why).reply.status == 401);  // no token, no action
  expect(payments->is_closed());
  expect(ask(trip, "POST", why, token).reply.status == 200);
  expect(payments->is_open());
  expect(ask(steered.url() + "readyz").reply.status == 503);  // a critical circuit is open
  expect(ask(steered.url() + "api/v1/audit").reply.body.find("the bank asked us to wait") != std::string::npos);
  expect(ask(steered.url() + "metrics").reply.body.find("switchgear_retry") != std::string::npos);
  std::remove("audit.jsonl");

  // [collector]
  auto metrics = std::make_shared<sg::prometheus_collector>(circuits);
  metrics->add("payments", again);  // policies and buses, by a name of yours
  // [/collector]
  expect(sg::to_prometheus_text(metrics->Collect()).find("switchgear_circuit_state") != std::string::npos);
}
