// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <switchgear/config.hpp>
#include <switchgear/snapshot.hpp>

#include <string>

namespace switchgear::inline v1::host {

/// Everything about one circuit in a file at one moment, read without changing it.
struct circuit_view {
  switchgear::snapshot snapshot;  ///< its state is the truth of that moment, see circuit_breaker::state()
  config configuration;           ///< in force
  std::string reason;             ///< why the circuit is in the state that its last transition led to
  std::string instance;           ///< as state_file::instance()
};

}  // namespace switchgear::inline v1::host
