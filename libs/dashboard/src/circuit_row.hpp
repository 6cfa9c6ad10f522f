// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <switchgear/circuit_source.hpp>
#include <switchgear/event.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

namespace switchgear::inline v1::detail {

/// What was measured over the last ten seconds.
struct measured_rates {
  double calls_per_second = 0;
  double failure_rate = 0;
  double slow_rate = 0;
  double rejection_rate = 0;
  friend bool operator==(const measured_rates&, const measured_rates&) = default;
};

/// Everything that the row of a circuit shows.
struct circuit_row {
  circuit_reading reading;
  bool critical = false;
  std::chrono::system_clock::time_point since{};                    ///< when the state was entered
  std::optional<std::chrono::system_clock::time_point> retry_at{};  ///< when a call may pass
  measured_rates rates{};
};

/// A row from what was read at `now`, with critical and rates as they were. Sources derive times from a monotonic clock, so the
/// same moment comes out some microseconds apart each time: where nothing else says that the moment is another, the time of
/// `before` stays.
[[nodiscard]] circuit_row row_after(const circuit_row* before, circuit_reading&& reading,
                                    std::chrono::system_clock::time_point now);

/// Whether both look the same; name, instance and critical are not compared.
[[nodiscard]] bool same_row(const circuit_row& a, const circuit_row& b) noexcept;

/// ROW of the API.
[[nodiscard]] std::string to_json(const circuit_row& row);

/// event::instance, or where it has none its source, as buses tell circuits apart.
[[nodiscard]] inline const std::string& instance_of(const event& e) noexcept {
  return e.instance.empty() ? e.source : e.instance;
}

/// What is kept of a text that somebody else wrote: 1,000 bytes, and no character in part.
[[nodiscard]] std::string kept_text(const std::string& text);

/// Larger is worse: closed, disabled, half_open, open, forced_open.
[[nodiscard]] int severity(state s) noexcept;

}  // namespace switchgear::inline v1::detail
