// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "../process.hpp"

#include <cstddef>
#include <filesystem>
#include <string>

namespace switchgear::demo::fleet {

/// A redis-server of the demonstration's own, with a password of its own, that can be treated badly. It dies with this object and
/// with the process; the folder for what it saves goes with either, too.
class store {
 public:
  /// Starts nothing yet. Makes a process that takes the folder away when we have ended, in whatever way: to be made while the
  /// program has one thread.
  store();
  store(const store&) = delete;
  store& operator=(const store&) = delete;
  ~store();

  /// One more address of ours to listen on, before start().
  void listen_also_on(const std::string& address) { addresses_ += " " + address; }

  /// Returns when it answers. Throws std::runtime_error when it does not, or is not installed.
  void start();
  void kill_and_forget();  ///< SIGKILL; start() then starts an empty one
  void save_and_end();     ///< what it knows is there again after start()
  void stop() const;       ///< SIGSTOP: it hangs, and its connections stay
  void resume() const;     ///< SIGCONT
  void flush() const;      ///< FLUSHALL

  [[nodiscard]] int port() const noexcept { return port_; }
  [[nodiscard]] pid_t pid() const noexcept { return process_.pid(); }
  /// As a member of the fleet wants it.
  [[nodiscard]] std::string url(const std::string& address = "127.0.0.1") const;

 private:
  [[nodiscard]] bool start_once();
  [[nodiscard]] std::string settings() const;

  std::filesystem::path folder_;
  descriptor keeper_;  ///< the process at its other end removes the folder
  pid_t keeper_pid_ = -1;
  std::string addresses_ = "127.0.0.1";
  int port_ = 0;
  std::string password_;
  child process_;
};

/// Deletes every key of that fleet. Returns how many. Throws switchgear::redis errors.
std::size_t flush_namespace(const std::string& url, const std::string& name);

}  // namespace switchgear::demo::fleet
