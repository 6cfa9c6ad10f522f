// SPDX-License-Identifier: Apache-2.0
#include "fleet_options.hpp"

#include <switchgear/bus_url.hpp>
#include <switchgear/config/patch.hpp>
#include <switchgear/errors.hpp>

#include "command.hpp"

CLI::Option* add_fleet_options(CLI::App& command, fleet_choice& fleet, const std::string& about) {
  CLI::Option* url = command.add_option("--fleet", fleet.url, about + "; redis://host:port/db")->type_name("URL");
  command.add_option("--fleet-name", fleet.name, "the name of the fleet, when several share a Redis")
      ->type_name("NAME")
      ->capture_default_str()
      ->needs(url);
  return url;
}

std::shared_ptr<switchgear::fleet::control> open_fleet(const fleet_choice& fleet, std::chrono::nanoseconds timeout) {
  try {
    return std::make_shared<switchgear::fleet::control>(fleet.url, fleet.name, timeout);
  } catch (const switchgear::config_error& e) {
    throw usage_error("--fleet: " + switchgear::describe(e.problems()));
  }
}

std::string shown_fleet(const fleet_choice& fleet) {
  return "fleet " + fleet.name + " at " + switchgear::without_secrets(switchgear::parse_bus_url(fleet.url));
}
