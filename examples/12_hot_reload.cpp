// SPDX-License-Identifier: Apache-2.0
//
// Circuits configured by a TOML file that is taken up when it changes. A file with a mistake is refused and all stays as it was.
#include "check.hpp"

#include <switchgear/registry.hpp>
#include <switchgear/testing/manual_clock.hpp>

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <thread>

namespace sg = switchgear;
using namespace std::chrono_literals;

const std::filesystem::path folder =
    std::filesystem::temp_directory_path() / ("switchgear_example_" + std::to_string(::getpid()));
const std::string path = folder / "circuits.toml";

/// Writes the file beside it and renames it over it, so that nobody ever reads half of it.
void write(const std::string& text) {
  std::ofstream(path + ".new") << text;
  std::filesystem::rename(path + ".new", path);
}

int main() {
  std::filesystem::create_directory(folder);
  write("[defaults]\njitter = 0.2\n\n[breaker.\"agent.*\"]\nsuccess_threshold = 4\n");

  // Without poll_interval the system tells of changes, at once. Polling goes by the clock, which here is moved by hand.
  sg::testing::manual_clock clock;
  {
    // [reload]
    sg::registry circuits{{.environment = sg::variables{{"SWITCHGEAR_CB_OPEN_DURATION", "2m"}, {"SWITCHGEAR_CB_WINDOW", "50"}},
                           .file = path,
                           .watch_file = true,
                           .poll_interval = 5s,
                           .on_report = [](const sg::registry_report& r) { std::cout << to_string(r) << "\n"; }},
                          clock};
    // [/reload]
    // [layers]
    auto writer = circuits.for_agent("writer", "llm");
    const sg::config got = writer->configuration();
    expect(got.success_threshold == 4);       // the table of agent.*, over the preset's 2
    expect(got.jitter == 0.2);                // [defaults] of the file
    expect(got.open_duration == 90s);         // the preset llm, over the environment's 2m
    expect(got.window == sg::calls(50));      // the environment, over the built-in 100
    expect(got.half_open_max_calls == 1);     // built in
    // [/layers]
    auto payments = circuits.get("payments");
    expect(payments->configuration().open_duration == 2min);

    const auto look_three_times = [&] {  // after each look a new timer is set
      for (int i = 0; i < 4; clock.advance(i++ < 3 ? 5s : 0s))
        while (clock.timers() == 0) std::this_thread::yield();
    };
    // Breakers that are there already take a new file up, and keep their state.
    payments->trip("maintenance");
    write("[breaker.payments]\nfailure_threshold = 9\n");
    look_three_times();  // a file is taken up once it has looked the same twice
    expect(payments->configuration().failure_threshold == 9 && payments->is_open());
    expect(writer->configuration().success_threshold == 2);  // no table names it any more

    // A mistake: nothing changes, and the report says where it is and what would be right.
    write("[breaker.payments]\nfailure_treshold = 2\n");
    look_three_times();
    expect(payments->configuration().failure_threshold == 9);
    expect(circuits.reports().back().kind == sg::registry_report_kind::file_refused);

    // Or by hand: the problems come back.
    expect(circuits.reload().size() == 1);
    write("[breaker.payments]\nfailure_threshold = 2\n");
    expect(circuits.reload().empty() && payments->configuration().failure_threshold == 2);
  }
  std::filesystem::remove_all(folder);
}
