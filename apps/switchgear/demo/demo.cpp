// SPDX-License-Identifier: Apache-2.0
#include "demo.hpp"

#include "../bus_options.hpp"
#include "../command.hpp"
#include "client.hpp"
#include "conductor.hpp"
#include "fleet/client.hpp"
#include "fleet/conductor.hpp"
#include "fleet/upstream.hpp"
#include "upstream.hpp"

#include <switchgear/bus_url.hpp>
#include <switchgear/config/patch.hpp>
#include <switchgear/errors.hpp>
#include <switchgear/redis/options.hpp>

#include <CLI/CLI.hpp>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace {

using namespace switchgear::demo;

struct demo_options {
  int seconds = 20;
  bool json = false;
  std::string bus;
  page_settings page;
};

struct fleet_options {
  std::optional<std::string> store;
  std::string faults = "all", sharing = "any";
  bool strict = false;
  std::optional<int> rounds;
  int processes = 8, limit = 2;
};

/// What it means, or usage_error.
fleet::settings settings_of(const fleet_options& o) {
  fleet::settings s;
  if (*o.store != "start") {
    try {
      (void)switchgear::redis::options_of(switchgear::parse_bus_url(*o.store));
    } catch (const switchgear::config_error& e) {
      throw usage_error("--fleet: " + switchgear::describe(e.problems()));
    }
    s.store = *o.store;
  }
  const auto faults = fleet::faults_of(o.faults);
  if (!faults) throw usage_error("--faults: a list of kill, stop, flush, restart and cut, or all, or none");
  s.faults = *faults;
  const auto mode = std::ranges::find(fleet::mode_names, o.sharing);
  s.opening = static_cast<fleet::mode>(mode - std::begin(fleet::mode_names));
  s.processes = o.processes;
  s.rounds = o.rounds;
  s.limit = o.limit;
  return s;
}

int run_demo(const demo_options& o) {
  // With --json standard output is one document and nothing else.
  screen show(o.json ? stderr : stdout, o.seconds);
  try {
    if (!o.bus.empty()) {
      (void)open_named_bus(o.bus);  // a name that makes no sense is refused before anything is started
      // The clients find it there: nothing of it is to be seen in the list of processes.
      ::setenv("SWITCHGEAR_BUS", o.bus.c_str(), 1);
    }
    const results r = conduct(o.seconds, show, o.page);
    print(r, show);
    if (o.json) {
      std::puts(to_json(r).dump(2).c_str());
      std::fflush(stdout);
    }
    return r.problems().empty() ? 0 : 1;
  } catch (const interrupted& e) {
    show.line();
    show.line("Interrupted; every process of the demonstration has ended.");
    return 128 + e.signal();
  } catch (const usage_error&) {
    throw;
  } catch (const std::exception& e) {
    std::fprintf(stderr, "switchgear demo: %s\n", e.what());
    return 1;
  }
}

void add_child_commands(CLI::App& app, int& exit_code) {
  CLI::App* upstream = app.add_subcommand("demo-upstream", "One upstream of the demonstration")->group("");
  upstream->add_option("name", "Shown in lists of processes");
  upstream->callback([&exit_code] { exit_code = run_upstream(); });

  CLI::App* client = app.add_subcommand("demo-client", "One client process of the demonstration")->group("");
  const auto with = std::make_shared<client_settings>();
  const auto milliseconds = [client](const char* name, std::chrono::milliseconds& to) {
    client->add_option_function<int>(name, [&to](int n) { to = std::chrono::milliseconds(n); });
  };
  client->add_option("--payments", with->ports[payments]);
  client->add_option("--search", with->ports[search]);
  client->add_option("--threads", with->threads);
  add_bus_option(*client, with->bus, "where to tell of the transitions");
  milliseconds("--pace", with->pace);
  milliseconds("--timeout", with->timeout);
  milliseconds("--open-duration", with->open_duration);
  client->callback([with, &exit_code] { exit_code = run_client(*with); });

  CLI::App* instance = app.add_subcommand("demo-fleet-client", "One instance of the demonstration of a fleet")->group("");
  instance->add_option("number", "Shown in lists of processes");
  instance->callback([&exit_code] { exit_code = fleet::run_fleet_client(); });

  CLI::App* shared = app.add_subcommand("demo-fleet-upstream", "The upstream of the demonstration of a fleet")->group("");
  const auto addresses = std::make_shared<std::vector<std::string>>();
  shared->add_option("address", *addresses);
  shared->callback([addresses, &exit_code] { exit_code = fleet::run_fleet_upstream(*addresses); });
}

void add_fleet_options(CLI::App& demo, const std::shared_ptr<fleet_options>& o) {
  CLI::Option* fleet = demo.add_option_function<std::string>(
      "--fleet", [o](const std::string& url) { o->store = url; },
      "Instead of that, many instances that share what they see through the Redis at this URL; without one, or with \"start\", "
      "through a redis-server that is started for it");
  fleet->type_name("URL")->expected(0, 1)->default_str("start");
  const auto only_there = [fleet](CLI::Option* option) { return option->needs(fleet)->group("With --fleet"); };
  only_there(demo.add_option("--processes", o->processes, "Instances, 2 to 64"))
      ->check(CLI::Range(2, 64))->type_name("N")->capture_default_str();
  only_there(demo.add_option("--rounds", o->rounds, "How often the upstream fails, 1 to 10000; default: all faults, all phases"))
      ->check(CLI::Range(1, 10000))->type_name("N");
  only_there(demo.add_option("--faults", o->faults, "What is done to Redis: some of kill,stop,flush,restart,cut; or all; none"))
      ->type_name("LIST")->capture_default_str();
  only_there(demo.add_option("--mode", o->sharing, "When the circuit of the fleet opens: any, quorum (of 2) or evidence"))
      ->check(CLI::IsMember({"any", "quorum", "evidence"}))->type_name("MODE")->capture_default_str();
  only_there(demo.add_option("--limit", o->limit, "Probes at a time, of all instances together, 1 to 10"))
      ->check(CLI::Range(1, 10))->type_name("N")->capture_default_str();
  only_there(demo.add_flag("--strict", o->strict, "Exit status 1 also when a target is missed"));
}

}  // namespace

void add_demo_command(CLI::App& app, int& exit_code) {
  CLI::App* demo = app.add_subcommand("demo", "Show a circuit that opens, rejects and recovers, with real processes");
  const auto options = std::make_shared<demo_options>();
  const auto fleet = std::make_shared<fleet_options>();
  CLI::Option* seconds = demo->add_option("--seconds", options->seconds, "How long it takes, 5 to 3600")
      ->check(CLI::Range(5, 3600))
      ->type_name("N")
      ->capture_default_str();
  CLI::Option* bus = add_bus_option(*demo, options->bus, "tell this bus of the transitions of the clients' circuits");
  demo->add_flag("--json", options->json, "The result as JSON; progress on standard error");
  CLI::Option* listen = demo->add_option("--listen", options->page.listen,
                                         "Where the page is shown; default: 127.0.0.1:8600, or any free port");
  listen->type_name("ADDRESS:PORT");
  demo->add_flag("!--no-dashboard", options->page.shown, "Show no page");
  demo->footer(
      "Two HTTP servers, payments and search, run as processes of their own, and two\n"
      "client processes call them through circuit breakers. Beside each guarded thread\n"
      "an unguarded twin makes the same calls. After a fifth of the time payments is\n"
      "killed with SIGKILL, later it is started again.\n"
      "A page on loopback shows the circuits of both clients, live, until the end;\n"
      "its address, which lets you act on them too, is printed first.\n"
      "Only loopback ports are used, and no process is left behind.\n"
      "\n"
      "With --fleet, instances share one truth through Redis. Round by round their\n"
      "upstream fails and comes back, and while they notice, wait, probe and recover,\n"
      "Redis is killed, stopped, emptied or restarted, or one instance is cut off from\n"
      "it by a network of its own (as root). What is counted at the upstream itself\n"
      "and timed in each process is shown at the end. --seconds: no round begins later.\n"
      "\n"
      "Exit status: 0 every circuit opened and recovered, 1 one did not or something\n"
      "failed; with --fleet: 1 there were more probes than allowed, or the instances\n"
      "did not agree in the end. 130 after Ctrl-C.");
  add_fleet_options(*demo, fleet);
  demo->callback([=, &exit_code] {
    if (!fleet->store) {
      exit_code = run_demo(*options);
      return;
    }
    // The environment names a bus for all commands; here, it is only refused when it was asked for.
    if (bus->count() > 0 && std::getenv("SWITCHGEAR_BUS") == nullptr) throw usage_error("--bus does not go with --fleet");
    if (listen->count() > 0) throw usage_error("--listen does not go with --fleet, which shows no page");
    fleet::settings with = settings_of(*fleet);
    if (seconds->count() > 0) with.seconds = options->seconds;
    exit_code = fleet::run(with, options->json, fleet->strict);
  });
  add_child_commands(app, exit_code);
}
