// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <switchgear/circuit_source.hpp>
#include <switchgear/registry.hpp>

#include <memory>

namespace switchgear::inline v1 {

/// The circuits of a registry of this process, which outlives the source. Operators can act on all of them.
///
/// Observing costs what event_filter::failures costs: calls that succeed stay as quick as they are.
class registry_source final : public circuit_source {
 public:
  explicit registry_source(registry& circuits);
  ~registry_source() override;

  [[nodiscard]] std::vector<circuit_reading> read() override;
  [[nodiscard]] std::optional<circuit_detail> detail(std::string_view name, std::string_view instance) override;
  action_outcome act(const circuit_action& action) override;
  [[nodiscard]] subscription observe(std::function<void(const event&)> handler) override;

 private:
  struct memory;  // what was read the last time, because looking for reasons in long histories is dear
  registry& circuits_;
  std::unique_ptr<memory> memory_;
};

}  // namespace switchgear::inline v1
