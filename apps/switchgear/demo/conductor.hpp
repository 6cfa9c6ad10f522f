// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "report.hpp"
#include "screen.hpp"

#include <exception>
#include <string>

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

/// The page that shows the circuits while the demonstration runs.
struct page_settings {
  bool shown = true;
  std::string listen;  ///< as dashboard_options::listen; empty: port 8600 of 127.0.0.1, or any other if that is taken
};

/// Runs the whole demonstration: starts the processes, kills one, starts it again, and gathers what the clients report.
/// Throws interrupted, or std::exception when a process cannot be started or ends before its time.
[[nodiscard]] results conduct(int seconds, screen& show, const page_settings& page);

}  // namespace switchgear::demo
