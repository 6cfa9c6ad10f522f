// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wire.hpp"

#include <switchgear/circuit_breaker.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace switchgear::inline v1::fleet {

/// The right to send one probe, from asking for it until the store knows how it went.
struct probe_lease {
  enum class phase : std::uint8_t {
    none,
    asking,    ///< `lease` was sent
    held,      ///< the gate tells how far it is; when there is an outcome, the store has to hear it
    keeping,   ///< the store had forgotten it: `keep` was sent
    settling,  ///< `verdict` was sent
  };
  enum class outcome : std::uint8_t { success, failure, none };
  phase is = phase::none;
  std::string token{};
  std::uint64_t epoch = 0;
  std::uint32_t slot = 0;
  std::chrono::nanoseconds offered_until{0};  ///< on the agent's clock, like `ends`
  std::chrono::nanoseconds ends{0};           ///< when this instance stops believing in it: before the store does
  std::optional<outcome> ended{};
  std::chrono::nanoseconds open_for{0};       ///< of a failure: what the circuit opened for, and the two below
  std::uint32_t attempt = 0;
  std::uint32_t failure_count = 0;
  std::string reason{};
};

/// What an operator did here, on its way to the store.
struct operation {
  std::string id;  ///< the same however often it is sent
  fleet_state wanted = fleet_state::closed;
  std::string owner;
  std::string reason;
  std::optional<std::chrono::nanoseconds> until;  ///< on the agent's clock
  std::uint64_t generation = 0;                   ///< of the circuit that it left
  std::uint64_t sent_as = 0;                      ///< id of the request that waits for its reply; 0 = none does
};

/// A lease that is not followed any more, because the fleet or the link has moved on, while its probe is still out. It is not
/// given back, but kept in a store that forgot it.
struct past_lease {
  std::string token;
  std::uint64_t epoch = 0;
  std::chrono::nanoseconds ends{0};
};

/// One circuit as the agent sees it.
///
/// Two truths meet here: what the breaker does, told by its generation, and what the fleet has decided, told by the epoch. A
/// generation that is not `accounted` is a decision made here that the fleet may have to hear of; a record that is `to_apply` is
/// one made elsewhere that the breaker has to hear of. When both are there, operators come first and then the fleet.
struct member_circuit {
  using nanoseconds = std::chrono::nanoseconds;

  explicit member_circuit(circuit_breaker& b) : breaker(&b), name(b.name()) {}

  circuit_breaker* breaker;
  std::string name;

  record known{};             ///< the newest decision; epoch 0 = none
  nanoseconds due{0};         ///< when known.remaining ends
  bool to_apply = false;
  bool in_store = false;      ///< the store, as it is now, is known to have this decision or a later one

  std::uint64_t joined = 0;     ///< generation at add()
  std::uint64_t seen = 0;       ///< generation at the last look
  std::uint64_t accounted = 0;  ///< generation that needs no word to the fleet any more
  bool accounts = false;        ///< false: not even that of add()
  switchgear::state accounted_state = switchgear::state::closed;
  std::int64_t override_until = -1;  ///< of an accounted override, on the block's timeline
  std::string override_owner{}, override_reason{};

  std::uint64_t deciding = 0;          ///< id of the `open` or `recovered` that waits for its reply
  std::uint64_t decided = 0;           ///< the generation that it tells of
  std::optional<operation> operated{};

  probe_lease lease{};
  std::vector<past_lease> past_leases{};
  nanoseconds ask_at{0};               ///< not before this is a lease asked for
  std::uint64_t demand = 0;            ///< rejections up to which there is no need for a probe

  bool ramping = false;
  std::size_t ramp_step = 0;
  nanoseconds ramp_until{0};
  std::uint64_t ramp_generation = 0;

  nanoseconds wake_at = nanoseconds::max();  ///< when it has to be looked at whatever its generation is

  bool view_changed = true;
  std::optional<instance_view> told{};
  nanoseconds told_at{0};
};

}  // namespace switchgear::inline v1::fleet
