// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <switchgear/config.hpp>
#include <switchgear/fleet/options.hpp>

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace switchgear::inline v1::simulation {

/// The service that all instances call.
struct upstream_settings {
  /// What it can work off, as a multiple of what all instances together ask of it: 0.01 … 1000.
  double capacity = 1.3;
  double cold_share = 0.3;  ///< of its capacity, when it has just come back: 0.001 … 1
  std::chrono::nanoseconds warm_up = std::chrono::seconds(5);   ///< from there to the whole; 0 … 1 h
  /// How long it is gone when it is overloaded while it warms up; 0 … 1 h.
  std::chrono::nanoseconds collapse = std::chrono::seconds(3);
  std::chrono::nanoseconds queue = std::chrono::milliseconds(500);  ///< the work that may wait; more fails
  std::chrono::nanoseconds latency = std::chrono::milliseconds(10);
  std::chrono::nanoseconds fails_after = std::chrono::milliseconds(50);  ///< how long a call takes that finds it dead
  std::chrono::nanoseconds slow_latency = std::chrono::seconds(2);       ///< of a call while it is slow
};

/// The way between an instance and the store. One connection each: what is sent in one direction arrives in that order.
struct network_settings {
  std::chrono::nanoseconds delay = std::chrono::microseconds(500);  ///< one way, on average; 0 … 10 s
  double loss = 0;    ///< chance of a message to be lost and sent again after a while, 0 … 0.5
  double resets = 0;  ///< chance of a message to find its connection broken, 0 … 0.5
  /// How far the clocks of instances and store are off, each at most: 0 … 0.02. Each rate changes now and then.
  double drift = 0.0001;
  std::chrono::nanoseconds service = std::chrono::microseconds(15);  ///< what one run of the script takes the store
};

/// A fleet to be simulated. The same settings give the same run, event by event.
struct settings {
  std::uint32_t instances = 100;  ///< 1 … 10,000
  std::uint64_t seed = 1;
  std::chrono::nanoseconds duration = std::chrono::minutes(10);  ///< 10 s … 24 h
  double calls_per_second = 2;                                   ///< of each instance, on average: 0.001 … 10,000
  /// What goes wrong, by name: see plan_names().
  std::string plan = "outage";
  /// False: no store at all, each instance decides alone.
  bool sharing = true;
  /// How each instance's circuit is configured. Its jitter is drawn from the seed.
  config circuit = default_circuit();
  /// How they share it; `url` and `instance` are not looked at.
  fleet::options fleet{};
  upstream_settings upstream{};
  network_settings network{};
  /// The script of the store, instead of the one that the library brings: to see what a mistake in it does.
  std::string script{};

  /// Five failures in a row open it for five seconds, longer each time up to half a minute; two probes close it.
  [[nodiscard]] static config default_circuit();
  /// Every problem at once; empty when the settings are good.
  [[nodiscard]] std::vector<problem> validate() const;
};

/// How often so many instances exchange what they know, so that one store can serve them: every 250 ms, for more than 1,000
/// instances proportionally less often. News do not wait for it.
[[nodiscard]] std::chrono::nanoseconds exchange_for(std::uint32_t instances) noexcept;

/// A named plan and what happens in it, one sentence.
struct plan_name {
  std::string_view name, about;
};
/// The plans there are, the simplest first.
[[nodiscard]] const std::vector<plan_name>& plan_names();

}  // namespace switchgear::inline v1::simulation
