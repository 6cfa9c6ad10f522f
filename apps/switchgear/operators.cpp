// SPDX-License-Identifier: Apache-2.0
#include <switchgear/config/value.hpp>

#include <iostream>
#include <memory>
#include <pwd.h>
#include <unistd.h>

#include "circuits.hpp"
#include "command.hpp"
#include "console.hpp"

namespace host = switchgear::host;
using switchgear::state;

namespace {

struct request {
  std::string name;
  std::string reason;
  std::string owner;
  std::string ttl;
  bool metrics = false;
};

std::string login_name() {
  const passwd* user = ::getpwuid(::getuid());
  return user != nullptr ? user->pw_name : "user " + std::to_string(::getuid());
}

std::optional<std::chrono::nanoseconds> time_to_live(const request& r) {
  if (r.ttl.empty()) return std::nullopt;
  const auto read = switchgear::parse_duration(r.ttl);
  if (!read) throw usage_error("--ttl \"" + r.ttl + "\": " + read.error);
  return *read.value;
}

void tell(const request& r, const host::operation& done, std::string_view nothing) {
  for (const host::change& c : done.changes) std::cout << line_of(r.name, c) << "\n";
  if (!done.enabled) {
    std::cout << "nothing to do: circuit " << r.name << " is a pass-through (enabled = false)\n";
  } else if (done.renewed) {
    std::cout << "circuit " << r.name << " " << done.before << ": the override has a new owner, reason and end\n";
  } else if (!done.acted) {
    std::cout << "nothing to do: circuit " << r.name << " " << nothing << "\n";
  } else if (done.changes.empty()) {
    std::cout << "circuit " << r.name << " reset: its windows and counts are empty again\n";
  }
}

void trip(const request& r) {
  const auto done = open_circuit(r.name).trip(r.reason);
  tell(r, done, "is " + std::string(to_string(done.before)) + " already");
}

void force_open(const request& r) { tell(r, open_circuit(r.name).force_open(r.reason, r.owner, time_to_live(r)), ""); }

void disable(const request& r) { tell(r, open_circuit(r.name).disable(r.reason, r.owner, time_to_live(r)), ""); }

void release(const request& r) {
  const auto done = open_circuit(r.name).release(r.reason);
  // An override whose time-to-live ended is lifted by this very call, and its line has just been printed.
  tell(r, done, "is under no override, it is " + std::string(to_string(done.before)));
}

void reset(const request& r) {
  auto circuit = open_circuit(r.name);
  if (!r.metrics) return tell(r, circuit.reset(r.reason), "");
  circuit.reset_metrics();
  std::cout << "circuit " << r.name << ": the lifetime metrics count from 0 again\n";
}

CLI::App* add(CLI::App& app, int& exit_code, const char* verb, const char* about, void (*act)(const request&),
              bool overrides) {
  auto r = std::make_shared<request>();
  r->owner = login_name();
  CLI::App* command = app.add_subcommand(verb, about);
  command->add_option("name", r->name, "the circuit")->required()->type_name("NAME");
  command->add_option("--reason", r->reason, "why, for status and history")->type_name("TEXT");
  if (overrides) {
    command->add_option("--owner", r->owner, "who; default: your login name")->type_name("TEXT");
    command->add_option("--ttl", r->ttl, "until it ends by itself: 30m, 2h; default: never")->type_name("DURATION");
  }
  if (act == reset) command->add_flag("--metrics", r->metrics, "set the lifetime metrics to 0, and do nothing else");
  command->callback([r, act, &exit_code] {
    act(*r);
    exit_code = 0;
  });
  return command;
}

}  // namespace

void add_operator_commands(CLI::App& app, int& exit_code) {
  add(app, exit_code, "trip", "Open a circuit by hand; it recovers by itself like any open circuit", trip, false);
  add(app, exit_code, "force-open", "Hold a circuit open until release, reset or --ttl", force_open, true);
  add(app, exit_code, "disable", "Let every call pass, unjudged, until release, reset or --ttl", disable, true);
  add(app, exit_code, "release", "End force-open or disable: the circuit is closed", release, false);
  add(app, exit_code, "reset", "Close a circuit and forget its windows, its back-off and its override", reset, false);
}
