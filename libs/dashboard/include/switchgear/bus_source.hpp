// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <switchgear/circuit_source.hpp>
#include <switchgear/event_bus.hpp>

#include <cstddef>
#include <memory>

namespace switchgear::inline v1 {

/// The circuits of a whole fleet, as a bus tells of them; the bus outlives the source. Each process's circuit stands for itself.
///
/// A bus carries events, not counters: rates and counts are those of the call events that the members publish
/// (registry_options::bus_events = event_filter::everything), counted here since the source was made. Of circuits whose members
/// publish transitions alone, circuit_reading::counted is false. Operators act where the circuit lives, not here.
///
/// Keeps at most `most_circuits`, each with its last 100 transitions; a circuit beyond that is left out and told in problems().
class bus_source final : public circuit_source {
 public:
  explicit bus_source(event_bus& bus, std::size_t most_circuits = 100'000);
  ~bus_source() override;

  [[nodiscard]] std::vector<circuit_reading> read() override;
  [[nodiscard]] std::optional<circuit_detail> detail(std::string_view name, std::string_view instance) override;
  action_outcome act(const circuit_action& action) override;
  [[nodiscard]] subscription observe(std::function<void(const event&)> handler) override;
  [[nodiscard]] std::vector<std::string> problems() override;

 private:
  struct state;
  std::shared_ptr<state> state_;
};

}  // namespace switchgear::inline v1
