// SPDX-License-Identifier: Apache-2.0
#include <switchgear/event_bus.hpp>

#include <csignal>
#include <iostream>
#include <memory>
#include <mutex>
#include <optional>

#include "bus_options.hpp"
#include "command.hpp"
#include "console.hpp"
#include "ending.hpp"

namespace {

using switchgear::bus_notice;
using switchgear::event;

struct request {
  std::string bus;
  std::string pattern{switchgear::topics::all};
  bool json = false;
  std::optional<double> seconds;
};

const char* mark_of(const event& e) { return e.present ? " = " : "   "; }

/// `14:05:00   circuit payments closed → open: 5 consecutive failures (threshold 5)  [host/4711]`
std::string human_line(const event& e, bool coloured) {
  std::string what;
  if (e.present) {
    what = "circuit " + e.service + " is " + std::string(to_string(e.state)) + (e.reason.empty() ? "" : ": " + e.reason);
  } else {
    what = log_line(e);
  }
  constexpr std::string_view scheme = "switchgear://";
  std::string where = e.source;
  if (where.starts_with(scheme)) where.erase(0, scheme.size());
  std::string line = local_time(e.time) + mark_of(e) + printable(what);
  if (coloured) line = std::string("\x1b[") + colour_of(e.state) + "m" + line + "\x1b[0m";
  return where.empty() ? line : line + "  [" + printable(where) + "]";
}

/// Prints from the threads of the bus, a whole line at a time.
class printer {
 public:
  explicit printer(bool json) : json_(json), coloured_(!json && output_wants_colour()) {}

  void print(const event& e) {
    const std::string line = json_ ? to_json(e) : human_line(e, coloured_);
    const std::lock_guard lock(mutex_);
    std::cout << line << "\n" << std::flush;
    if (!std::cout) ::kill(::getpid(), SIGTERM);  // nobody reads any more; the main thread waits for this
  }

  void print(const bus_notice& n) {
    // Connections that are lost and made again, and what was lost with them: on the other stream, so that nothing is in the way of --json.
    const std::lock_guard lock(mutex_);
    std::cerr << "switchgear: " + printable(n.text) + "\n";
  }

 private:
  std::mutex mutex_;
  const bool json_, coloured_;
};

int run(const request& r) {
  const ending end;
  printer out(r.json);
  const auto bus = open_named_bus(r.bus, {.on_notice = [&out](const bus_notice& n) { out.print(n); }});
  const auto subscription =
      bus->subscribe(r.pattern, [&out](std::string_view, const event& e) { out.print(e); }, {.present = true});
  start_quietly(*bus);
  const int ended_by = end.wait(r.seconds);
  const auto seen = bus->metrics();
  bus->close();
  const bool lost = seen.missed != 0 || seen.undelivered != 0;
  if (lost) {
    std::cerr << "switchgear: not shown: " << seen.missed << " transitions that never came, " << seen.undelivered
              << " events that came too fast\n";
  }
  if (seen.connections == 0) {
    std::cerr << "switchgear: error: no connection to " << shown_bus(r.bus) << " could be made\n";
    return 1;
  }
  if (!std::cout) return 1;
  return ending::exit_status(ended_by);
}

constexpr const char* footer = R"(Examples:
  switchgear events --bus redis://127.0.0.1:6379/0
  switchgear events --bus redis://127.0.0.1:6379/0 --pattern 'circuit_breaker.state.payments*' --json --seconds 60
  switchgear events --bus kafka://127.0.0.1:9092/circuits | grep forced_open

First each circuit that the bus knows, as it is now (marked =), then what happens, one event a line; with --json as
CloudEvents. Messages about the bus itself go to standard error.

Topics are circuit_breaker.state.NAME for transitions and circuit_breaker.call.NAME for the rest; * in the pattern
stands for any run of characters.

Exit status: 0 the time was over or Ctrl-C, 1 the bus could never be reached, 2 the command line makes no sense)";

}  // namespace

void add_events_command(CLI::App& app, int& exit_code) {
  auto r = std::make_shared<request>();
  CLI::App* command = app.add_subcommand("events", "Print what happens to the circuits on a bus, as it happens");
  add_bus_option(*command, r->bus, "the bus to listen to")->required();
  command->add_option("--pattern", r->pattern, "which topics")->type_name("PATTERN")->capture_default_str();
  command->add_flag("--json", r->json, "CloudEvents in JSON, one a line");
  command->add_option("--seconds", r->seconds, "end after this time; default: Ctrl-C")
      ->check(CLI::Range(0.0, 31'536'000.0))
      ->type_name("N");
  command->footer(footer);
  command->callback([r, &exit_code] { exit_code = run(*r); });
}
