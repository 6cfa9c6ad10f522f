// SPDX-License-Identifier: Apache-2.0
#include <switchgear/config/value.hpp>

#include <iostream>
#include <memory>
#include <pwd.h>
#include <unistd.h>

#include "circuits.hpp"
#include "command.hpp"
#include "console.hpp"
#include "fleet_operators.hpp"
#include "shared_operators.hpp"

namespace host = switchgear::host;
using switchgear::state;

namespace {

struct request {
  std::string name;
  std::string reason;
  std::string owner;
  std::string ttl;
  std::string shared;
  bool metrics = false;
  fleet_choice fleet;
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

using kind = switchgear::circuit_action::kind;

switchgear::circuit_action action_of(const request& r, kind what) {
  return {.what = what, .name = r.name, .instance = {}, .owner = r.owner, .reason = r.reason, .ttl = time_to_live(r)};
}

void trip(const request& r) {
  const auto done = r.shared.empty() ? open_circuit(r.name).trip(r.reason) : operate_shared(r.shared, action_of(r, kind::trip));
  tell(r, done, "is " + std::string(to_string(done.before)) + " already");
}

void force_open(const request& r) {
  tell(r, r.shared.empty() ? open_circuit(r.name).force_open(r.reason, r.owner, time_to_live(r))
                           : operate_shared(r.shared, action_of(r, kind::force_open)), "");
}

void disable(const request& r) {
  tell(r, r.shared.empty() ? open_circuit(r.name).disable(r.reason, r.owner, time_to_live(r))
                           : operate_shared(r.shared, action_of(r, kind::disable)), "");
}

void release(const request& r) {
  const auto done =
      r.shared.empty() ? open_circuit(r.name).release(r.reason) : operate_shared(r.shared, action_of(r, kind::release));
  // An override whose time-to-live ended is lifted by this very call, and its line has just been printed.
  tell(r, done, "is under no override, it is " + std::string(to_string(done.before)));
}

void reset(const request& r) {
  if (!r.metrics) {
    return tell(r, r.shared.empty() ? open_circuit(r.name).reset(r.reason)
                                    : operate_shared(r.shared, action_of(r, kind::reset)), "");
  }
  r.shared.empty() ? open_circuit(r.name).reset_metrics() : reset_shared_metrics(r.shared, r.name);
  std::cout << "circuit " << r.name << ": the lifetime metrics count from 0 again\n";
}

void act_on_fleet(const request& r, switchgear::circuit_action::kind what) {
  if (r.metrics) throw usage_error("--metrics: each instance counts for itself; the fleet has no counters");
  operate_fleet(r.fleet, action_of(r, what));
}

CLI::App* add(CLI::App& app, int& exit_code, const char* about, switchgear::circuit_action::kind what,
              void (*act)(const request&)) {
  const bool overrides = what == kind::force_open || what == kind::disable;
  const std::string verb(to_string(what));
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
  add_shared_option(*command, r->shared);
  CLI::Option* fleet = add_fleet_options(*command, r->fleet, "do it at all instances of this fleet, not to a circuit of exec");
  if (what == kind::trip) {  // there only to say why not
    fleet->group("");
    command->get_option("--fleet-name")->group("");
  }
  command->callback([r, act, what, &exit_code] {
    if (r->fleet.given() && !r->shared.empty()) throw usage_error("--shared and --fleet: one or the other");
    if (r->fleet.given()) {
      act_on_fleet(*r, what);
    } else {
      act(*r);
    }
    exit_code = 0;
  });
  return command;
}

}  // namespace

void add_operator_commands(CLI::App& app, int& exit_code) {
  add(app, exit_code, "Open a circuit by hand; it recovers by itself like any open circuit", kind::trip, trip);
  add(app, exit_code, "Hold a circuit open until release, reset or --ttl", kind::force_open, force_open);
  add(app, exit_code, "Let every call pass, unjudged, until release, reset or --ttl", kind::disable, disable);
  add(app, exit_code, "End force-open or disable: the circuit is closed", kind::release, release);
  add(app, exit_code, "Close a circuit and forget its windows, its back-off and its override", kind::reset, reset);
}
