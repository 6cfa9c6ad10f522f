// SPDX-License-Identifier: Apache-2.0
#include <switchgear/config/value.hpp>

#include <csignal>
#include <ctime>
#include <iostream>
#include <memory>
#include <sys/ioctl.h>
#include <unistd.h>

#include "circuits.hpp"
#include "command.hpp"
#include "console.hpp"

namespace host = switchgear::host;

namespace {

struct request {
  std::vector<std::string> names;
  bool json = false;
  bool watch = false;
  std::string interval = "1s";
};

std::string override_text(const host::circuit_view& view) {
  const auto& o = view.snapshot.operator_override;
  if (!o) return view.configuration.enabled ? "" : "enabled = false";
  std::string text = o->owner.empty() ? o->reason : o->owner + ": " + o->reason;
  if (o->until) text += " (until " + local_time(*o->until) + ")";
  return text;
}

table status_table(const std::vector<host::circuit_view>& circuits) {
  table t({"NAME", "STATE", "FOR", "FAILURES", "REJECTED", "RETRY AFTER", "OVERRIDE"});
  for (const auto& view : circuits) {
    const auto& s = view.snapshot;
    std::string shown = std::string(to_string(s.state));
    if (view.configuration.shadow) shown += " (shadow)";
    t.add({{s.name},
           {shown, colour_of(s.state)},
           {spoken(s.time_in_state)},
           {std::to_string(s.window.failures) + " of " + std::to_string(s.window.calls)},
           {std::to_string(s.metrics.rejections)},
           {s.retry_after ? spoken(*s.retry_after) : ""},
           {override_text(view)}});
  }
  return t;
}

std::string json_of(const circuit_list& list) {
  std::string out = "[";
  for (const auto& view : list.circuits) {
    if (out.size() > 1) out += ",\n ";
    out += to_json(view.snapshot);
  }
  return out + "]";
}

int print_once(const request& r) {
  const circuit_list list = read_circuits(r.names);
  if (r.json) {
    std::cout << json_of(list) << std::endl;
  } else if (!list.circuits.empty()) {
    for (const auto& line : status_table(list.circuits).lines(output_wants_colour())) std::cout << line << "\n";
    std::cout.flush();
  } else if (list.problems.empty()) {
    std::cout << "no circuits yet in " << host::default_state_folder().string() << std::endl;
  }
  for (const auto& problem : list.problems) std::cerr << "switchgear: error: " << problem << "\n";
  return list.problems.empty() ? 0 : 1;
}

/// The second screen of the terminal, which gives back what was there before when it goes.
class full_screen {
 public:
  full_screen() { std::cout << "\x1b[?1049h\x1b[?25l\x1b[2J" << std::flush; }
  full_screen(const full_screen&) = delete;
  full_screen& operator=(const full_screen&) = delete;
  ~full_screen() { std::cout << "\x1b[?25h\x1b[?1049l" << std::flush; }

  /// Draws over what is there, so that nothing flickers; what does not fit is left out.
  static void draw(const std::vector<std::string>& lines, std::size_t rows) {
    std::string out = "\x1b[H";
    for (std::size_t i = 0; i < lines.size() && i < rows; ++i) {
      if (i > 0) out += "\r\n";
      out += lines[i] + "\x1b[K";
    }
    std::cout << out << "\x1b[J" << std::flush;
  }
};

void draw(const request& r) {
  winsize size{};
  if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) size = {24, 80, 0, 0};
  const circuit_list list = read_circuits(r.names);
  std::vector<std::string> lines = {cut("switchgear status, " + local_time(std::chrono::system_clock::now()) +
                                            ", every " + r.interval + ", Ctrl-C ends",
                                        size.ws_col),
                                    ""};
  const auto rows = status_table(list.circuits).lines(output_wants_colour(), size.ws_col);
  lines.insert(lines.end(), rows.begin(), rows.end());
  for (const auto& problem : list.problems) lines.push_back(cut("error: " + problem, size.ws_col));
  full_screen::draw(lines, size.ws_row);
}

/// Shows the status again and again until a signal ends it; a new size of the terminal shows it at once.
int watch(const request& r) {
  const auto read = switchgear::parse_duration(r.interval);
  if (!read) throw usage_error("--interval \"" + r.interval + "\": " + read.error);
  if (*read.value < std::chrono::milliseconds(10)) throw usage_error("--interval has to be 10ms or longer");
  const auto count = read.value->count();
  const timespec pause{.tv_sec = count / 1'000'000'000, .tv_nsec = count % 1'000'000'000};

  sigset_t waking;
  sigemptyset(&waking);
  for (const int s : {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGWINCH}) sigaddset(&waking, s);
  sigprocmask(SIG_BLOCK, &waking, nullptr);
  const bool screen = output_is_terminal() && !r.json;
  std::unique_ptr<full_screen> whole;
  if (screen) whole = std::make_unique<full_screen>();
  for (;;) {
    if (screen) {
      draw(r);
    } else {
      if (!r.json) std::cout << local_time(std::chrono::system_clock::now()) << "\n";
      print_once(r);
    }
    if (!std::cout) return 1;
    const int woken_by = sigtimedwait(&waking, nullptr, &pause);
    if (woken_by > 0 && woken_by != SIGWINCH) return woken_by == SIGINT ? 0 : 128 + woken_by;
  }
}

}  // namespace

void add_status_command(CLI::App& app, int& exit_code) {
  auto r = std::make_shared<request>();
  CLI::App* command = app.add_subcommand("status", "Show all circuits of this user, or those named");
  command->add_option("name", r->names, "circuits; default: all")->type_name("NAME");
  command->add_flag("--json", r->json, "as a JSON array, one object for each circuit");
  command->add_flag("--watch", r->watch, "show it again and again until Ctrl-C");
  command->add_option("--interval", r->interval, "how often --watch does so")
      ->type_name("DURATION")
      ->capture_default_str();
  command->footer(
      "FAILURES counts those in the window. A file that cannot be read is an error line; the others are shown all the\n"
      "same, and the exit status is 1.");
  command->callback([r, &exit_code] {
    for (const auto& name : r->names) require_name(name);
    exit_code = r->watch ? watch(*r) : print_once(*r);
  });
}
