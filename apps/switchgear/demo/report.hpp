// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "screen.hpp"
#include "tally.hpp"

#include <nlohmann/json.hpp>

#include <optional>
#include <string>
#include <vector>

namespace switchgear::demo {

/// What one client process has lived through with the upstream that is killed.
struct client_story {
  int pid = 0;
  std::optional<double> opened;     ///< seconds since the start, the first time after the kill
  std::optional<double> recovered;  ///< the last closing after the restart
  nlohmann::json transitions = nlohmann::json::array();
  nlohmann::json breakers;          ///< the snapshots at the end
};

struct results {
  double seconds = 0, killed_at = 0, restarted_at = 0;
  double timeout = 0;  ///< of one call, seconds
  tallies counts;
  std::vector<client_story> clients;

  /// What did not go as it should, one sentence each; empty when all is well.
  [[nodiscard]] std::vector<std::string> problems() const;
};

void print(const results& r, screen& to);
[[nodiscard]] nlohmann::json to_json(const results& r);

}  // namespace switchgear::demo
