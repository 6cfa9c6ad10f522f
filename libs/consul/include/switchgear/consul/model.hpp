// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace switchgear::inline v1::consul {

/// What the agent thinks of a check, or of a service by the worst of its checks.
enum class health : std::uint8_t { passing, warning, critical };
/// As Consul spells it, `passing`.
[[nodiscard]] std::string_view to_string(health h) noexcept;

/// How the agent finds out whether a service is well: exactly one of `http`, `tcp` and `ttl`.
struct service_check {
  std::string http{};                                               ///< a URL that answers 2xx
  std::string tcp{};                                                ///< host:port that accepts connections
  std::chrono::nanoseconds ttl{0};  ///< the service reports itself at least this often (update_check)
  std::chrono::nanoseconds interval = std::chrono::seconds(10);     ///< of http and tcp; more than 0
  std::chrono::nanoseconds timeout{0};                              ///< of http and tcp; 0 = the agent's default
  std::chrono::nanoseconds deregister_after{0};                     ///< critical for that long: forgotten; 0 = never
};

/// A service as an agent is told of it. What is empty is left to the agent.
struct service_registration {
  std::string id{};       ///< unique for the agent; empty: the name
  std::string name;       ///< what others look for
  std::string address{};  ///< empty: that of the agent
  int port = 0;           ///< 0 … 65535
  std::vector<std::string> tags{};
  std::map<std::string, std::string> meta{};
  std::vector<service_check> checks{};
};

/// A service on a node.
struct service_instance {
  std::string node, node_address;
  std::string id, name;
  std::string address;  ///< the service's own, or else that of its node
  int port = 0;
  std::vector<std::string> tags;
  std::map<std::string, std::string> meta;
  consul::health health = health::passing;  ///< the worst of its checks; in answers of the catalog always passing
};

/// A key with its value, decoded.
struct kv_entry {
  std::string key, value;
  std::uint64_t create_index = 0;
  std::uint64_t modify_index = 0;  ///< for compare_and_set and compare_and_remove
  std::uint64_t flags = 0;
};

}  // namespace switchgear::inline v1::consul
