// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <switchgear/detail/shared_home.hpp>

#include "shared_table.hpp"

namespace switchgear::inline v1::host {

/// A circuit in a file of shared circuits, as a breaker sees it.
class file_home final : public detail::shared_home, private fork_listener {
 public:
  explicit file_home(mapped_circuit where);
  ~file_home() override;

  [[nodiscard]] machine::foreign_block<std::atomic> block() const noexcept override;
  [[nodiscard]] std::int64_t origin() const noexcept override { return where_.file().origin(); }
  void attach(circuit_breaker& which) noexcept override { breaker_ = &which; }
  [[nodiscard]] detail::shared_regime regime() const override;
  void reconfigure(const config& next) override;
  void add(const machine::transition& t, std::string_view reason, std::chrono::system_clock::time_point when) noexcept override;
  [[nodiscard]] std::vector<state_change> history() const override;
  void note_failure(std::string_view text) noexcept override;
  [[nodiscard]] std::string last_failure() const override;
  void note_override(std::uint64_t generation, const detail::override_note& note) noexcept override;
  [[nodiscard]] std::optional<detail::override_note> override_of(std::uint64_t generation) const override;

 private:
  void forked(std::uint32_t first_lane, std::uint32_t own_lanes) noexcept override;

  const mapped_circuit where_;
  circuit_breaker* breaker_ = nullptr;
};

/// The transitions of a circuit that are whole, oldest first, at most as many as it keeps.
[[nodiscard]] std::vector<state_change> history_of(const record_view& record, std::int64_t most);

}  // namespace switchgear::inline v1::host
