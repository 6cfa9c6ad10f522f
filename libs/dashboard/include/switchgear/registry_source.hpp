// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <switchgear/circuit_source.hpp>
#include <switchgear/registry.hpp>

#include <memory>

namespace switchgear::inline v1 {

/// The circuits of a registry of this process, which outlives the source. Operators can act on all of them.
///
/// Observing costs what event_filter::failures costs: calls that succeed stay as quick as they are.
///
/// A program whose circuits are shared with other processes gives the function that tells how those see a circuit:
///
///     auto seen = [&](std::string_view name) { return sg::instance_readings(member.views(name)); };
///     auto source = std::make_shared<sg::registry_source>(circuits, seen);
///     sg::dashboard page{source};
class registry_source final : public circuit_source {
 public:
  /// `instances` may be empty. What it throws is told in problems(), and the rest of the circuit is shown all the same.
  explicit registry_source(registry& circuits, instance_function instances = {});
  ~registry_source() override;

  [[nodiscard]] std::vector<circuit_reading> read() override;
  [[nodiscard]] std::optional<circuit_detail> detail(std::string_view name, std::string_view instance) override;
  action_outcome act(const circuit_action& action) override;
  [[nodiscard]] subscription observe(std::function<void(const event&)> handler) override;
  [[nodiscard]] std::vector<std::string> problems() override;

 private:
  struct memory;  // what was read the last time, because looking for reasons in long histories is dear
  registry& circuits_;
  const instance_function instances_;
  std::unique_ptr<memory> memory_;
};

}  // namespace switchgear::inline v1
