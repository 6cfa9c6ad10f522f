// SPDX-License-Identifier: Apache-2.0
#include "bus_options.hpp"

#include <switchgear/bus_url.hpp>
#include <switchgear/config/patch.hpp>
#include <switchgear/errors.hpp>
#include <switchgear/open_bus.hpp>

#include <csignal>

#include "command.hpp"

CLI::Option* add_bus_option(CLI::App& command, std::string& url, const std::string& about) {
  return command.add_option("--bus", url, about + "; redis://host:port/db or kafka://host:port/topic")
      ->type_name("URL")
      ->envname("SWITCHGEAR_BUS");
}

std::unique_ptr<switchgear::event_bus> open_named_bus(const std::string& url,
                                                      const switchgear::event_bus_options& options) {
  try {
    auto bus = switchgear::open_bus(url, options);
    if (switchgear::parse_bus_url(url).scheme == "local") {
      throw usage_error("--bus local: the local bus lives within one process and cannot be heard from another; name a "
                        "server, as in redis://127.0.0.1:6379/0");
    }
    return bus;
  } catch (const switchgear::config_error& e) {
    throw usage_error("--bus: " + switchgear::describe(e.problems()));
  }
}

std::string shown_bus(const std::string& url) { return switchgear::without_secrets(switchgear::parse_bus_url(url)); }

void start_quietly(switchgear::event_bus& bus) {
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  bus.start();
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}
