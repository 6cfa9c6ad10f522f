// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <switchgear/config.hpp>

#include <nlohmann/json_fwd.hpp>

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace switchgear::demo::fleet {

/// How the instances of the demonstration share what they see.
enum class mode : std::uint8_t { any, quorum, evidence };
inline constexpr std::string_view mode_names[] = {"any", "quorum", "evidence"};

/// What one instance is told at its start, as one line of JSON.
struct client_settings {
  int number = 0;
  std::string store;     ///< URL, with its password
  std::string name;      ///< of the fleet
  std::string upstream;  ///< URL
  demo::fleet::mode opening = mode::any;
  int threads = 3;                         ///< that call the upstream
  std::chrono::microseconds pace{37'500};  ///< of each thread
  std::chrono::microseconds quick{3'750};  ///< the same when it is to be the first to see a failure
  int limit = 2;                           ///< probes at a time
  std::chrono::milliseconds open_duration{500};
  std::chrono::milliseconds ramp_step{200};

  [[nodiscard]] config breaker() const;
};

[[nodiscard]] nlohmann::json to_json(const client_settings& s);
/// Throws nlohmann::json::exception.
[[nodiscard]] client_settings client_settings_from(const nlohmann::json& j);

/// Names of the circuits of each instance.
inline constexpr std::string_view upstream_circuit = "upstream";  ///< guards the calls to the upstream
inline constexpr std::string_view instant_circuit = "instant";    ///< guards calls that return at once, to be timed

/// The process of an instance. Reports on the descriptor `first_inherited`, one JSON object a line. On the next one it is told:
/// first its settings, then commands, one JSON object a line:
///
///     {"quick": true}   calls at its quick pace
///     {"window": 7}     what is timed from now on belongs to that window
///
/// and the end of the file ends it. The exit status.
int run_fleet_client();

}  // namespace switchgear::demo::fleet
