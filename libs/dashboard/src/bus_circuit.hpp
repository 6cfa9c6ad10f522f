// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <switchgear/circuit_source.hpp>
#include <switchgear/event.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <vector>

namespace switchgear::inline v1::detail {

/// One circuit of a fleet, as far as its events tell. Not thread-safe.
class bus_circuit {
 public:
  static constexpr std::size_t most_changes = 100;

  /// The first event that was heard of it.
  explicit bus_circuit(const event& first);

  /// Takes over a transition or a present state.
  void take_state(const event& e);
  /// Counts a call.
  void take_call(const event& e);

  /// `counted`: its process is known to publish calls.
  [[nodiscard]] circuit_reading read(bool counted, std::chrono::system_clock::time_point now) const;
  [[nodiscard]] std::vector<state_change> changes() const { return {changes_.begin(), changes_.end()}; }
  [[nodiscard]] const std::string& name() const noexcept { return now_.name; }
  [[nodiscard]] const std::string& source() const noexcept { return source_; }

  std::uint64_t seen = 0;  ///< by which roll call it was named the last time

 private:
  snapshot now_;
  std::string reason_, instance_, source_;
  bool shadow_ = false;
  std::chrono::system_clock::time_point since_;
  std::optional<std::chrono::system_clock::time_point> retry_at_;
  std::deque<state_change> changes_;
};

/// Whether who publishes this event publishes every call.
[[nodiscard]] constexpr bool tells_of_all_calls(event_kind k) noexcept {
  return k == event_kind::success || k == event_kind::ignored;
}

}  // namespace switchgear::inline v1::detail
