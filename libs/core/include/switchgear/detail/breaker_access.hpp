// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <switchgear/machine/machine.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

namespace switchgear::inline v1 {

class circuit_breaker;

namespace detail {

/// Told of every transition of a breaker by the thread that made it, outside every lock: for timers. An override whose end
/// was moved is told too, as a change from its state to the same. `until` not after `at` means that time ends nothing. Short,
/// and does not throw.
class transition_watcher {
 public:
  virtual void changed(circuit_breaker& which, const machine::transition& change) noexcept = 0;

 protected:
  ~transition_watcher() = default;
};

/// One look at a circuit, for those who decide for many.
struct glance {
  machine::state_word word;
  machine::facts facts;          ///< complete unless a transition is just being made
  machine::gate_word gate;
  machine::nanos now = 0;        ///< on the block's timeline, as all times in `facts` and `gate`
};

/// An open period that was decided elsewhere.
struct imposed_opening {
  std::chrono::nanoseconds remaining{0};
  std::uint32_t attempt = 0;
  std::uint32_t failure_count = 0;
};

/// For those who own breakers on behalf of others.
struct breaker_access {
  /// One watcher a breaker; it outlives the breaker, or is taken away (null) when no call is in flight.
  static void watch(circuit_breaker& which, transition_watcher* watcher) noexcept;
  /// How many subscriptions there are.
  [[nodiscard]] static std::size_t observers(const circuit_breaker& which) noexcept;
  /// event::instance of its events; empty as long as nobody has ever observed it.
  [[nodiscard]] static std::string instance(const circuit_breaker& which);

  /// The state word alone.
  [[nodiscard]] static machine::state_word word(const circuit_breaker& which) noexcept;
  [[nodiscard]] static glance look(const circuit_breaker& which) noexcept;
  /// Calls rejected since the start; sums the lanes.
  [[nodiscard]] static std::uint64_t rejections(const circuit_breaker& which) noexcept;

  // See basic_machine: each acts only while the breaker is in `generation`, and answers the generation that it is in
  // afterwards, or nothing when it did not act. `why` is the reason in events and history.
  static std::optional<std::uint64_t> impose_open(circuit_breaker& which, std::uint64_t generation, const imposed_opening& what,
                                                  std::string why);
  static std::optional<std::uint64_t> impose_closed(circuit_breaker& which, std::uint64_t generation, std::uint32_t share,
                                                    std::string why);
  static bool set_share(circuit_breaker& which, std::uint64_t generation, std::uint32_t share) noexcept;
  /// Says that the one who conducts is there; to be said every second or so while the gate is not off or the circuit is
  /// ramping. Else both count as off after machine::conductor_patience, so that one who hangs or dies holds up nobody.
  static void conduct(circuit_breaker& which) noexcept;
  static bool set_gate(circuit_breaker& which, machine::gate_word expected, machine::gate_word next) noexcept;
  /// The own window now.
  [[nodiscard]] static machine::window_totals window(const circuit_breaker& which) noexcept;
  /// Why rules 2 to 4 would open the circuit if its window were this, and failure_count; nothing if they would not.
  [[nodiscard]] static std::optional<std::pair<std::string, std::uint32_t>> judge(const circuit_breaker& which,
                                                                                  const machine::window_totals& held);
  /// How long the circuit would stay open in its `attempt`-th recovery, jitter apart.
  [[nodiscard]] static std::chrono::nanoseconds open_duration(const circuit_breaker& which, std::uint32_t attempt) noexcept;
  /// The settings in force; they live as long as the breaker.
  [[nodiscard]] static const machine::settings& settings(const circuit_breaker& which) noexcept;

  /// For the home of a breaker, in the only thread of a process that was just forked.
  static void use_lanes(circuit_breaker& which, std::uint32_t first, std::uint32_t count) noexcept;
};

}  // namespace detail

}  // namespace switchgear::inline v1
