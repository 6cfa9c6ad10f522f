// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace bench {

/// A healthy guarded call in nanoseconds, as one thread sees it while a second one calls the same circuit all the time.
struct shared_calls {
  double in_process = 0;        ///< a breaker in memory, two threads
  double host_healthy = 0;      ///< a shared circuit, two processes
  double fleet_healthy = 0;     ///< a breaker in memory that is a member of a fleet, two threads
};
[[nodiscard]] shared_calls measure_shared_calls();

/// What being a fleet costs: some instances with 1,000 circuits each and one Redis.
struct fleet_cost {
  double commands_quiet = 0;    ///< at the store, for each instance and second, scripts counted as one: while nothing happens
  double commands_busy = 0;     ///< while every circuit is called and some open and recover
  double bytes_of_a_circuit = 0;      ///< of an instance's memory
  double store_bytes_of_a_circuit = 0;  ///< of the store's memory, with every circuit open
  double worker_microseconds = 0;     ///< of processor time for each instance and second, while nothing happens
};
[[nodiscard]] fleet_cost measure_fleet_cost();

/// Events of the simulator in a second of real time, with 1,000 instances.
[[nodiscard]] double measure_simulated_events();

/// The other process of host_healthy: calls the circuit until it is killed.
int call_shared_circuit(const std::string& folder);

}  // namespace bench
