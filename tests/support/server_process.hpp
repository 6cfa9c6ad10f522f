// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <chrono>
#include <filesystem>
#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace test_support {

/// A folder in the system's temporary folder that is gone with this object.
class temporary_folder {
 public:
  temporary_folder();
  temporary_folder(const temporary_folder&) = delete;
  temporary_folder& operator=(const temporary_folder&) = delete;
  ~temporary_folder();
  [[nodiscard]] const std::filesystem::path& path() const noexcept { return path_; }

 private:
  std::filesystem::path path_;
};

/// A TCP port of 127.0.0.1 that was free a moment ago. Two calls in a row give different ones.
[[nodiscard]] int free_port();

/// Whether somebody accepts connections on that port of 127.0.0.1.
[[nodiscard]] bool accepts_connections(int port);

/// Asks again and again until `condition` is true; false when `limit` was over first. For things that happen in other processes.
[[nodiscard]] bool eventually(const std::function<bool()>& condition, std::chrono::seconds limit = std::chrono::seconds(20));

/// A program that runs beside the test. Dies with this object and, by the kernel's hand, with the test, whatever ends that one (to
/// be started from a thread that lives as long as the test: the main thread).
class server_process {
 public:
  struct settings {
    std::vector<std::string> command{};  ///< found in PATH
    std::string log{};                   ///< a file for its output; empty: none is kept
    std::string user{};                  ///< run as that user, if we are root; empty: as we are
  };
  server_process() = default;
  /// Throws std::runtime_error when the program cannot be started.
  explicit server_process(const settings& with);
  server_process(server_process&& other) noexcept : pid_(std::exchange(other.pid_, -1)) {}
  server_process& operator=(server_process&& other) noexcept {
    std::swap(pid_, other.pid_);
    return *this;
  }
  ~server_process() { kill(); }

  [[nodiscard]] pid_t pid() const noexcept { return pid_; }
  [[nodiscard]] bool running() noexcept;
  void stop() noexcept;       ///< SIGSTOP: it hangs, and its sockets stay open
  void resume() noexcept;     ///< SIGCONT
  void terminate() noexcept;  ///< SIGTERM, and waits until it is gone
  void kill() noexcept;       ///< SIGKILL, and waits until it is gone

 private:
  void end_with(int signal) noexcept;
  pid_t pid_ = -1;
};

}  // namespace test_support
