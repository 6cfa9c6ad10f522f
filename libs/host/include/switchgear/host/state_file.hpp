// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <switchgear/config.hpp>
#include <switchgear/config/patch.hpp>
#include <switchgear/host/circuit_view.hpp>
#include <switchgear/host/host_clock.hpp>
#include <switchgear/host/state_error.hpp>
#include <switchgear/host/state_folder.hpp>
#include <switchgear/machine/machine.hpp>

#include <chrono>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace switchgear::inline v1::host {

/// One transition, and why it happened in words.
struct change {
  machine::transition step;
  std::string reason;
};

/// What became of asking for a permit.
struct admission {
  machine::grant permit;        ///< kind::none when rejected
  machine::refusal rejection;   ///< of a rejection
  std::vector<change> changes;
  config configuration;         ///< in force
  std::string reason;           ///< why the circuit is in its state
  std::string owner;            ///< of the override that rejected
  [[nodiscard]] bool admitted() const noexcept { return permit.is != machine::grant::kind::none; }
};

/// What a verdict did.
struct settlement {
  std::vector<change> changes;
  bool late = false;
  bool lease_ended = false;  ///< a probe that took longer than probe_timeout: its verdict did not count
};

/// What an operator did.
struct operation {
  std::vector<change> changes;
  switchgear::state before = state::closed;  ///< as a caller would have found it
  bool acted = false;                        ///< false: there was nothing to do
  bool renewed = false;                      ///< an override that was in force got a new owner, reason and end
  bool enabled = true;                       ///< false: the circuit is a pass-through, operators cannot move it
};

/// A circuit breaker in a file, shared by all processes of one user on one host.
///
/// Each operation takes the file's lock, copies the state that is in force to the second of two places in the mapped
/// file, lets the machine work on the copy, and puts it in force with one store; then the lock goes. So a process that
/// is killed at any moment leaves the state of before or the state of after, and the lock, which the kernel takes back.
/// No lock is held while a permit is out. Everything that is in force is covered by checksums.
///
/// Times in the file lie on a timeline of its own, which starts when the file is made, follows the host's monotonic
/// clock (time asleep included), and goes on after a reboot by what the wall clock says has passed, never backwards.
///
/// Errors: state_error from every function that touches the file. A file that is damaged, foreign, or of another
/// version is refused and not changed. Thread safety: none; open one for each thread.
class state_file {
 public:
  /// Opens the file of that circuit; state_error `missing` when there is none.
  static state_file open(const state_folder& folder, std::string_view name, clock_source clock = read_host_clock);

  /// Opens it, or makes it with `initial`, which has to be valid.
  static state_file open_or_create(const state_folder& folder, std::string_view name, const config& initial,
                                   clock_source clock = read_host_clock);

  state_file(state_file&&) noexcept;
  state_file& operator=(state_file&&) noexcept;
  ~state_file();

  [[nodiscard]] const std::string& name() const noexcept;
  /// event::instance of this circuit: a number that the file was given when it was made, in hexadecimal.
  [[nodiscard]] std::string instance() const;

  /// Applies the layers to the configuration in force, keys that they do not name keep their values, and asks for a
  /// permit. With problems nothing is changed and they are returned.
  [[nodiscard]] admission acquire(std::span<const config_patch> layers, std::vector<problem>& problems);
  [[nodiscard]] admission acquire();

  /// Settles a permit, once. `what` tells of a failure for people: `exit status 1`.
  settlement settle(const machine::grant& permit, verdict v, std::string_view what = {});

  /// Applies the layers without asking for a permit; the problems when they were refused.
  std::vector<problem> reconfigure(std::span<const config_patch> layers);

  /// Makes the transition that is due, if one is.
  std::vector<change> advance();

  operation trip(std::string_view reason);
  operation force_open(std::string_view reason, std::string_view owner, std::optional<std::chrono::nanoseconds> ttl);
  operation disable(std::string_view reason, std::string_view owner, std::optional<std::chrono::nanoseconds> ttl);
  operation release(std::string_view reason);
  operation reset(std::string_view reason);
  void reset_metrics();

 private:
  struct session;
  struct mapping;
  explicit state_file(std::unique_ptr<mapping> m);
  operation override_with(state to, std::string_view reason, std::string_view owner,
                          std::optional<std::chrono::nanoseconds> ttl);
  std::unique_ptr<mapping> mapping_;
};

/// What a state file says, by the name of the file in the folder, without changing anything. The state is the truth of
/// this moment: an open period that has passed reads as half-open. Throws state_error.
[[nodiscard]] circuit_view read_circuit(const state_folder& folder, const std::string& file,
                                        const clock_source& clock = read_host_clock);

}  // namespace switchgear::inline v1::host
