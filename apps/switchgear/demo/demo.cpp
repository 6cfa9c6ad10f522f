// SPDX-License-Identifier: Apache-2.0
#include "demo.hpp"

#include "../bus_options.hpp"
#include "../command.hpp"
#include "client.hpp"
#include "conductor.hpp"
#include "upstream.hpp"

#include <CLI/CLI.hpp>

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>

namespace {

using namespace switchgear::demo;

struct demo_options {
  int seconds = 20;
  bool json = false;
  std::string bus;
  page_settings page;
};

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
}

}  // namespace

void add_demo_command(CLI::App& app, int& exit_code) {
  CLI::App* demo = app.add_subcommand("demo", "Show a circuit that opens, rejects and recovers, with real processes");
  const auto options = std::make_shared<demo_options>();
  demo->add_option("--seconds", options->seconds, "How long it takes, 5 to 3600")
      ->check(CLI::Range(5, 3600))
      ->type_name("N")
      ->capture_default_str();
  add_bus_option(*demo, options->bus, "tell this bus of the transitions of the clients' circuits");
  demo->add_flag("--json", options->json, "The result as JSON; progress on standard error");
  demo->add_option("--listen", options->page.listen, "Where the page is shown; default: 127.0.0.1:8600, or any free port")
      ->type_name("ADDRESS:PORT");
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
      "Exit status: 0 every circuit opened and recovered, 1 one did not or something\n"
      "failed, 130 after Ctrl-C.");
  demo->callback([options, &exit_code] { exit_code = run_demo(*options); });
  add_child_commands(app, exit_code);
}
