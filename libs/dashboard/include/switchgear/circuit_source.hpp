// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <switchgear/config/configured_value.hpp>
#include <switchgear/event.hpp>
#include <switchgear/snapshot.hpp>
#include <switchgear/subscription.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace switchgear::inline v1 {

/// What a source knows of one circuit at one moment.
struct circuit_reading {
  snapshot now;            ///< without state_changes
  /// False: only transitions are told of this circuit, so `now.metrics` and `now.window` say nothing.
  bool counted = true;
  bool enabled = true;     ///< config::enabled
  bool shadow = false;     ///< config::shadow
  std::string reason;      ///< of the last transition; empty when there was none or nobody knows
  std::string instance;    ///< event::instance, tells circuits of one name apart; may be empty
  std::string source;      ///< where it lives, `switchgear://HOST/PID`; empty: this process
  std::string not_operable{};  ///< why operators cannot act on it here, one sentence; empty: they can
};

/// How one process sees a circuit that it shares with others: its own state of it and its own counts.
struct instance_reading {
  std::string instance;  ///< tells the processes apart
  switchgear::state state = switchgear::state::closed;
  std::chrono::nanoseconds in_state{0};  ///< how long it has been in it; what is negative counts as 0
  std::uint64_t calls = 0;               ///< rejections among them
  std::uint64_t failures = 0;
  std::uint64_t rejections = 0;
  std::string link{};  ///< how it stands to the others, for people: `shared`, `local`; may be empty
};

/// Tells how every process sees the shared circuit of that name; empty when nobody else has it. Called by any thread, must not
/// block for long, and may throw.
using instance_function = std::function<std::vector<instance_reading>(std::string_view circuit)>;

/// The readings of views that have the members of fleet::instance_view: what a fleet's member tells, for an instance_function.
template <class Views>
[[nodiscard]] std::vector<instance_reading> instance_readings(const Views& views) {
  std::vector<instance_reading> out;
  for (const auto& v : views) {
    using link = std::remove_cvref_t<decltype(v.link)>;
    out.push_back({.instance = v.instance,
                   .state = v.state,
                   .in_state = v.since,
                   .calls = v.calls,
                   .failures = v.failures,
                   .rejections = v.rejections,
                   .link = v.link == link::shared ? "shared" : v.link == link::local ? "local" : "connecting"});
  }
  return out;
}

/// What is too much to read of every circuit at every refresh.
struct circuit_detail {
  std::vector<state_change> changes;            ///< oldest first
  std::vector<configured_value> configuration;  ///< in the order of the contract; empty when nobody knows
  std::vector<instance_reading> instances{};    ///< of a circuit that several processes share; empty when none tells
};

/// What an operator wants done to a circuit.
struct circuit_action {
  enum class kind : std::uint8_t { trip, force_open, disable, release, reset };
  kind what = kind::trip;
  std::string name;
  std::string instance;  ///< empty: the circuit of that name
  std::string owner;
  std::string reason;
  std::optional<std::chrono::nanoseconds> ttl;  ///< of overrides; nothing: until somebody ends it
};

/// `trip`, `force-open`, `disable`, `release`, `reset`: as in the addresses of the API.
[[nodiscard]] std::string_view to_string(circuit_action::kind k) noexcept;

/// What became of it.
struct action_outcome {
  enum class kind : std::uint8_t {
    done,
    nothing_to_do,  ///< the circuit was in no state that the action has anything to do in
    unknown,        ///< there is no such circuit
    refused         ///< it cannot be done here
  };
  kind what = kind::done;
  std::string message;  ///< one sentence for people; may be empty when it was done
};

/// Where a dashboard's circuits come from. registry_source and bus_source are at hand; a program with another store of circuits
/// writes its own.
///
/// Thread safety: every function may be called by any thread of the dashboard, at the same time. None may block for long: a
/// second of waiting is a second in which the page is stale.
class circuit_source {
 public:
  circuit_source() = default;
  circuit_source(const circuit_source&) = delete;
  circuit_source& operator=(const circuit_source&) = delete;
  virtual ~circuit_source() = default;

  /// Every circuit, in any order. Called once for each refresh.
  [[nodiscard]] virtual std::vector<circuit_reading> read() = 0;

  /// More of one circuit; `instance` may be empty when there is only one of that name.
  [[nodiscard]] virtual std::optional<circuit_detail> detail(std::string_view name, std::string_view instance) = 0;

  virtual action_outcome act(const circuit_action& action) = 0;

  /// Calls `handler` for transitions and for failed calls as they happen, as far as the source is told of them.
  [[nodiscard]] virtual subscription observe(std::function<void(const event&)> handler) = 0;

  /// What is wrong with the source now, one sentence each: a lost connection, a file that cannot be read. The page shows them.
  [[nodiscard]] virtual std::vector<std::string> problems() { return {}; }
};

}  // namespace switchgear::inline v1
