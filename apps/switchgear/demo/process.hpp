// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace switchgear::demo {

/// A file descriptor that closes itself.
class descriptor {
 public:
  explicit descriptor(int fd = -1) noexcept : fd_(fd) {}
  descriptor(descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  descriptor& operator=(descriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~descriptor() { close(); }
  [[nodiscard]] int get() const noexcept { return fd_; }
  void close() noexcept;

 private:
  int fd_;
};

/// A socket that listens on a free port of 127.0.0.1.
struct listener {
  descriptor socket;
  int port = 0;
};
[[nodiscard]] listener listen_on_loopback();

struct pipe_ends {
  descriptor read, write;
};
[[nodiscard]] pipe_ends make_pipe();

/// Writes the whole line and its end; false when nobody reads any more.
bool write_line(int fd, std::string_view line);

/// What the program finds as the first of the descriptors it was started with.
inline constexpr int first_inherited = 3;

/// What a child is started with.
struct launch {
  std::vector<std::string> arguments;
  std::vector<int> inherited;    ///< its descriptors 3, 4, …
  std::string program = {};      ///< found in PATH; empty: our own
  int input = -1;                ///< its standard input; -1: /dev/null
  bool own_group = false;        ///< Ctrl-C does not reach it: for a program that would hear it, though we ignore it for it
  bool own_network = false;      ///< in a network namespace of its own, which goes with it; needs CAP_SYS_ADMIN
};

/// A process of our own program, or of another one. Dies with this object, and, by the kernel's hand, with the process that
/// started it, whatever ends that one.
class child {
 public:
  child() = default;
  /// Starts `switchgear ARGUMENTS…` with `inherited` as its descriptors 3, 4, …; its standard input and output are
  /// /dev/null, and it has nothing else of ours open. To be called from the main thread: with it, not with us, the process
  /// would die.
  child(const std::vector<std::string>& arguments, const std::vector<int>& inherited)
      : child(launch{.arguments = arguments, .inherited = inherited}) {}
  /// The same with more to say.
  explicit child(const launch& how);
  child(child&& other) noexcept : pid_(std::exchange(other.pid_, -1)) {}
  child& operator=(child&& other) noexcept {
    std::swap(pid_, other.pid_);
    return *this;
  }
  ~child() { kill_and_wait(); }

  [[nodiscard]] pid_t pid() const noexcept { return pid_; }
  /// SIGKILL, and waits until the process is gone.
  void kill_and_wait() noexcept;
  /// Another signal: SIGSTOP, SIGCONT.
  void signal(int number) const noexcept;
  /// Waits for a process that is ending by itself, and tells how: `exit status 3`, `signal 11 (Segmentation fault)`.
  std::string wait();

 private:
  pid_t pid_ = -1;
};

/// Turns SIGINT, SIGTERM and SIGHUP into something that poll() sees. Blocks them for its lifetime.
class signal_inbox {
 public:
  signal_inbox();
  ~signal_inbox();
  signal_inbox(const signal_inbox&) = delete;
  signal_inbox& operator=(const signal_inbox&) = delete;
  [[nodiscard]] int get() const noexcept { return fd_.get(); }
  /// The signal that has come, if one has.
  [[nodiscard]] std::optional<int> take();

 private:
  descriptor fd_;
};

}  // namespace switchgear::demo
