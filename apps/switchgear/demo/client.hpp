// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "tally.hpp"

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
};

/// The process of a client. Reports on the descriptor `first_inherited`, one JSON object a line; on the next one a byte
/// starts the calls and the end of the file stops them. The exit status.
int run_client(const client_settings& with);

}  // namespace switchgear::demo
