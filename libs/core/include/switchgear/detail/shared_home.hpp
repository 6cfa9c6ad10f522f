// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <switchgear/config.hpp>
#include <switchgear/machine/storage.hpp>
#include <switchgear/snapshot.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace switchgear::inline v1 {

class circuit_breaker;

namespace detail {

/// What is in force in a shared block, and where the window for it lies.
struct shared_regime {
  config configuration;
  std::uint64_t epoch = 0;                        ///< machine::settings::epoch of it
  std::atomic<std::uint64_t>* window = nullptr;
};

/// Who holds a circuit by hand, and why.
struct override_note {
  std::string owner, reason;
};

/// A place outside of its breaker where a block lives that other processes use, too, with everything that has to be the same for
/// all of them: the configuration, the history, the texts. A breaker owns its home and asks it off the path of healthy calls.
///
/// Thread safety: every function may be called from any thread, and by any number of processes, at any time. None waits for
/// another process: one that stopped in the middle of writing leaves something that readers recognise and pass over.
class shared_home {
 public:
  virtual ~shared_home() = default;

  /// The same as long as the home lives, but for the lanes after a fork; see breaker_access::use_lanes.
  [[nodiscard]] virtual machine::foreign_block<std::atomic> block() const noexcept = 0;
  /// The reading of the breaker's clock, std::chrono::steady_clock unless it was given another, at time 0 of the block.
  [[nodiscard]] virtual std::int64_t origin() const noexcept = 0;
  /// Told once, before it is used: which breaker lives here.
  virtual void attach(circuit_breaker& which) noexcept = 0;

  [[nodiscard]] virtual shared_regime regime() const = 0;
  /// Puts a valid configuration in force for everybody: its window holds what basic_storage::reconfigure says, and
  /// block_header::epoch tells the others. Throws when others hold the place for too long.
  virtual void reconfigure(const config& next) = 0;

  /// A transition that this process made.
  virtual void add(const machine::transition& t, std::string_view reason, std::chrono::system_clock::time_point when) noexcept = 0;
  [[nodiscard]] virtual std::vector<state_change> history() const = 0;
  virtual void note_failure(std::string_view text) noexcept = 0;
  [[nodiscard]] virtual std::string last_failure() const = 0;
  virtual void note_override(std::uint64_t generation, const override_note& note) noexcept = 0;
  [[nodiscard]] virtual std::optional<override_note> override_of(std::uint64_t generation) const = 0;
};

/// Where breakers that are made by name find their homes.
class home_provider {
 public:
  virtual ~home_provider() = default;
  /// The home of that name; made with `initial`, a valid configuration, if there is none. Throws what keeps it from that.
  [[nodiscard]] virtual std::unique_ptr<shared_home> home_of(std::string_view name, const config& initial) = 0;
};

}  // namespace detail
}  // namespace switchgear::inline v1
