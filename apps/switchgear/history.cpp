// SPDX-License-Identifier: Apache-2.0
#include <nlohmann/json.hpp>

#include <algorithm>
#include <iostream>
#include <memory>

#include "circuits.hpp"
#include "command.hpp"
#include "console.hpp"
#include "shared_operators.hpp"

namespace {

struct request {
  std::string name;
  std::string shared;
  bool json = false;
  std::size_t limit = 0;
};

void print_history(const request& r) {
  auto view = r.shared.empty() ? view_circuit(r.name) : view_shared(r.shared, r.name);
  auto& changes = view.snapshot.state_changes;
  if (r.limit != 0 && changes.size() > r.limit) {
    changes.erase(changes.begin(), changes.end() - static_cast<std::ptrdiff_t>(r.limit));
  }
  if (r.json) {
    std::cout << nlohmann::ordered_json::parse(to_json(view.snapshot))["state_changes"].dump(2) << "\n";
    return;
  }
  if (changes.empty()) {
    std::cout << "circuit " << r.name << " has made no transition yet\n";
    return;
  }
  table t({{"TIME"}, {"FROM"}, {"TO"}, {"FAILURES"}, {"REASON"}});
  for (const auto& c : changes) {
    t.add({{local_time(c.timestamp)},
           {std::string(to_string(c.from_state))},
           {std::string(to_string(c.to_state))},
           {std::to_string(c.failure_count)},
           {c.reason}});
  }
  for (const auto& line : t.lines(output_wants_colour())) std::cout << line << "\n";
}

}  // namespace

void add_history_command(CLI::App& app, int& exit_code) {
  auto r = std::make_shared<request>();
  CLI::App* command = app.add_subcommand("history", "Show the transitions of a circuit, the newest last");
  command->add_option("name", r->name, "the circuit")->required()->type_name("NAME");
  command->add_flag("--json", r->json, "as a JSON array of state changes");
  command->add_option("--limit", r->limit, "only the newest N")->type_name("N")->check(CLI::Range(1, 1'000'000));
  add_shared_option(*command, r->shared);
  command->callback([r, &exit_code] {
    print_history(*r);
    exit_code = 0;
  });
}
