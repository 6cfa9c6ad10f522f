// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <switchgear/fleet/instance_view.hpp>
#include <switchgear/state.hpp>

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace switchgear::inline v1::fleet {

/// What an operator does to a circuit of the whole fleet.
enum class operator_action : std::uint8_t {
  force_open,  ///< open until it is closed again, or for a time
  disable,     ///< all calls pass, none as evidence, until it is closed again, or for a time
  close,       ///< ends either, and closes an open circuit
};

/// What the fleet has decided about a circuit.
struct decision {
  std::string name;
  std::uint64_t epoch = 0;           ///< counts the decisions; 0: there was none
  switchgear::state state = switchgear::state::closed;  ///< never half_open: an open circuit that is due admits probes
  /// Open: until probes are admitted, 0 = they are. An override: until it ends. Nothing: it does not end, or is closed.
  std::optional<std::chrono::milliseconds> remaining{};
  std::uint32_t attempt = 0;         ///< of recovery
  std::uint32_t failure_count = 0;   ///< when it opened
  std::uint32_t successes = 0;       ///< of probes since the decision
  std::string cause;                 ///< rule, manual, probe, recovered, operator, evidence, none
  std::string reason, owner;         ///< one line each
  std::string by;                    ///< the instance that decided

  friend bool operator==(const decision&, const decision&) = default;
};

/// Looks into a fleet and operates it, without circuits of its own and without being one of its members: for command lines and
/// dashboards.
///
///     fleet::control shop("redis://redis.internal", "shop");
///     shop.operate("payments", fleet::operator_action::force_open, "Ada", "maintenance", 10min);
///
/// Every function but the constructor talks to Redis and may take up to twice `timeout` (and as long as the system takes to look
/// the server's name up); it connects when there is no connection. Throws redis::io_error (redis::io_timeout), and
/// redis::server_error with the words of the server. Reading changes nothing in the store and makes none.
///
/// Thread safety: every function from any thread, one at a time.
class control {
 public:
  /// `url` and `name` as in options; `timeout` 1 ms … 1 min. Throws config_error.
  explicit control(std::string url, std::string name = "default",
                   std::chrono::nanoseconds timeout = std::chrono::seconds(2));
  control(const control&) = delete;
  control& operator=(const control&) = delete;
  ~control();

  /// Of every circuit that the fleet has ever decided about, in the order of their last changes.
  [[nodiscard]] std::vector<decision> records();
  /// Of one circuit; epoch 0 when there was none. Throws config_error for what is no name of a circuit.
  [[nodiscard]] decision record_of(std::string_view circuit);
  /// The instances that were heard of lately, in order.
  [[nodiscard]] std::vector<std::string> members();
  /// How each of them sees one circuit, in the order of the instances.
  [[nodiscard]] std::vector<instance_view> views(std::string_view circuit);

  /// Decides for all instances, which hear of it at once, whether or not any has such a circuit yet. `ttl` (1 ms … 10 years, not
  /// of close): when the override ends by itself. Done once, also when the answer was lost and it had to be said again. Throws
  /// config_error for what is no name of a circuit or no `ttl`. Returns the decision.
  decision operate(std::string_view circuit, operator_action action, std::string_view owner, std::string_view reason,
                   std::optional<std::chrono::nanoseconds> ttl = {});

 private:
  struct parts;
  std::unique_ptr<parts> parts_;
};

}  // namespace switchgear::inline v1::fleet
