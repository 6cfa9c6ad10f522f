// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "client.hpp"
#include "histogram.hpp"
#include "plan.hpp"

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace switchgear::demo::fleet {

/// How long the guarded calls that touch no network took.
struct latencies {
  histogram single;  ///< ns of one call, timed alone
  histogram blocks;  ///< ns of latency_probe::block calls, timed together

  void add(const latencies& other) noexcept {
    single.add(other.single);
    blocks.add(other.blocks);
  }
};

/// What happened in one round. Times are nanoseconds on the monotonic clock of the host.
struct round_record {
  round_plan plan;
  std::int64_t down = 0;                               ///< when the upstream went
  std::vector<std::optional<std::int64_t>> opened;     ///< of each instance: its first opening since
  std::optional<std::int64_t> revived, whole;          ///< when the upstream was back; when all calls were admitted everywhere
  std::optional<std::int64_t> injected, healed, linked;  ///< the fault; when all instances had the store again
  int fleet_probes = 0, local_probes = 0;              ///< that reached the upstream
  int most_fleet = 0, most_local = 0, most_local_of_one = 0;  ///< at a time
  std::vector<std::string> problems;                   ///< promises that were not kept, one sentence each
  latencies timed;                                     ///< while the fault acted; of a round without one, always
};

/// The delays from the opening that opened the circuit of the fleet to those of the other instances, one for each. `deciding`
/// is how many openings it takes (1, or the quorum); `without` is an instance that could not hear of it, or -1.
[[nodiscard]] std::vector<std::int64_t> propagation(const round_record& r, int deciding, int without = -1);

/// Latencies during a fault against those of the quiet rounds just before and after it.
struct comparison {
  std::size_t round = 0;
  double single_ratio = 0, block_ratio = 0;  ///< of the 99th percentiles
};
/// One for each round with a fault that has numbers and a quiet neighbour with numbers.
[[nodiscard]] std::vector<comparison> compare(const std::vector<round_record>& rounds);

/// The middle value, or the mean of the two in the middle; 0 when there are none.
[[nodiscard]] double median(std::vector<double> values);

/// Everything there is to tell at the end.
struct results {
  int processes = 0, limit = 0;
  demo::fleet::mode opening = mode::any;
  double seconds = 0;
  std::string store;                        ///< in words
  std::vector<std::string> skipped;         ///< faults that could not be tried, and why
  std::vector<round_record> rounds;
  std::array<latencies, all_phases.size()> quiet;  ///< of the rounds without a fault, by phase
  std::map<std::string, std::uint64_t> counts;     ///< sums over the instances

  /// How many openings open the circuit of the fleet.
  [[nodiscard]] int deciding() const noexcept { return opening == mode::quorum ? 2 : 1; }
  /// Broken promises: of the probes, and of everybody agreeing in the end.
  [[nodiscard]] std::vector<std::string> problems() const;
  /// Targets that were missed, which a machine that is busy with something else may be the cause of.
  [[nodiscard]] std::vector<std::string> misses() const;

  /// All delays of rounds without a fault, and of those whose fault came while the circuits opened.
  [[nodiscard]] std::vector<std::int64_t> quiet_propagation() const;
  [[nodiscard]] std::vector<std::int64_t> disturbed_propagation() const;
};

/// The 99th percentile of quiet_propagation() is to be at most this; the latency may change by so much.
inline constexpr std::int64_t propagation_target = 50'000'000;
inline constexpr double latency_target = 1.10;

}  // namespace switchgear::demo::fleet
