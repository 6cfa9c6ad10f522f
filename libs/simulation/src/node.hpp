// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <switchgear/circuit_breaker.hpp>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "agent.hpp"
#include "node_clock.hpp"
#include "random.hpp"

namespace switchgear::inline v1::simulation {

/// The connection of an instance to the store.
struct connection {
  enum class state : std::uint8_t { none, connecting, up };
  state is = state::none;
  std::uint32_t number = 0;            ///< of the latest; what belongs to an older one is not looked at by the instance
  std::uint32_t reset_below = 0;       ///< the store knows nothing of connections with a smaller number
  std::int64_t to_store = 0;           ///< when the last message on its way arrives: nothing overtakes it
  std::int64_t from_store = 0;
  std::int64_t news = 0;
  std::int64_t to_store_waits = 0;     ///< nothing arrives before: what was lost in a partition comes first
  std::int64_t from_store_waits = 0;
  std::int64_t news_waits = 0;
  std::uint32_t attempts = 0;          ///< since it was up
};

/// An instance of the fleet: a process with one circuit, its own clock, and its agent.
struct node {
  node(const std::int64_t& world, std::int64_t offset, std::int64_t rate) noexcept : clock(world, offset, rate) {}

  std::uint32_t number = 0;
  std::string name;
  node_clock clock;
  std::unique_ptr<circuit_breaker> breaker;
  std::unique_ptr<fleet::agent> agent;  ///< null in a fleet that does not share
  random_stream calls, luck;
  bool present = false;

  connection link;
  std::int64_t isolated_until = 0;  ///< 0 or past: can reach the store if it is there
  std::int64_t wake_at = -1;        ///< the earliest wake-up on its way; -1: none
  std::int64_t wanted_at = 0;       ///< when there is something to do for the agent
  std::int64_t stepped_at = 0;      ///< by its own clock
  std::int64_t looks_every = 0;     ///< how often it looks for changes meanwhile; 0: it does not
  std::uint64_t generation = 0;     ///< of the circuit, as the agent has seen it

  std::uint32_t out = 0;    ///< calls on their way
  bool not_closed = false;  ///< as far as the figures know
  bool knew = false;        ///< its circuit has not been closed at some time since the trouble began

  // What the checks remember.
  std::uint64_t epoch = 0;      ///< the highest that was in force here
  std::int64_t cut_since = -1;  ///< the store is out of reach since then; -1: it is not
  std::int64_t clear_since = 0; ///< nothing has come between it and the store since then
  std::int64_t ramp_since = -1; ///< ramping without a link, since when
  std::unique_ptr<circuit_breaker> twin;  ///< lives alone from the same moment with the same calls
  bool compares = false;                  ///< with its twin, which otherwise waits for the end of its last calls
};

/// A call on its way, at the upstream or back.
struct call_in_flight {
  permit right;
  permit twin;
  std::uint32_t who = 0;
  bool good = false;
  bool probe = false;
  std::uint32_t leased = 0;  ///< number of the lease it goes by; 0: none
};

}  // namespace switchgear::inline v1::simulation
