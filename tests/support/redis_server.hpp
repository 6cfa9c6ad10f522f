// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "server_process.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace test_support {

/// A redis-server of the test's own on 127.0.0.1. Keeps nothing on disk but its log, in a folder that goes with it.
class redis_server {
 public:
  struct settings {
    std::string password{};            ///< of the default user; empty: none
    std::string user{};                ///< another user who may do everything; empty: there is none
    std::string user_password{};
    std::vector<std::string> more{};   ///< further arguments of redis-server
  };
  /// Nothing runs before start().
  redis_server() : redis_server(settings{}) {}
  explicit redis_server(settings with);

  /// Returns when it accepts connections. Throws std::runtime_error when it does not.
  void start();
  void kill() noexcept { process_.kill(); }       ///< SIGKILL
  void stop() noexcept { process_.stop(); }       ///< SIGSTOP
  void resume() noexcept { process_.resume(); }   ///< SIGCONT
  /// Kills it and starts it on the same port; it has forgotten everything.
  void restart_empty();

  [[nodiscard]] std::uint16_t port() const noexcept { return port_; }
  [[nodiscard]] pid_t pid() const noexcept { return process_.pid(); }
  [[nodiscard]] bool running() noexcept { return process_.running(); }

 private:
  bool start_once();

  settings settings_;
  temporary_folder folder_;
  std::uint16_t port_ = 0;
  server_process process_;
};

}  // namespace test_support
