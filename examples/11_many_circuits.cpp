// SPDX-License-Identifier: Apache-2.0
//
// A registry makes breakers by name, gives the same one to all who ask, and knows about all of them.
#include "check.hpp"

#include <switchgear/registry.hpp>
#include <switchgear/testing/breakers.hpp>

#include <string>
#include <utility>
#include <vector>

namespace sg = switchgear;
using namespace std::chrono_literals;
using names = std::vector<std::string>;

int main() {
  sg::testing::manual_clock clock;
  // [get]
  sg::registry circuits{{.max_breakers = 1'000, .environment = sg::variables{}}, clock};
  auto researcher = circuits.for_agent("researcher", "llm");                      // agent.researcher, preset llm
  auto storage = circuits.get("storage:save_task", {.failure_threshold = 3});     // a handle: keep it rather than the name
  expect(researcher->call([] { return 42; }) == 42);
  // [/get]
  expect(researcher.name() == "agent.researcher" && researcher->configuration().open_duration == 90s);
  expect(circuits.find("agent.researcher") == researcher && !circuits.find("agent.writer"));

  // Asking again gives the same breaker. Asking for another configuration is reported, not silently dropped.
  auto again = circuits.get("storage:save_task", {.failure_threshold = 5});
  expect(again == storage && again->configuration().failure_threshold == 3);
  expect(circuits.reports().size() == 1);
  const sg::registry_report report = circuits.reports().front();
  expect(report.kind == sg::registry_report_kind::different_configuration && report.name == "storage:save_task");
  std::cout << to_string(report) << "\n";

  // Keys for the functions of a program, so that two of one name have two circuits.
  auto jobs = circuits.get(sg::operation_key("worker", "jobs", "save"));
  auto users = circuits.get(sg::operation_key("worker", "users", "save"));
  expect(jobs.name() == "worker:jobs::save" && jobs != users);

  // What a monitor does once a minute.
  // [monitor]
  const auto look = [&] {
    names alerts;
    for (const sg::snapshot& now : circuits.snapshots()) {
      if (now.state == sg::state::open) alerts.push_back("open: " + now.name);
      else if (now.metrics.failure_rate() > 0.5) alerts.push_back("failing: " + now.name);
    }
    if (circuits.open_circuits().size() > 3) alerts.push_back("more than three circuits are open");
    return alerts;
  };
  // [/monitor]
  expect(look().empty());
  sg::testing::fail_times(*storage, 3);
  sg::testing::fail_times(*jobs, 1);
  expect(circuits.open_circuits() == names{"storage:save_task"});
  expect(look() == names{"open: storage:save_task", "failing: worker:jobs::save"});

  // Now and then, and only the closed ones: what has built up in their windows is forgotten, what is open stays open.
  circuits.reset_closed("nightly");
  expect(storage->is_open() && jobs->snapshot().consecutive_failures == 0);
  circuits.reset_all("all is well again");
  expect(storage->is_closed() && circuits.open_circuits().empty());

  // Whoever holds a handle keeps the breaker, whatever becomes of its name or of the registry.
  expect(circuits.remove("worker:users::save") && !circuits.contains("worker:users::save"));
  expect(users->call([] { return true; }));
}
