// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <iosfwd>
#include <string_view>

namespace switchgear::inline v1 {

/// What a circuit does with calls.
enum class state : std::uint8_t {
  closed,       ///< admits every call
  open,         ///< rejects every call until the open duration has passed
  half_open,    ///< admits a limited number of probes
  forced_open,  ///< rejects every call until an operator or a time-to-live ends it
  disabled,     ///< admits every call, none is evidence
};

/// What became of a call. `timeout` is a failure that we imposed.
enum class verdict : std::uint8_t { success, failure, timeout, ignored, abandoned };

/// Why a call was not admitted. `ramp`: the circuit is closed again, but only a growing share of the calls is let through
/// yet; see switchgear/fleet.
enum class rejection_reason : std::uint8_t { open, half_open_limit, forced_open, ramp };

/// The lower-case name, `half_open`.
[[nodiscard]] std::string_view to_string(state s) noexcept;
/// The name, `timeout`.
[[nodiscard]] std::string_view to_string(verdict v) noexcept;
/// The name, `half_open_limit`.
[[nodiscard]] std::string_view to_string(rejection_reason r) noexcept;

/// Writes the name.
std::ostream& operator<<(std::ostream& out, state s);
/// Writes the name.
std::ostream& operator<<(std::ostream& out, verdict v);
/// Writes the name.
std::ostream& operator<<(std::ostream& out, rejection_reason r);

}  // namespace switchgear::inline v1
