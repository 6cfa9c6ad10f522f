// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "keyspace.hpp"
#include "script_engine.hpp"
#include "store_value.hpp"

namespace switchgear::inline v1::simulation {

/// The one Redis server of a simulated fleet: the script on a keyspace. Times are those of the server's own clock, in
/// milliseconds.
class simulated_store {
 public:
  /// Throws std::runtime_error when `script` is no Lua.
  explicit simulated_store(std::string_view script) : engine_(script, keys_) {}

  /// One run of the script: its reply, or nothing and the words of an error.
  struct outcome {
    std::optional<std::vector<std::string>> reply;
    std::string error;
  };
  outcome run(std::span<const std::string> arguments, std::int64_t now);

  [[nodiscard]] std::vector<keyspace::message> take_messages() { return keys_.take_messages(); }
  [[nodiscard]] std::uint64_t runs() const noexcept { return runs_; }

  /// Everything is forgotten, as after a restart without a disk.
  void empty() { keys_.clear(); }
  /// Keeps a copy of what there is, for roll_back().
  void remember() { copy_ = keys_; }
  /// Becomes what it was at the last remember(): an old replica takes over. Nothing happens when there is none.
  void roll_back();

  /// What the record of a circuit says now, as the store keeps it.
  struct truth {
    std::uint64_t epoch = 0;
    std::string state = "closed";
    bool due = false;  ///< open, and its period is over
  };
  [[nodiscard]] truth look(std::string_view space, std::string_view circuit, std::int64_t now) const;

 private:
  keyspace keys_;
  std::optional<keyspace> copy_;
  script_engine engine_;
  std::uint64_t runs_ = 0;
};

}  // namespace switchgear::inline v1::simulation
