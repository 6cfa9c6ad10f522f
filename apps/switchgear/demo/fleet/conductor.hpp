// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "../screen.hpp"
#include "record.hpp"

#include <optional>
#include <string>
#include <vector>

namespace switchgear::demo::fleet {

struct settings {
  std::string store;                 ///< URL; empty: a redis-server of our own
  int processes = 8;                 ///< 2 … 64
  std::optional<int> seconds;        ///< no further round begins after that
  std::optional<int> rounds;         ///< empty: each fault in each phase
  std::vector<fault> faults{all_faults.begin(), all_faults.end()};
  demo::fleet::mode opening = mode::any;
  int limit = 2;                     ///< probes at a time
};

/// Runs the demonstration: starts the processes, lets the upstream die and come back, treats the store badly meanwhile, and
/// gathers what happened. Throws interrupted, or std::exception when a process cannot be started or ends before its time; no
/// process of it is left then.
[[nodiscard]] results conduct(const settings& with, screen& show);

/// The whole demonstration: the account of it, the table at its end and, with `json`, the same on standard output. The exit
/// status: 0, or 1 when a promise was broken or, with `strict`, a target was missed.
int run(const settings& with, bool json, bool strict);

}  // namespace switchgear::demo::fleet
