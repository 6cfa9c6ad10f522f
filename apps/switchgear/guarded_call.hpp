// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <switchgear/config/patch.hpp>
#include <switchgear/host/state_folder.hpp>
#include <switchgear/state.hpp>

#include <memory>
#include <string>
#include <vector>

#include "published_circuit.hpp"

/// The one call that `exec` makes, through a circuit that lives in a file. Says on standard error what happens to the circuit.
class guarded_call {
 public:
  guarded_call() = default;
  guarded_call(const guarded_call&) = delete;
  guarded_call& operator=(const guarded_call&) = delete;
  virtual ~guarded_call() = default;

  /// Applies the layers to the configuration in force and asks for a permit. Whether the call may be made; why not has been said
  /// then. Throws usage_error when the layers do not fit.
  virtual bool begin(const std::vector<switchgear::config_patch>& layers) = 0;
  /// In force.
  [[nodiscard]] virtual const switchgear::config& configuration() const = 0;
  /// The first verdict counts. Never throws: the command has run by then, and its exit status is what the caller wants to hear.
  virtual void settle(switchgear::verdict v, const std::string& what) noexcept = 0;
};

/// A circuit that has a file of its own; made with `initial` if there is none, which has to be valid then alone.
[[nodiscard]] std::unique_ptr<guarded_call> call_in_own_file(const switchgear::host::state_folder& folder,
                                                             const std::string& name, const switchgear::config_result& initial,
                                                             published_circuit published, bool quiet);

/// One of the circuits that processes of this host share, see host::shared_circuits.
[[nodiscard]] std::unique_ptr<guarded_call> call_in_shared_file(const switchgear::host::state_folder& folder,
                                                                const std::string& file, const std::string& name,
                                                                const switchgear::config_result& initial,
                                                                published_circuit published, bool quiet);

/// `switchgear: ` and a line, on standard error.
void say(const std::string& line);

/// Why a circuit rejected a command. `state_reason` is why it is in its state, `owner` that of an override, or empty.
[[nodiscard]] std::string rejection_line(const std::string& name, switchgear::rejection_reason reason,
                                         std::chrono::nanoseconds retry_after, const std::string& state_reason,
                                         const std::string& owner);

/// What to say of a probe that took too long, and of a call that only shadow mode let pass.
[[nodiscard]] std::string lease_ended_line(const std::string& name);
[[nodiscard]] std::string shadow_line(const std::string& name);
