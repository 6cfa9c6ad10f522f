// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wire.hpp"

#include <switchgear/fleet/operators.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace switchgear::inline v1::fleet {

/// A record of the store, for people.
[[nodiscard]] inline decision decision_of(const record& r) {
  decision d;
  d.name = r.name;
  d.epoch = r.epoch;
  switch (r.state) {
    case fleet_state::closed: d.state = state::closed; break;
    case fleet_state::open: d.state = state::open; break;
    case fleet_state::forced_open: d.state = state::forced_open; break;
    case fleet_state::disabled: d.state = state::disabled; break;
  }
  if (r.remaining >= std::chrono::milliseconds(0)) d.remaining = r.remaining;
  d.attempt = r.attempt;
  d.failure_count = r.failure_count;
  d.successes = r.successes;
  d.cause = to_string(r.cause);
  d.reason = r.reason;
  d.owner = r.owner;
  d.by = r.by;
  return d;
}

[[nodiscard]] constexpr fleet_state state_after(operator_action a) noexcept {
  switch (a) {
    case operator_action::force_open: return fleet_state::forced_open;
    case operator_action::disable: return fleet_state::disabled;
    case operator_action::close: break;
  }
  return fleet_state::closed;
}

/// The arguments of an operation that only reads: it makes no store, so what a new one would be like does not matter.
[[nodiscard]] inline std::vector<std::string> reading(std::string_view operation, const std::string& fleet,
                                                      const std::string& instance, std::vector<std::string> rest) {
  std::vector<std::string> all{std::string(operation), fleet, "", "-", "1000", "1", instance};
  all.insert(all.end(), std::make_move_iterator(rest.begin()), std::make_move_iterator(rest.end()));
  return all;
}

/// The answer to `views`, in the order of the instances. Views that make no sense are left out: they may be of another version of
/// this library. Nothing when the answer itself makes none.
[[nodiscard]] std::optional<std::vector<instance_view>> read_views(const reply& texts);

}  // namespace switchgear::inline v1::fleet
