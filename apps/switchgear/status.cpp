// SPDX-License-Identifier: Apache-2.0
#include <switchgear/bus_source.hpp>
#include <switchgear/config/value.hpp>
#include <switchgear/host/file_name.hpp>

#include <algorithm>
#include <csignal>
#include <ctime>
#include <iostream>
#include <memory>
#include <optional>
#include <sys/ioctl.h>
#include <thread>
#include <unistd.h>

#include "bus_options.hpp"
#include "circuits.hpp"
#include "command.hpp"
#include "console.hpp"
#include "fleet_options.hpp"
#include "fleet_source.hpp"
#include "state_folder_source.hpp"
#include "status_view.hpp"

namespace host = switchgear::host;
using namespace std::chrono_literals;

namespace {

struct request {
  std::vector<std::string> names;
  std::string bus;
  fleet_choice fleet;
  bool json = false;
  bool watch = false;
  std::string interval = "1s";
};

/// How long a bus may take to connect and to tell of what it knows.
constexpr auto patience = 5s;
constexpr auto quiet = 300ms;

/// What there is to show at one moment.
struct shown {
  std::vector<switchgear::circuit_reading> circuits;
  std::vector<std::string> problems;
  std::string json;
};

/// Where it comes from: files, or a bus.
class reader {
 public:
  virtual ~reader() = default;
  virtual shown read() = 0;
  [[nodiscard]] virtual std::string nothing() const = 0;  ///< what is said when there are no circuits
};

std::string json_of(const circuit_list& list) {
  std::string out = "[";
  for (const auto& view : list.circuits) {
    if (out.size() > 1) out += ",\n ";
    out += to_json(view.snapshot);
  }
  return out + "]";
}

/// The circuits of `switchgear exec` and those that programs share; with names, those.
circuit_list read_files(const std::vector<std::string>& names) {
  std::optional<host::state_folder> folder;
  try {
    folder = host::state_folder::open(host::default_state_folder());
  } catch (const host::state_error& e) {
    if (e.what_kind() != host::state_error::kind::missing) throw;
  }
  std::vector<std::string> problems;
  std::vector<shared_circuit> shared;
  if (folder) shared = read_shared_circuits(*folder, problems);
  // One that only programs share is no unknown name.
  std::vector<std::string> of_exec = names;
  std::erase_if(of_exec, [&](const std::string& name) {
    const auto is_it = [&](const shared_circuit& c) { return c.view.snapshot.name == name; };
    if (std::ranges::none_of(shared, is_it)) return false;
    const auto files = folder->files();
    return std::ranges::find(files, host::file_name_of(name)) == files.end();
  });
  circuit_list out;
  if (names.empty() || !of_exec.empty()) out = read_circuits(of_exec);
  for (auto& c : shared) {
    if (names.empty() || std::ranges::find(names, c.view.snapshot.name) != names.end()) out.circuits.push_back(std::move(c.view));
  }
  out.problems.insert(out.problems.end(), problems.begin(), problems.end());
  return out;
}

class file_reader final : public reader {
 public:
  explicit file_reader(const request& r) : r_(r) {}
  shown read() override {
    circuit_list list = read_files(r_.names);
    shown out{.circuits = {}, .problems = std::move(list.problems), .json = r_.json ? json_of(list) : ""};
    for (auto& view : list.circuits) out.circuits.push_back(reading_of(std::move(view)));
    return out;
  }
  [[nodiscard]] std::string nothing() const override {
    return "no circuits yet in " + host::default_state_folder().string();
  }

 private:
  const request& r_;
};

class bus_reader final : public reader {
 public:
  explicit bus_reader(const request& r) : r_(r), bus_(open_named_bus(r.bus)), source_(*bus_) {
    start_quietly(*bus_);
    wait_for_what_is_known();
  }
  shown read() override {
    shown out{.circuits = source_.read(), .problems = source_.problems(), .json = "["};
    if (!bus_->metrics().connected) out.problems.push_back("no connection to " + shown_bus(r_.bus));
    if (!r_.names.empty()) {
      std::erase_if(out.circuits, [&](const auto& c) { return std::ranges::find(r_.names, c.now.name) == r_.names.end(); });
    }
    for (const auto& c : out.circuits) out.json += (out.json.size() > 1 ? ",\n " : "") + to_json(c.now);
    out.json += "]";
    return out;
  }
  [[nodiscard]] std::string nothing() const override { return "no circuits on " + shown_bus(r_.bus); }

 private:
  /// A bus tells of the circuits that it knows one by one, and not which is the last: until none has come for a while.
  void wait_for_what_is_known() {
    using clock = std::chrono::steady_clock;
    const auto end = clock::now() + patience;
    std::size_t known = 0;
    for (auto last_change = clock::now(); clock::now() < end; std::this_thread::sleep_for(20ms)) {
      const auto seen = bus_->metrics();
      if (!seen.connected || seen.circuits != known) last_change = clock::now();
      known = seen.circuits;
      if (clock::now() - last_change >= quiet) return;
    }
  }

  const request& r_;
  const std::unique_ptr<switchgear::event_bus> bus_;
  switchgear::bus_source source_;
};

/// The circuits that a fleet has decided about, and in JSON how each instance sees them.
class fleet_reader final : public reader {
 public:
  explicit fleet_reader(const request& r) : r_(r), source_(open_fleet(r.fleet), shown_fleet(r.fleet)) {}
  shown read() override {
    shown out{.circuits = {}, .problems = {}, .json = "["};
    try {
      out.circuits = source_.read();
      for (const auto& name : r_.names) {
        if (std::ranges::none_of(out.circuits, [&](const auto& c) { return c.now.name == name; })) {
          out.problems.push_back("the " + shown_fleet(r_.fleet) + " has decided nothing about a circuit " + name);
        }
      }
      if (!r_.names.empty()) {
        std::erase_if(out.circuits, [&](const auto& c) { return std::ranges::find(r_.names, c.now.name) == r_.names.end(); });
      }
      for (const auto& c : out.circuits) {
        if (!r_.json) break;
        const auto more = source_.detail(c.now.name, {});
        out.json += (out.json.size() > 1 ? ",\n " : "") + to_json(c, more ? more->instances : decltype(more->instances)());
      }
    } catch (const std::exception& e) {  // while it is watched, Redis may go and come
      out.problems.push_back(shown_fleet(r_.fleet) + ": " + e.what());
    }
    out.json += "]";
    return out;
  }
  [[nodiscard]] std::string nothing() const override {
    return "the " + shown_fleet(r_.fleet) + " has decided nothing about any circuit yet";
  }

 private:
  const request& r_;
  fleet_source source_;
};

std::unique_ptr<reader> open_reader(const request& r) {
  if (r.fleet.given()) return std::make_unique<fleet_reader>(r);
  if (r.bus.empty()) return std::make_unique<file_reader>(r);
  return std::make_unique<bus_reader>(r);
}

int print_once(const request& r, reader& from) {
  shown now = from.read();
  if (r.json) {
    std::cout << now.json << std::endl;
  } else if (!now.circuits.empty()) {
    for (const auto& line : status_view().table_lines(std::move(now.circuits), output_wants_colour())) std::cout << line << "\n";
    std::cout.flush();
  } else if (now.problems.empty()) {
    std::cout << from.nothing() << std::endl;
  }
  for (const auto& problem : now.problems) std::cerr << "switchgear: error: " << problem << "\n";
  return now.problems.empty() ? 0 : 1;
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

void draw(const request& r, reader& from, status_view& view) {
  winsize size{};
  if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) size = {24, 80, 0, 0};
  shown now = from.read();
  std::vector<std::string> lines = {cut("switchgear status, " + local_time(std::chrono::system_clock::now()) +
                                            ", every " + r.interval + ", Ctrl-C ends",
                                        size.ws_col)};
  const auto time = std::chrono::steady_clock::now().time_since_epoch();
  auto rest = view.lines(std::move(now.circuits), now.problems, output_wants_colour(), size.ws_col, time);
  lines.insert(lines.end(), std::make_move_iterator(rest.begin()), std::make_move_iterator(rest.end()));
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
  const auto from = open_reader(r);
  status_view view;
  const bool screen = output_is_terminal() && !r.json;
  std::unique_ptr<full_screen> whole;
  if (screen) whole = std::make_unique<full_screen>();
  for (;;) {
    if (screen) {
      draw(r, *from, view);
    } else {
      if (!r.json) std::cout << local_time(std::chrono::system_clock::now()) << "\n";
      print_once(r, *from);
    }
    if (!std::cout) return 1;
    const int woken_by = sigtimedwait(&waking, nullptr, &pause);
    if (woken_by > 0 && woken_by != SIGWINCH) return woken_by == SIGINT ? 0 : 128 + woken_by;
  }
}

}  // namespace

void add_status_command(CLI::App& app, int& exit_code) {
  auto r = std::make_shared<request>();
  CLI::App* command = app.add_subcommand("status", "Show all circuits of this user, of a bus or of a fleet, or those named");
  command->add_option("name", r->names, "circuits; default: all")->type_name("NAME");
  CLI::Option* bus = add_bus_option(*command, r->bus, "show the circuits that this bus tells of")->envname("");
  add_fleet_options(*command, r->fleet, "show those that this fleet has decided about")->excludes(bus);
  command->add_flag("--json", r->json, "as a JSON array, one object for each circuit");
  command->add_flag("--watch", r->watch, "show it again and again until Ctrl-C");
  command->add_option("--interval", r->interval, "how often --watch does so")
      ->type_name("DURATION")
      ->capture_default_str();
  command->footer(
      "The circuits that reject calls come first. FAILURES and SLOW are of the window, REJECTED counts since the beginning,\n"
      "CALLS/S since the lines before. On a narrow terminal the less important columns are left out. `switchgear dashboard`\n"
      "shows the same and more on a page.\n"
      "\n"
      "Of --fleet only the circuits are shown that the fleet has ever decided about; --json tells how each instance sees them.\n"
      "\n"
      "A file that cannot be read is an error line; the others are shown all the same, and the exit status is 1.");
  command->callback([r, &exit_code] {
    for (const auto& name : r->names) require_name(name);
    exit_code = r->watch ? watch(*r) : print_once(*r, *open_reader(*r));
  });
}
