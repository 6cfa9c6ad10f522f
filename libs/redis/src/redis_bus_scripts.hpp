// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <switchgear/redis_bus.hpp>

#include <string>
#include <string_view>

namespace switchgear::inline v1::detail {

/// What things are called on the server, and the numbers that go with each command, as texts.
struct redis_names {
  explicit redis_names(const redis_bus_options& o);

  std::string member;         ///< of this bus: event_bus_options::member, or a UUID
  std::string channels;       ///< what stands before topics: empty or `FLEET:`
  std::string present;        ///< channel: how a circuit is
  std::string withdrawn;      ///< channel: a circuit is no more
  std::string circuits;       ///< what stands before a member in the name of its hash
  /// Hash: circuit key → `SEQUENCE JSON` of its last transition; `SEQUENCE/TOLD JSON` when that was told as a present state, and
  /// the last transition that was published was TOLD, 0 for none.
  std::string own_circuits;
  std::string members;        ///< sorted set, by the time (the server's, in ms) at which they are held for dead
  std::string stream;         ///< the last transitions: `event` = JSON, `member` = who told
  std::string lifetime;       ///< in ms, after close() too if keep_present says so
  std::string stream_length;
};

/// The scripts. Each is one step for everybody else, and doing it twice is doing it once. All time is the server's.
namespace redis_scripts {

/// A transition. KEYS: own_circuits, members, stream. ARGV: lifetime, member, circuit key, sequence, JSON, channel,
/// stream_length. Gives 0 when this transition or a later one was published already.
[[nodiscard]] const std::string& transition();

/// How circuits are. KEYS: own_circuits, members. ARGV: lifetime, member, channel, then for each circuit key, sequence and JSON.
[[nodiscard]] const std::string& present();

/// A circuit is no more. KEYS: own_circuits. ARGV: circuit key, channel.
[[nodiscard]] const std::string& withdraw();

/// This member lives; those that are silent for too long do not. KEYS: own_circuits, members, stream. ARGV: lifetime, member,
/// channel for the withdrawn, circuits, `1` when this member has told nothing yet: what it left behind the last time is then
/// forgotten too, if it is too old. Gives how many circuits the own hash has and the last entry of the stream.
[[nodiscard]] const std::string& heartbeat();

/// This member goes. KEYS: own_circuits, members. ARGV: member, channel for the withdrawn.
[[nodiscard]] const std::string& leave();

}  // namespace redis_scripts

}  // namespace switchgear::inline v1::detail
