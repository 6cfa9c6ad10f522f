// SPDX-License-Identifier: Apache-2.0
//
// prometheus_service TOKEN: serves the metrics of two circuits, one of each policy, a bus and a fleet at /metrics of a free port
// of 127.0.0.1 to whoever has the token. The first line of output is the port. Commands, one a line, each answered by the state
// of the circuit `orders`: fail, succeed (a call each), force (an override), reset. Ends with its input.
#include <http_stub.hpp>

#include <switchgear/local_bus.hpp>
#include <switchgear/prometheus_collector.hpp>

#include <chrono>
#include <iostream>
#include <string>

namespace {

namespace sg = switchgear;

sg::config orders_config() { return {.failure_threshold = 3, .open_duration = std::chrono::hours(1), .success_threshold = 1}; }

/// A member of a fleet whose store is there.
struct fleet_member {
  [[nodiscard]] static sg::prometheus_fleet metrics() { return {.now = sg::prometheus_fleet::link::shared, .members = 2}; }
};

struct service {
  service() {
    metrics.add("all", sg::retry());
    metrics.add("all", sg::retry_budget());
    metrics.add("all", sg::timeout(std::chrono::seconds(1)));
    metrics.add("all", sg::time_limiter({.executor = &pool}));
    metrics.add("all", sg::fallback([] { return 0; }));
    metrics.add("all", sg::bulkhead());
    metrics.add("all", sg::rate_limiter());
    metrics.add("all", sg::adaptive_limiter());
    metrics.add("all", sg::hedge({.executor = &pool}));
    metrics.add("all", sg::last_known_good<int>());
    sg::provider_chain<int()> chain;
    chain.add("first", [] { return 1; });
    metrics.add("all", chain);
    metrics.add("all", pool);
    metrics.add("all", bus);
    metrics.add("all", member);
  }

  void obey(const std::string& command) {
    if (command == "fail" || command == "succeed") {
      if (sg::permit p = orders->try_acquire()) p.settle(command == "fail" ? sg::verdict::failure : sg::verdict::success);
    } else if (command == "force") {
      orders->force_open("test", "test", std::chrono::hours(1));
    } else if (command == "reset") {
      orders->reset();
    } else {
      std::cerr << "unknown command: " << command << '\n';
    }
  }

  sg::local_bus bus;
  sg::registry circuits{{.environment = sg::variables{}, .bus = &bus}};
  sg::breaker_handle orders = circuits.get("orders", orders_config());
  sg::breaker_handle hostile = circuits.get(R"(a "name" with \ and {job="x"} 1)");
  fleet_member member;
  sg::thread_pool pool{{.threads = 1}};
  sg::prometheus_collector metrics{circuits};
};

}  // namespace

int main(int count, char** arguments) {
  if (count != 2) {
    std::cerr << "usage: prometheus_service TOKEN\n";
    return 2;
  }
  const std::string authorization = std::string("Bearer ") + arguments[1];
  service s;
  const test_support::http_stub server([&](const test_support::http_request& r) -> test_support::http_response {
    if (r.header("Authorization") != authorization) return {.status = 401};
    if (r.path != "/metrics") return {.status = 404};
    return {.body = sg::to_prometheus_text(s.metrics.Collect()),
            .headers = {{"Content-Type", "text/plain; version=0.0.4; charset=utf-8"}}};
  });
  std::cout << server.port() << std::endl;
  for (std::string command; std::getline(std::cin, command);) {
    s.obey(command);
    std::cout << to_string(s.orders->state()) << std::endl;
  }
}
