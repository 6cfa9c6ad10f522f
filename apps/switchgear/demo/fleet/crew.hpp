// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "../process.hpp"

#include <nlohmann/json.hpp>

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace switchgear::demo::fleet {

/// A process of the demonstration, and the pipes between it and us: lines of JSON that it reports, lines that it is told.
struct member {
  std::string name;
  int number = -1;  ///< of an instance
  child process;
  descriptor reports, control;
  std::string received{};
  bool ready = false, may_end = false, ended = false;

  /// Starts it as `how` says, with the two pipes as its inherited descriptors.
  member(std::string name, int number, launch how);
  bool tell(const nlohmann::json& line) const { return write_line(control.get(), line.dump()); }
};

/// Listens to the members.
class crew {
 public:
  using clock = std::chrono::steady_clock;
  /// `heard` is called for each line that a member reports, but the one that says that it is ready.
  explicit crew(std::function<void(member&, const nlohmann::json&)> heard) : heard_(std::move(heard)) {}

  member& add(std::string name, int number, launch how);
  /// Kills it, handles what it still had to say, and forgets it.
  void remove(member& which);
  /// Throws std::runtime_error after 15 s.
  void wait_until_ready(const member& which);
  /// Closes its control pipe, and waits until it has ended; std::runtime_error after 15 s.
  void dismiss(member& which);

  /// Handles all that comes until then, or until `done`; `done` is asked at least each 5 ms. Whether it was. Throws interrupted
  /// after Ctrl-C, and std::runtime_error when a member ends before its time.
  bool listen_until(clock::time_point end, const std::function<bool()>& done);
  void listen_for(std::chrono::nanoseconds time) {
    listen_until(clock::now() + time, [] { return false; });
  }

 private:
  void listen(std::chrono::nanoseconds longest);
  void receive(member& m);

  // Before the children, so that the signals stay blocked until the last of them is gone.
  signal_inbox signals_;
  std::function<void(member&, const nlohmann::json&)> heard_;
  std::vector<std::unique_ptr<member>> members_;
};

}  // namespace switchgear::demo::fleet
