// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <switchgear/event_bus.hpp>
#include <switchgear/host/circuit_view.hpp>
#include <switchgear/host/state_file.hpp>

#include <functional>
#include <memory>
#include <string>
#include <vector>

/// Tells a bus what happens to one circuit that lives in a file. Never in the way of the command that is run: publishing only puts events
/// into a queue, and finish() waits for a moment at most.
class published_circuit {
 public:
  /// Without a URL nothing is published. Throws usage_error.
  explicit published_circuit(const std::string& url);
  published_circuit(published_circuit&&) noexcept;
  ~published_circuit();

  using view = std::function<switchgear::host::circuit_view()>;  ///< how the circuit is now

  /// Starts connecting, while the command is being run. To be called before tell().
  void start(const view& look);
  void tell(const view& look, const std::vector<switchgear::host::change>& changes) noexcept;
  /// Tells how the circuit is now. False when the bus has not taken all of it.
  bool finish(const view& look) noexcept;

  [[nodiscard]] const std::string& shown_name() const noexcept { return shown_; }

 private:
  std::string url_, shown_;
  std::unique_ptr<switchgear::event_bus> bus_;
};
