// SPDX-License-Identifier: Apache-2.0
#include "../conductor.hpp"
#include "conductor.hpp"
#include "report.hpp"

#include <nlohmann/json.hpp>

#include <cstdio>

namespace switchgear::demo::fleet {

int run(const settings& with, bool json, bool strict) {
  // With --json standard output is one document and nothing else.
  screen show(json ? stderr : stdout, with.seconds.value_or(600));
  try {
    const results r = conduct(with, show);
    print(r, show);
    if (json) {
      std::puts(to_json(r, strict).dump(2).c_str());
      std::fflush(stdout);
    }
    return r.problems().empty() && (!strict || r.misses().empty()) ? 0 : 1;
  } catch (const interrupted& e) {
    show.line();
    show.line("Interrupted; every process of the demonstration has ended.");
    return 128 + e.signal();
  } catch (const std::exception& e) {
    std::fprintf(stderr, "switchgear demo: %s\n", e.what());
    return 1;
  }
}

}  // namespace switchgear::demo::fleet
