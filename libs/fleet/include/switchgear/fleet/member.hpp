// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <switchgear/circuit_breaker.hpp>
#include <switchgear/clock.hpp>
#include <switchgear/fleet/instance_view.hpp>
#include <switchgear/fleet/metrics.hpp>
#include <switchgear/fleet/operators.hpp>
#include <switchgear/fleet/options.hpp>
#include <switchgear/registry.hpp>

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace switchgear::inline v1::fleet {

/// Makes the circuits of this process part of a fleet: what one instance's circuit finds out, or an operator decides, is in force
/// at all of them, and the whole fleet sends one probe at a time (half_open_max_calls, to be exact) when a circuit recovers.
///
///     sg::registry circuits;
///     sg::fleet::member shop(circuits, {.url = "redis://redis.internal", .name = "shop"});
///
/// Calls never wait for any of this: a thread of the member's own looks at the circuits, talks to Redis (7 or newer, two
/// connections) and puts in force what comes back; a transition costs its thread at most a write to an eventfd. Whatever is wrong
/// with Redis (away, hung, full, read-only, loading, emptied), after options::patience every circuit decides alone, as it would
/// without a fleet, and within about options::reconnect_max of Redis being back the fleet's decisions are in force again. Both
/// are told once, by options::on_notice.
///
/// A thousand circuits that nothing happens to cost one run of a script per options::exchange_every.
///
/// Thread safety: every function from any thread; destruction after the last of them has returned, not from on_notice.
class member {
 public:
  /// With all circuits of a registry, those that are made later from their first call on. The registry outlives
  /// this. While it lists at most 1,000 circuits and has not turned a name away, all of them are held, which keeps it from
  /// evicting any. After that, only those are held that are not idle: an idle circuit (closed, without a failure in its window,
  /// closed in the fleet too) can be evicted as ever, and is not seen by views(). Circuits that their configuration has
  /// switched off take no part.
  /// `time` is the clock of the circuits. Returns when the fleet's decisions are in force, but after options::adopt_within at
  /// the latest. Throws config_error with every problem of the options, std::system_error without descriptors or threads.
  explicit member(registry& circuits, options o = {}, switchgear::clock& time = steady_clock());
  /// With those given to join().
  explicit member(options o, switchgear::clock& time = steady_clock());
  member(const member&) = delete;
  member& operator=(const member&) = delete;
  /// Says goodbye to the fleet, unless Redis hangs; every circuit decides alone from then on. Takes some 50 ms at most, but for
  /// the system's lookup of the server's name.
  ~member();

  /// What the fleet is known to have decided about this circuit is in force when this returns. The breaker outlives this, or
  /// part(). False when there is another one of that name.
  bool join(circuit_breaker& which);
  /// Of one given to join(): it decides alone, and is not touched any more. False when there is none.
  bool part(std::string_view name);

  [[nodiscard]] fleet::metrics metrics() const;
  [[nodiscard]] fleet::link link_state() const;
  /// Its name in the fleet.
  [[nodiscard]] const std::string& instance() const noexcept;

  /// How each instance sees one circuit, as the store has it, in the order of their names; what is younger than half a second is
  /// not asked for again. Waits for the store, for options::patience at most, and then tells what it knew before, which may be
  /// nothing. Not to be called where a call must not wait.
  [[nodiscard]] std::vector<instance_view> views(std::string_view circuit);
  /// What the fleet is known to have decided about a circuit, whether or not this instance has it. Does not wait.
  [[nodiscard]] std::optional<decision> known(std::string_view circuit) const;

  /// An operator's decision for the whole fleet; here it is in force at once. To do the same to the breaker itself has the same
  /// effect. False when this instance has no such circuit and the store is out of reach: then nothing happens. Does not wait.
  bool operate(std::string_view circuit, operator_action action, std::string_view owner, std::string_view reason,
               std::optional<std::chrono::nanoseconds> ttl = {});

 private:
  class worker;
  std::unique_ptr<worker> worker_;
};

}  // namespace switchgear::inline v1::fleet
