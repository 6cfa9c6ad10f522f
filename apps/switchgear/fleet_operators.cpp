// SPDX-License-Identifier: Apache-2.0
#include "fleet_operators.hpp"

#include <switchgear/config/patch.hpp>
#include <switchgear/errors.hpp>

#include <iostream>
#include <stdexcept>
#include <utility>

#include "circuits.hpp"
#include "command.hpp"
#include "console.hpp"

namespace fleet = switchgear::fleet;
using kind = switchgear::circuit_action::kind;
using switchgear::state;

namespace {

const char* usual_reason(kind what) {
  switch (what) {
    case kind::force_open: return "forced open by hand";
    case kind::disable: return "disabled by hand";
    case kind::release: return "released by hand";
    default: return "reset by hand";
  }
}

fleet::operator_action action_of(kind what) {
  if (what == kind::force_open) return fleet::operator_action::force_open;
  return what == kind::disable ? fleet::operator_action::disable : fleet::operator_action::close;
}

std::string instances(std::size_t count) {
  if (count == 0) return "no instance is there now, it holds for those that come";
  return count == 1 ? "1 instance" : std::to_string(count) + " instances";
}

}  // namespace

void operate_fleet(const fleet_choice& which, switchgear::circuit_action action) {
  require_name(action.name);
  if (action.what == kind::trip) {
    throw usage_error("trip --fleet: how long a tripped circuit stays open is known to its instances alone. Trip it at one of "
                      "them, and the fleet follows; or force-open it with --ttl");
  }
  if (action.reason.empty()) action.reason = usual_reason(action.what);
  const auto all = open_fleet(which);
  const std::string circuit = "circuit " + action.name + " of " + shown_fleet(which);
  try {
    const fleet::decision before = all->record_of(action.name);
    const bool is_held = before.state == state::forced_open || before.state == state::disabled;
    if (action.what == kind::release && !is_held) {
      std::cout << "nothing to do: " << circuit << " is under no override, it is " << to_string(before.state) << "\n";
      return;
    }
    const fleet::decision after =
        all->operate(action.name, action_of(action.what), action.owner, action.reason, action.ttl);
    const std::size_t members = all->members().size();
    std::cout << circuit << " " << to_string(before.state);
    if (before.state != after.state) {
      std::cout << " → " << to_string(after.state) << ": " << printable(after.reason);
    } else if (is_held) {
      std::cout << ": the override has a new owner, reason and end";
    } else {
      std::cout << ": said again, " << printable(after.reason);
    }
    std::cout << " (" << instances(members) << ")" << std::endl;
    if (before.epoch == 0 && all->views(action.name).empty()) {
      std::cerr << "switchgear: nobody in the fleet has told of a circuit " << action.name << " yet; is the name right?\n";
    }
  } catch (const switchgear::config_error& e) {
    throw usage_error(switchgear::describe(e.problems()));
  } catch (const switchgear::error& e) {
    throw std::runtime_error(shown_fleet(which) + ": " + e.what());
  }
}
