// SPDX-License-Identifier: Apache-2.0
#include <switchgear/config/value.hpp>
#include <switchgear/simulation/report.hpp>

#include <charconv>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <memory>
#include <unistd.h>

#include "command.hpp"
#include "console.hpp"

namespace simulation = switchgear::simulation;
namespace fleet = switchgear::fleet;
using namespace std::chrono_literals;

namespace {

struct request {
  simulation::settings of;
  double minutes = 10;
  std::string mode = "any";
  std::string runs = "both";
  std::string delay, open_for, exchange, ramp, warm_up, svg;
  bool json = false;
  bool quiet = false;
};

std::chrono::nanoseconds duration_of(const std::string& option, const std::string& text) {
  const auto read = switchgear::parse_duration(text);
  if (!read) throw usage_error(option + " \"" + text + "\": " + read.error);
  return *read.value;
}

/// `10%:1s,30%:2s`; `none`.
std::vector<fleet::ramp_step> ramp_of(const std::string& text) {
  std::vector<fleet::ramp_step> out;
  if (text == "none") return out;
  for (std::size_t at = 0; at <= text.size();) {
    const std::string step = text.substr(at, text.find(',', at) - at);
    at += step.size() + 1;
    const std::size_t colon = step.find("%:");
    double percent = 0;
    const char* const end = step.data() + std::min(colon, step.size());
    const auto read = std::from_chars(step.data(), end, percent);
    if (colon == std::string::npos || read.ec != std::errc() || read.ptr != end) {
      throw usage_error("--ramp \"" + text + "\": steps are written SHARE%:DURATION, for example 10%:1s,30%:1s,60%:1s, or none");
    }
    out.push_back({percent / 100, duration_of("--ramp", step.substr(colon + 2))});
  }
  return out;
}

fleet::sharing mode_of(const std::string& text) {
  if (text == "local") return fleet::sharing::local;
  if (text == "quorum") return fleet::sharing::quorum;
  if (text == "evidence") return fleet::sharing::evidence;
  return fleet::sharing::any;
}

simulation::settings settings_of(const request& r) {
  simulation::settings s = r.of;
  if (!(r.minutes > 0 && r.minutes <= 24 * 60)) throw usage_error("--minutes has to be above 0 and at most 1440");
  s.duration = std::chrono::nanoseconds(static_cast<std::int64_t>(r.minutes * 60e9));
  s.fleet.opening = mode_of(r.mode);
  if (!r.delay.empty()) s.network.delay = duration_of("--delay", r.delay);
  if (!r.open_for.empty()) {
    s.circuit.open_duration = duration_of("--open-for", r.open_for);
    s.circuit.max_open_duration = std::max(*s.circuit.max_open_duration, s.circuit.open_duration);
  }
  if (!r.warm_up.empty()) s.upstream.warm_up = duration_of("--warm-up", r.warm_up);
  if (!r.ramp.empty()) s.fleet.ramp = ramp_of(r.ramp);
  s.fleet.exchange_every = r.exchange.empty() ? simulation::exchange_for(s.instances) : duration_of("--exchange", r.exchange);
  return s;
}

/// One line on the terminal, while it runs.
class progress_line {
 public:
  progress_line(bool shown, std::string name, std::chrono::nanoseconds length)
      : shown_(shown && ::isatty(STDERR_FILENO) == 1), name_(std::move(name)), length_(length) {}
  progress_line(const progress_line&) = delete;
  progress_line& operator=(const progress_line&) = delete;
  ~progress_line() {
    if (drawn_) std::fputs("\r\x1b[K", stderr);
  }
  void operator()(std::chrono::nanoseconds done) {
    const auto now = std::chrono::steady_clock::now();
    if (!shown_ || now - last_ < 200ms) return;
    last_ = now;
    drawn_ = true;
    const double part = static_cast<double>(done.count()) / static_cast<double>(length_.count());
    const double gone = std::chrono::duration<double>(now - began_).count();
    std::fprintf(stderr, "\r%s: %.0f %%, %s to go\x1b[K", name_.c_str(), 100 * part,
                 spoken(std::chrono::nanoseconds(static_cast<std::int64_t>(gone * (1 - part) / part * 1e9))).c_str());
  }

 private:
  bool shown_;
  bool drawn_ = false;
  std::string name_;
  std::chrono::nanoseconds length_;
  std::chrono::steady_clock::time_point began_ = std::chrono::steady_clock::now(), last_;
};

std::string fixed(double value, int digits) {
  char text[48];
  std::snprintf(text, sizeof text, "%.*f", digits, value);
  return text;
}

void print_table(const simulation::comparison& c) {
  std::vector<table::heading> headings{{""}};
  std::vector<const simulation::report*> runs;
  if (c.shared) {
    headings.push_back({"WITH SHARING"});
    runs.push_back(&*c.shared);
  }
  if (c.alone) {
    headings.push_back({"WITHOUT"});
    runs.push_back(&*c.alone);
  }
  table t(std::move(headings));
  const auto row = [&](const std::string& name, const auto& value) {
    std::vector<table::cell> cells{{name}};
    for (const auto* run : runs) cells.push_back({value(*run)});
    t.add(std::move(cells));
  };
  using simulation::report;
  row("first instance knows after", [](const report& r) { return simulation::spoken(r.first_knows); });
  row("half know after", [](const report& r) { return simulation::spoken(r.half_know); });
  row("99 % know after", [](const report& r) { return simulation::spoken(r.most_know); });
  row("wasted calls", [](const report& r) { return std::to_string(r.wasted); });
  row("probes", [](const report& r) { return std::to_string(r.probes); });
  row("probes at a time, at most", [](const report& r) { return std::to_string(r.probes_at_once); });
  row("peak load / capacity after the revival", [](const report& r) { return fixed(r.overshoot, 2); });
  row("failed calls after the revival", [](const report& r) { return std::to_string(r.failed_after); });
  row("the upstream fell over again", [](const report& r) { return std::to_string(r.collapses) + " times"; });
  row("full service after", [](const report& r) { return simulation::spoken(r.full_service); });
  row("calls / rejected", [](const report& r) { return std::to_string(r.calls) + " / " + std::to_string(r.rejected); });
  row("messages per instance and second", [](const report& r) { return r.sharing ? fixed(r.messages, 2) : "-"; });
  row("the store is busy", [](const report& r) { return r.sharing ? fixed(100 * r.store_busy, 1) + " % of the time" : "-"; });
  std::cout << c.of.instances << (c.of.instances == 1 ? " instance, " : " instances, ") << fixed(c.of.calls_per_second, 2)
            << " calls a second each, plan " << c.of.plan << ", seed " << c.of.seed << "\n\n";
  for (const auto& line : t.lines(output_wants_colour())) std::cout << line << "\n";
}

bool tell_violation(const simulation::comparison& c) {
  for (const auto* r : {&c.shared, &c.alone}) {
    if (!*r || !(*r)->violated) continue;
    const simulation::violation& v = *(*r)->violated;
    std::cerr << "switchgear: error: violated: " << v.rule << "\n  seed " << c.of.seed << ", plan " << c.of.plan << ", after "
              << switchgear::format_duration(v.at) << (v.instance.empty() ? "" : ", instance " + v.instance) << "\n  " << v.what
              << "\n  the last events:\n";
    for (const auto& line : v.events) std::cerr << "    " << line << "\n";
    return true;
  }
  return false;
}

int simulate(const request& r) {
  simulation::comparison c;
  c.of = settings_of(r);
  const auto began = std::chrono::steady_clock::now();
  std::uint64_t events = 0;
  for (const bool sharing : {true, false}) {
    if (r.runs == (sharing ? "without" : "with")) continue;
    simulation::settings s = c.of;
    s.sharing = sharing;
    progress_line line(!r.quiet, sharing ? "with sharing" : "without", s.duration);
    simulation::report done = simulation::run(s, [&](std::chrono::nanoseconds at) { line(at); });
    events += done.events;
    (sharing ? c.shared : c.alone) = std::move(done);
  }
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
  if (!r.svg.empty()) {
    std::ofstream file(r.svg, std::ios::binary);
    file << simulation::to_svg(c);
    if (!file.flush()) throw std::runtime_error("cannot write " + r.svg);
  }
  if (r.json) {
    std::cout << to_json(c) << "\n";
  } else if (!r.quiet) {
    print_table(c);
    std::cout << "\n" << events << " events in " << fixed(seconds, 1) << " s, " << fixed(static_cast<double>(events) / seconds, 0)
              << " a second\n";
  }
  return tell_violation(c) ? 1 : 0;
}

std::string about_plans() {
  std::string out = "Plans:\n";
  for (const auto& p : simulation::plan_names()) {
    out += "  " + std::string(p.name) + std::string(13 - p.name.size(), ' ') + std::string(p.about) + "\n";
  }
  return out;
}

}  // namespace

void add_simulate_command(CLI::App& app, int& exit_code) {
  auto r = std::make_shared<request>();
  CLI::App* command = app.add_subcommand("simulate", "Run fleets of circuits on virtual time");
  command->require_subcommand(1);
  CLI::App* f = command->add_subcommand("fleet", "The real circuits, agents and store script of up to 10,000 instances");
  f->add_option("--instances", r->of.instances, "how many there are at first")->type_name("N")->capture_default_str();
  f->add_option("--seed", r->of.seed, "everything follows from it")->type_name("S")->capture_default_str();
  f->add_option("--minutes", r->minutes, "of virtual time")->type_name("M")->capture_default_str();
  f->add_option("--mode", r->mode, "when the circuit of the fleet opens")
      ->check(CLI::IsMember({"local", "any", "quorum", "evidence"}))
      ->type_name("MODE")
      ->capture_default_str();
  f->add_option("--runs", r->runs, "with sharing, without it, or both on the same seed")
      ->check(CLI::IsMember({"both", "with", "without"}))
      ->type_name("WHICH")
      ->capture_default_str();
  f->add_option("--plan", r->of.plan, "what goes wrong, see below")->type_name("NAME")->capture_default_str();
  f->add_option("--calls-per-second", r->of.calls_per_second, "of each instance")->type_name("RATE")->capture_default_str();
  f->add_option("--limit", r->of.circuit.half_open_max_calls, "probes in flight at a time")
      ->type_name("N")
      ->capture_default_str();
  f->add_option("--quorum", r->of.fleet.quorum, "instances that are enough, --mode quorum")
      ->type_name("N")
      ->capture_default_str();
  f->add_option("--open-for", r->open_for, "the first open period; default 5s")->type_name("DURATION");
  f->add_option("--ramp", r->ramp, "the way back: SHARE%:DURATION,… or none; default 10%:1s,30%:1s,60%:1s")->type_name("STEPS");
  f->add_option("--exchange", r->exchange, "between two exchanges; default 250ms, longer for more than 1000 instances")
      ->type_name("DURATION");
  f->add_option("--delay", r->delay, "of a message, one way, on average; default 500us")->type_name("DURATION");
  f->add_option("--loss", r->of.network.loss, "share of the messages that have to be sent again, 0 … 0.5")->type_name("SHARE");
  f->add_option("--resets", r->of.network.resets, "share of the messages that find their connection broken, 0 … 0.5")
      ->type_name("SHARE");
  f->add_option("--drift", r->of.network.drift, "how far the clocks are off at most, 0 … 0.02")
      ->type_name("SHARE")
      ->capture_default_str();
  f->add_option("--capacity", r->of.upstream.capacity, "of the upstream, as a multiple of what all ask of it")
      ->type_name("FACTOR")
      ->capture_default_str();
  f->add_option("--cold", r->of.upstream.cold_share, "of its capacity, when it has just come back")
      ->type_name("SHARE")
      ->capture_default_str();
  f->add_option("--warm-up", r->warm_up, "until it has the whole again; default 5s")->type_name("DURATION");
  f->add_flag("--json", r->json, "everything as one JSON object; the same seed gives the same bytes");
  f->add_option("--svg", r->svg, "draw load, open instances and probes over time into this file")->type_name("FILE");
  f->add_flag("--quiet", r->quiet, "no progress and no table; only what is wrong");
  f->footer(about_plans() +
            "\n"
            "Nothing takes real time and nothing is left to chance: the same options give the same run, event by event. Clocks\n"
            "drift, messages are late; the store runs the script that Redis runs, in the same Lua. At every event it is checked\n"
            "that probes never exceed the limit, that decisions never go back, that an instance that is cut off is on its own in\n"
            "time, and that all agree again afterwards. A violation is printed with what led to it; then the exit status is 1.\n"
            "\n"
            "  switchgear simulate fleet --instances 500 --plan partition --svg fleet.svg\n"
            "  for s in $(seq 100); do switchgear simulate fleet --plan chaos --seed $s --quiet || break; done");
  f->callback([r, &exit_code] { exit_code = simulate(*r); });
}
