// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>

namespace switchgear::demo::fleet {

/// Two wires to a process that has a network namespace of its own (see launch::own_network): one for the store, which can be cut,
/// and one for the upstream, which cannot. Everything goes with that process, whatever ends it or us: the kernel takes a
/// namespace away with its last process, and the wires with the namespace.
class wires {
 public:
  /// What is missing for that, in words; nothing when it can be done. Tries it with a process that ends at once.
  [[nodiscard]] static std::optional<std::string> missing();

  /// Lays them to `process`, which runs in its namespace already. Throws std::runtime_error.
  explicit wires(pid_t process);

  /// Our ends: addresses to listen on, and where the process finds us.
  [[nodiscard]] const std::string& store_address() const noexcept { return store_; }
  [[nodiscard]] const std::string& upstream_address() const noexcept { return upstream_; }

  /// Takes our end of the wire for the store down: what is sent on it is lost, and nobody is told.
  void cut() const { set_store_wire(false); }
  void mend() const { set_store_wire(true); }

 private:
  void set_store_wire(bool up) const;
  std::string store_wire_, store_, upstream_;
};

}  // namespace switchgear::demo::fleet
