// SPDX-License-Identifier: Apache-2.0
//
// Agents that work on one task, one after the other: who is behind an open circuit is skipped, another failure ends the work.
#include "check.hpp"

#include <switchgear/registry.hpp>
#include <switchgear/testing/breakers.hpp>

#include <functional>
#include <stdexcept>
#include <string>
#include <vector>

namespace sg = switchgear;

struct agent {
  std::string name;
  std::function<std::string(const std::string& task)> execute;
};

struct coordinator {
  sg::registry& circuits;
  std::vector<agent> agents;
  std::vector<std::string> log{};

  // [agents]
  std::string work_on(std::string task) {
    for (const agent& a : agents) {
      try {
        task = circuits.for_agent(a.name, a.name)->call([&] { return a.execute(task); });  // the output feeds the next
      } catch (const sg::circuit_open_error&) {
        log.push_back("warning: Agent " + a.name + " circuit open, skipping");
      } catch (const std::exception& e) {
        log.push_back("error: Agent " + a.name + " failed: " + e.what());
        break;
      }
    }
    return task;
  }
  // [/agents]
};

int main() {
  sg::testing::manual_clock clock;
  sg::registry circuits{{.environment = sg::variables{}}, clock};
  bool writer_is_ill = false;
  const auto write = [&](const std::string& task) {
    if (writer_is_ill) throw std::runtime_error("model overloaded");
    return task + ", written";
  };
  coordinator team{circuits,
                   {{"researcher", [](const std::string& task) { return task + ", researched"; }},
                    {"writer", write},
                    {"reviewer", [](const std::string& task) { return task + ", reviewed"; }}}};

  expect(team.work_on("a page") == "a page, researched, written, reviewed");
  expect(team.log.empty());

  writer_is_ill = true;
  expect(team.work_on("a page") == "a page, researched");
  expect(team.log.back() == "error: Agent writer failed: model overloaded");

  // After three failures (the preset llm) the writer's circuit is open: the work goes on without him.
  sg::testing::fail_times(*circuits.find("agent.writer"), 2);
  expect(circuits.open_circuits() == std::vector<std::string>{"agent.writer"});
  expect(team.work_on("a page") == "a page, researched, reviewed");
  expect(team.log.back() == "warning: Agent writer circuit open, skipping");

  // Until he is well again.
  writer_is_ill = false;
  clock.advance(circuits.find("agent.writer")->configuration().open_duration);
  expect(team.work_on("a page") == "a page, researched, written, reviewed");
  for (const std::string& line : team.log) std::cout << line << "\n";
}
