// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "server_process.hpp"

#include <string>
#include <vector>

namespace test_support {

/// A PostgreSQL server with a database of its own in a temporary folder, on a loopback port of its own. Logins need the password.
/// Making the database takes a second or two: once per test program is plenty. To be made on the main thread (see
/// server_process). Throws std::runtime_error, with what the server wrote, when it does not start.
class postgres_server {
 public:
  postgres_server();
  postgres_server(const postgres_server&) = delete;
  postgres_server& operator=(const postgres_server&) = delete;
  ~postgres_server();

  static constexpr const char* host = "127.0.0.1";
  static constexpr const char* user = "tester";
  static constexpr const char* password = "hunter2-secret";
  static constexpr const char* database = "postgres";
  [[nodiscard]] int port() const noexcept { return port_; }
  /// Where its Unix socket is.
  [[nodiscard]] std::string folder() const { return folder_.path().string(); }

  void start();          ///< and waits until it is ready; nothing happens when it runs
  void kill() noexcept;  ///< the server and all its sessions, as a power failure would
  void shut_down() noexcept;  ///< tells its sessions, and waits until it is gone
  void stop() noexcept;       ///< SIGSTOP for the server and all its sessions: connections stay open, nobody answers
  void resume() noexcept;     ///< SIGCONT for all of them
  void restart() {
    kill();
    start();
  }

 private:
  [[nodiscard]] std::vector<pid_t> sessions() const;
  void end_with(int signal) noexcept;
  void clean_up() noexcept;

  temporary_folder folder_;
  std::string programs_, data_;
  int port_;
  server_process process_;
};

}  // namespace test_support
