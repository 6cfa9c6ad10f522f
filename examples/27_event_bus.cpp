// SPDX-License-Identifier: Apache-2.0
//
// The event bus: every circuit of a registry tells of its transitions, and whoever wants to hear of them subscribes. In a program
// of several processes the bus is `sg::open_bus("redis://127.0.0.1:6379/0")`; everything else stays as it is here.
#include "check.hpp"

#include <switchgear/local_bus.hpp>
#include <switchgear/registry.hpp>

#include <map>
#include <string>
#include <vector>

namespace sg = switchgear;
using namespace std::chrono_literals;

/// A monitor that knows the state of every circuit, whenever it came.
struct monitor {
  explicit monitor(sg::event_bus& bus)
      : subscription(bus.subscribe(
            sg::topics::all, [this](std::string_view, const sg::event& e) { states[e.service] = e.state; }, {.present = true})) {}
  std::map<std::string, sg::state> states;
  sg::subscription subscription;
};

int main() {
  std::vector<std::string> alerts, searches;
  // [publish]
  sg::local_bus bus{{.on_notice = [](const sg::bus_notice& n) { std::cerr << n.text << "\n"; }}};
  sg::registry circuits{{.bus = &bus}};
  // [/publish]

  // [subscribe]
  auto on_any = bus.subscribe(sg::topics::state, [&](std::string_view, const sg::event& e) {
    if (e.kind == sg::event_kind::opened) alerts.push_back(e.service + ": " + e.reason);
  });
  auto on_search = bus.subscribe("circuit_breaker.state.search*", [&](std::string_view topic, const sg::event&) {
    searches.emplace_back(topic);
  });
  // [/subscribe]

  circuits.get("payments", {.failure_threshold = 2});
  auto search = circuits.for_agent("search", "database");
  auto payments = circuits.find("payments");
  for (int i = 0; i < 2; ++i) payments->try_acquire().failure("connection refused");
  search->trip("new index");
  sg::drain_events();  // for programs that end, and tests: the circuits have told everything
  bus.flush(10s);      // and the handlers have heard it

  for (const std::string& alert : alerts) std::cout << "alert: " << alert << "\n";
  expect(alerts == std::vector<std::string>{"payments: 2 consecutive failures (threshold 2)", "agent.search: new index"});
  expect(searches.empty());  // its name is agent.search

  // [late]
  monitor late(bus);  // is told how each circuit is, then what changes
  search->reset("index is there");
  sg::drain_events();
  bus.flush(10s);
  // [/late]
  expect(late.states["payments"] == sg::state::open);
  expect(late.states["agent.search"] == sg::state::closed);
}
