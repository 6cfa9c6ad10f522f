// SPDX-License-Identifier: Apache-2.0
#include <switchgear/bus_source.hpp>
#include <switchgear/config/patch.hpp>
#include <switchgear/config/value.hpp>
#include <switchgear/dashboard.hpp>
#include <switchgear/host/state_folder.hpp>
#include <switchgear/json.hpp>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <iostream>
#include <memory>

#include "bus_options.hpp"
#include "command.hpp"
#include "console.hpp"
#include "ending.hpp"
#include "fleet_options.hpp"
#include "fleet_source.hpp"
#include "merged_sources.hpp"
#include "state_folder_source.hpp"

namespace {

using switchgear::circuit_source;

struct request {
  std::string bus;
  std::string state_dir;
  fleet_choice fleet;
  std::string token_file;
  std::string refresh = "1s";
  std::string ready = "no-critical-open";
  bool json = false;
  switchgear::dashboard_options options;
};

constexpr std::size_t most_of_token_file = 1024;

/// How long one question to a fleet's store may take: the page is stale meanwhile.
constexpr auto most_of_a_look = std::chrono::seconds(1);

/// The first line of the file, which nobody else may be able to read.
std::string read_token(const std::string& path) {
  const std::string name = "--token-file \"" + path + "\"";
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) throw usage_error(name + ": " + std::strerror(errno));
  struct stat facts {};
  char text[most_of_token_file];
  const bool known = ::fstat(fd, &facts) == 0;
  const ssize_t n = ::read(fd, text, sizeof text);
  ::close(fd);
  if (!known || n < 0) throw usage_error(name + ": it cannot be read");
  if (S_ISREG(facts.st_mode) && (facts.st_mode & 077U) != 0) {
    throw usage_error(name + ": others may read it; `chmod 600` it, and think about a new token");
  }
  std::string token(text, static_cast<std::size_t>(n));
  token.erase(std::min(token.find_first_of("\r\n"), token.size()));
  if (token.empty()) throw usage_error(name + ": its first line is empty, and should be the token");
  return token;
}

std::chrono::nanoseconds duration_of(const char* option, const std::string& text) {
  const auto read = switchgear::parse_duration(text);
  if (!read) throw usage_error(std::string(option) + " \"" + text + "\": " + read.error);
  return *read.value;
}

/// What the page shows, and in words where it comes from.
struct shown_circuits {
  std::unique_ptr<switchgear::event_bus> bus;
  std::shared_ptr<circuit_source> source;
  std::string words;
};

shown_circuits find_circuits(const request& r) {
  shown_circuits out;
  std::vector<std::shared_ptr<circuit_source>> all;
  // The folder first: of a circuit that both know, it is the one to act on.
  if ((r.bus.empty() && !r.fleet.given()) || !r.state_dir.empty()) {
    const std::filesystem::path folder =
        r.state_dir.empty() ? switchgear::host::default_state_folder() : std::filesystem::path(r.state_dir);
    all.push_back(std::make_shared<state_folder_source>(folder));
    out.words = "the circuits in " + folder.string();
  }
  if (r.fleet.given()) {
    all.push_back(std::make_shared<fleet_source>(open_fleet(r.fleet, most_of_a_look), shown_fleet(r.fleet)));
    out.words += (out.words.empty() ? "the circuits of " : " and of ") + shown_fleet(r.fleet);
  }
  if (!r.bus.empty()) {
    out.bus = open_named_bus(r.bus, {.on_notice = [](const switchgear::bus_notice& n) {
                               std::cerr << "switchgear: " + printable(n.text) + "\n";
                             }});
    all.push_back(std::make_shared<switchgear::bus_source>(*out.bus));
    out.words += (out.words.empty() ? "the circuits on " : " and on ") + shown_bus(r.bus);
  }
  out.source = all.size() == 1 ? all.front() : std::make_shared<merged_sources>(std::move(all));
  return out;
}

switchgear::dashboard_options options_of(const request& r) {
  switchgear::dashboard_options o = r.options;
  o.refresh = duration_of("--refresh", r.refresh);
  o.ready = r.ready == "always" ? switchgear::readiness::always : switchgear::readiness::no_critical_open;
  o.on_notice = [](const std::string& text) { std::cerr << "switchgear: " + printable(text) + "\n"; };
  if (!r.token_file.empty()) o.token = read_token(r.token_file);
  return o;
}

/// Whoever starts it on his own machine and sees the address may act; for anything beyond he says who.
bool makes_own_token(const switchgear::dashboard_options& o) {
  if (!o.token.empty() || o.read_only) return false;
  switchgear::dashboard_options with_token = o;
  with_token.token = switchgear::make_token();
  return o.validate().empty() || !with_token.validate().empty();
}

void introduce(const request& r, const switchgear::dashboard& page, const shown_circuits& shown, bool own_token) {
  if (r.json) {
    std::cout << "{\"url\":" << switchgear::json_string(page.url()) << ",\"port\":" << page.port();
    if (own_token) std::cout << ",\"url_with_token\":" << switchgear::json_string(page.url_with_token());
    std::cout << "}" << std::endl;
    return;
  }
  std::cout << "The page is at " << (own_token ? page.url_with_token() : page.url()) << "\n";
  if (own_token) std::cout << "Whoever has the whole address may act on circuits.\n";
  if (r.options.read_only) std::cout << "It is read-only: nobody can act on circuits.\n";
  std::cout << "It shows " << printable(shown.words) << ". Ctrl-C ends it." << std::endl;
}

int run(const request& r) {
  const ending end;
  switchgear::dashboard_options options = options_of(r);
  const bool own_token = makes_own_token(options);
  if (own_token) options.token = switchgear::make_token();
  try {
    shown_circuits shown = find_circuits(r);
    const switchgear::dashboard page(shown.source, options);
    if (shown.bus) start_quietly(*shown.bus);
    introduce(r, page, shown, own_token);
    return ending::exit_status(end.wait());
  } catch (const switchgear::config_error& e) {
    throw usage_error(switchgear::describe(e.problems()));
  }
}

constexpr const char* footer = R"text(Examples:
  switchgear dashboard                                              the circuits of `switchgear exec` on this host
  switchgear dashboard --bus redis://127.0.0.1:6379/0 --read-only   what a bus tells, to look at
  switchgear dashboard --fleet redis://127.0.0.1:6379/0             a whole fleet, to look at and to act on
  switchgear dashboard --listen 0.0.0.0:8600 --token-file token     for others too: they need the token
  curl -H "Authorization: Bearer $(cat token)" http://host:8600/api/v1/circuits

Without --token-file a token is made anew each time and stands in the printed address. Beyond loopback it refuses to
start without --token-file or --tls-in-front.

The page has JSON behind it: /api/v1/openapi.json describes it. /metrics is for Prometheus, /healthz and /readyz for
whoever restarts and routes. On a bus circuits can be looked at only; act where they live. What is done to a circuit of
--fleet is done at all instances; it shows the circuits that the fleet has ever decided about.

Exit status: 0 Ctrl-C, 1 it could not listen, 2 the command line makes no sense)text";

}  // namespace

void add_dashboard_command(CLI::App& app, int& exit_code) {
  auto r = std::make_shared<request>();
  CLI::App* command = app.add_subcommand("dashboard", "Show all circuits on a page, live, and act on them");
  command->add_option("--listen", r->options.listen, "where; port 0 takes any free one")
      ->type_name("ADDRESS:PORT")
      ->capture_default_str();
  command->add_option("--token-file", r->token_file, "a private file whose first line is the token that acting takes")
      ->type_name("FILE");
  command->add_flag("--tls-in-front", r->options.tls_in_front, "a proxy in front speaks TLS and decides who comes through");
  command->add_flag("--read-only", r->options.read_only, "nobody can act");
  add_bus_option(*command, r->bus, "show the circuits that this bus tells of");
  add_fleet_options(*command, r->fleet, "show the circuits that this fleet shares, and how each instance sees them")
      ->envname("SWITCHGEAR_FLEET");
  command
      ->add_option("--state-dir", r->state_dir,
                   "show those in this state folder; default without --bus and --fleet: that of exec")
      ->type_name("FOLDER");
  command->add_option("--host", r->options.hosts, "a further name under which browsers come, as behind a proxy")
      ->type_name("NAME");
  command->add_option("--critical", r->options.critical, "circuits that make /readyz say no while they are open; * matches")
      ->type_name("PATTERN");
  command->add_option("--ready", r->ready, "no-critical-open, or always")
      ->check(CLI::IsMember({"no-critical-open", "always"}))
      ->type_name("POLICY")
      ->capture_default_str();
  command->add_option("--audit-file", r->options.audit_file, "append every action to this file, as JSON lines")
      ->type_name("FILE");
  command->add_option("--title", r->options.title, "the heading")->type_name("TEXT")->capture_default_str();
  command->add_option("--refresh", r->refresh, "how often it looks")->type_name("DURATION")->capture_default_str();
  command->add_flag("--json", r->json, "print the address as JSON");
  command->footer(footer);
  command->callback([r, &exit_code] { exit_code = run(*r); });
}
