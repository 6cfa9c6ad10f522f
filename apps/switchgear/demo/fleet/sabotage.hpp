// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "network.hpp"
#include "plan.hpp"
#include "store.hpp"

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace switchgear::demo::fleet {

/// The store of the fleet, and what is done to it.
class sabotage {
 public:
  /// `url` empty: the store is a redis-server of our own, which is not started yet. `name` is the fleet's.
  sabotage(std::string url, std::string name);

  /// Takes those away that cannot be done; which, and why.
  std::vector<std::string> leave_what_can_be_done(std::vector<fault>& faults) const;

  /// Before start(): lays wires to the process that is to be cut off.
  void isolate(pid_t process);
  /// Starts it, or sees whether it is there. Throws std::exception.
  void start();

  [[nodiscard]] std::string url() const { return own_ ? own_->url() : url_; }
  /// Of the process that may be cut off; null without one.
  [[nodiscard]] const wires* isolated() const noexcept { return wires_.get(); }
  [[nodiscard]] std::string url_for_isolated() const { return own_->url(wires_->store_address()); }
  [[nodiscard]] std::string words() const;
  [[nodiscard]] std::string words_of(fault f) const;

  /// Does it; it will be undone after a while.
  void begin(fault f);
  /// Undoes it when the time has come; whether it was now.
  bool undo_if_due();
  [[nodiscard]] bool acting() const noexcept { return acting_ != fault::none; }

  /// In a Redis that was there before, nothing of the fleet is left, if it can be reached.
  void clean_up() const noexcept;

 private:
  const std::string url_, name_;
  std::unique_ptr<store> own_;
  std::unique_ptr<wires> wires_;
  fault acting_ = fault::none;
  std::chrono::steady_clock::time_point undo_at_{};
};

}  // namespace switchgear::demo::fleet
