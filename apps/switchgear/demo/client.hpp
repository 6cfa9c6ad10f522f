// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "tally.hpp"

#include <switchgear/config.hpp>

#include <array>
#include <chrono>
#include <string>

namespace switchgear::demo {

struct client_settings {
  std::array<int, upstream_names.size()> ports{};
  int threads = 3;                          ///< guarded ones; as many unguarded twins
  std::chrono::milliseconds pace{20};       ///< each thread calls both upstreams once in this time
  std::chrono::milliseconds timeout{500};   ///< of one call
  std::chrono::milliseconds open_duration{2000};
  std::string bus;                          ///< to be told of the transitions; empty: none

  [[nodiscard]] config breaker() const {
    return {.failure_threshold = 5, .open_duration = open_duration, .success_threshold = 2};
  }
};

/// The process of a client. Reports on the descriptor `first_inherited`, one JSON object a line; on the next one a first line
/// starts the calls, each further one is something to do to a circuit, and the end of the file stops the calls. The exit status.
int run_client(const client_settings& with);

}  // namespace switchgear::demo
