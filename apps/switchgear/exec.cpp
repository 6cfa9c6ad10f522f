// SPDX-License-Identifier: Apache-2.0
#include <switchgear/config/value.hpp>
#include <switchgear/host/state_file.hpp>

#include <cerrno>
#include <cstring>
#include <iostream>
#include <memory>

#include "bus_options.hpp"
#include "child_process.hpp"
#include "circuits.hpp"
#include "command.hpp"
#include "config_options.hpp"
#include "console.hpp"
#include "exit_list.hpp"
#include "guarded_call.hpp"
#include "published_circuit.hpp"

namespace host = switchgear::host;
using std::chrono::nanoseconds;
using switchgear::verdict;

namespace {

// The exit statuses of exec itself; those that timeout(1) and the shells have too mean the same here.
constexpr int exit_rejected = 75;  // EX_TEMPFAIL of sysexits.h: try again later
constexpr int exit_timed_out = 124;
constexpr int exit_own_error = 125;
constexpr int exit_cannot_execute = 126;
constexpr int exit_not_found = 127;

struct request {
  std::string name;
  std::vector<std::string> command;
  config_options configuration;
  std::string timeout;
  std::string grace = "5s";
  std::string ignore_exit;
  std::string failure_exit;
  std::string bus;
  std::string shared;
  bool quiet = false;
};

nanoseconds duration_of(const std::string& text, const char* option) {
  const auto read = switchgear::parse_duration(text);
  if (!read) throw usage_error(std::string(option) + " \"" + text + "\": " + read.error);
  return *read.value;
}

std::string description_of(const child_end& end) {
  if (end.signal == 0) return "exit status " + std::to_string(end.status);
  const char* name = ::sigabbrev_np(end.signal);
  return "killed by signal " + std::to_string(end.signal) + (name == nullptr ? "" : std::string(" (SIG") + name + ")");
}

verdict judge(const child_end& end, const exit_list& ignored, const exit_list& failures) {
  if (ignored.has(end.status)) return verdict::ignored;
  const bool failed = failures.empty() ? end.status != 0 : failures.has(end.status);
  return failed ? verdict::failure : verdict::success;
}

int run(const request& r) {
  if (r.command.empty()) {
    throw usage_error(
        "there is no command; write it behind --, as in: switchgear exec --name backup -- rsync -a /data host:/backup");
  }
  require_name(r.name);
  const exit_list ignored = r.ignore_exit.empty() ? exit_list() : exit_list(r.ignore_exit, "--ignore-exit");
  const exit_list failures = r.failure_exit.empty() ? exit_list() : exit_list(r.failure_exit, "--failure-exit");
  child_limits limits;
  limits.grace = duration_of(r.grace, "--kill-after");
  if (!r.timeout.empty()) limits.timeout = duration_of(r.timeout, "--timeout");

  published_circuit published(r.bus);
  const auto layers = r.configuration.layers(r.name);
  const auto initial = switchgear::apply_layers(layers, switchgear::config{});
  const auto folder = host::state_folder::open_or_create(host::default_state_folder());
  const auto held = r.shared.empty() ? call_in_own_file(folder, r.name, initial, std::move(published), r.quiet)
                                     : call_in_shared_file(folder, r.shared, r.name, initial, std::move(published), r.quiet);
  guarded_call& call = *held;

  const signal_keeper signals;  // from here on a signal cannot end us with a permit in hand
  if (!call.begin(layers)) return exit_rejected;
  if (!limits.timeout) limits.timeout = call.configuration().call_timeout;
  if (*limits.timeout == nanoseconds{0}) limits.timeout.reset();
  limits.at_timeout = [&] {
    const std::string text = "timed out after " + switchgear::format_duration(*limits.timeout);
    if (!r.quiet) say(text + ": " + r.command.front());
    call.settle(verdict::timeout, text);
  };

  const child_end end = run_child(r.command, signals, limits);
  if (end.start_error != 0) {
    call.settle(verdict::ignored, {});
    say(r.command.front() + ": " + std::strerror(end.start_error));
    return end.start_error == ENOENT ? exit_not_found : exit_cannot_execute;
  }
  if (end.timed_out) return exit_timed_out;
  if (end.cancelled_by != 0) {
    call.settle(verdict::ignored, {});
    return 128 + end.cancelled_by;
  }
  call.settle(judge(end, ignored, failures), description_of(end));
  return end.status;
}

constexpr const char* footer = R"(Examples:
  switchgear exec --name backup -- rsync -a /data host:/backup
  switchgear exec --name api --failure-threshold 3 --open-duration 30s --timeout 10s -- curl -fsS https://api.example/
  switchgear exec --name import --ignore-exit 2,64-78 -- ./import.sh
  switchgear exec --shared shop --name payments -- ./settle.sh     # one circuit with the servers that share shop.circuits

A command that exits 0 is a success, any other exit status or a signal a failure. Each key of the configuration comes
from the first of these that names it: options, the TOML file, --preset, SWITCHGEAR_CB_* variables (then --env-file),
and last what the circuit was given before; so a value stays in force for a circuit until another one is given.

State is kept in $SWITCHGEAR_STATE_DIR, or $XDG_STATE_HOME/switchgear, or ~/.local/state/switchgear, and shared by all
processes of this user. Should exec itself be killed with SIGKILL, the command may live on; a probe it made comes free
after probe_timeout.

Exit status: that of the command (128+N when signal N killed it), or
  75  the circuit rejected the command; standard error says why and when to retry
  124 the command took longer than --timeout or call_timeout and was ended with its process group
  125 exec itself failed: bad options, a damaged state file
  126 the command cannot be executed    127 it does not exist    (neither counts as a failure)
  128+N exec was sent SIGINT, SIGTERM, SIGHUP or SIGQUIT, passed it on, and the call does not count)";

}  // namespace

void add_exec_command(CLI::App& app, int& exit_code, std::vector<std::string> command) {
  auto r = std::make_shared<request>();
  r->command = std::move(command);
  CLI::App* exec = app.add_subcommand(
      "exec", "Run a command through a circuit breaker: switchgear exec --name NAME [OPTIONS] -- COMMAND…");
  exec->add_option("--name", r->name, "the circuit; commands with the same name share it")
      ->required()
      ->type_name("NAME");
  exec->add_option("--timeout", r->timeout,
                   "end the command and its process group after this; for this call alone (see call_timeout)")
      ->type_name("DURATION");
  exec->add_option("--kill-after", r->grace, "how long after SIGTERM a timeout waits before SIGKILL")
      ->type_name("DURATION")
      ->capture_default_str();
  exec->add_option("--ignore-exit", r->ignore_exit, "exit statuses that say nothing about the dependency: 2,64-78")
      ->type_name("LIST");
  exec->add_option("--failure-exit", r->failure_exit, "only these exit statuses are failures; the others are successes")
      ->type_name("LIST");
  exec->add_option("--shared", r->shared,
                   "the circuit is one of the shared circuits FILE.circuits of the state folder, as servers use them")
      ->type_name("FILE");
  add_bus_option(*exec, r->bus, "tell this bus of the circuit's transitions; the command never waits for it");
  exec->add_flag("--quiet", r->quiet, "no lines about transitions; a rejection is still explained");
  r->configuration.add_to(*exec);
  exec->footer(footer);
  exec->callback([r, &exit_code] {
    exit_code = exit_own_error;
    exit_code = run(*r);
  });
}
