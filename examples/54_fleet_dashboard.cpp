// SPDX-License-Identifier: Apache-2.0
//
// The page of a program that shares its circuits with others: how each instance sees a circuit, and what the member itself does,
// as metrics. Give it the URL of a Redis (redis://127.0.0.1:6379/0).
#include "check.hpp"

#include <switchgear/dashboard.hpp>
#include <switchgear/fleet/member.hpp>
#include <switchgear/http/transport.hpp>
#include <switchgear/prometheus_collector.hpp>
#include <switchgear/registry_source.hpp>

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <thread>

namespace sg = switchgear;
using namespace std::chrono_literals;

namespace {

bool soon(const std::function<bool()>& condition) {
  for (int i = 0; i < 1000; ++i) {  // at most ten seconds
    if (condition()) return true;
    std::this_thread::sleep_for(10ms);
  }
  return false;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    std::cerr << "usage: 54_fleet_dashboard redis://HOST:PORT/DATABASE\n";
    return 2;
  }
  sg::registry circuits;
  auto payments = circuits.get("payments", {.failure_threshold = 3});
  sg::fleet::member shop{circuits, {.url = argv[1], .name = "shop", .instance = "web-1"}};

  sg::registry elsewhere;  // in other processes, as a rule
  auto there = elsewhere.get("payments", {.failure_threshold = 3});
  const sg::fleet::member other{elsewhere, {.url = argv[1], .name = "shop", .instance = "web-2"}};

  // [collector]
  auto metrics = std::make_shared<sg::prometheus_collector>();
  metrics->add("shop", shop);  // the member outlives the collector
  // [/collector]

  // [three_lines]
  auto seen = [&shop](std::string_view name) { return sg::instance_readings(shop.views(name)); };
  auto source = std::make_shared<sg::registry_source>(circuits, seen);
  sg::dashboard page{source, {.listen = "127.0.0.1:0", .collectables = {metrics}}};
  // [/three_lines]

  sg::http::transport transport({.environment_proxy = false});
  const auto shows = [&](const std::string& path, std::string_view text) {
    return transport.send({.url = page.url() + path}).reply.body.find(text) != std::string::npos;
  };
  there->trip("the bank is down");
  expect(soon([&] { return payments->is_open(); }));
  expect(soon([&] { return shows("api/v1/circuits/payments", R"("views":[{"instance":"web-1","state":"open")"); }));
  expect(soon([&] { return shows("api/v1/circuits/payments", R"({"instance":"web-2","state":"open")"); }));
  expect(soon([&] { return shows("metrics", R"(switchgear_fleet_members{name="shop"} 2)"); }));
  expect(shows("metrics", R"(switchgear_fleet_decisions_total{name="shop",kind="fleet"} 1)"));
  std::cout << "both instances are on the page\n";
}
