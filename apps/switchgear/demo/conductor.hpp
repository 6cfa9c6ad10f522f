// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "report.hpp"
#include "screen.hpp"

#include <exception>

namespace switchgear::demo {

/// A signal asked us to end. No child process is left when this is caught.
class interrupted : public std::exception {
 public:
  explicit interrupted(int signal) : signal_(signal) {}
  [[nodiscard]] const char* what() const noexcept override { return "interrupted"; }
  [[nodiscard]] int signal() const noexcept { return signal_; }

 private:
  int signal_;
};

/// Runs the whole demonstration: starts the processes, kills one, starts it again, and gathers what the clients report.
/// Throws interrupted, or std::exception when a process cannot be started or ends before its time.
[[nodiscard]] results conduct(int seconds, screen& show);

}  // namespace switchgear::demo
