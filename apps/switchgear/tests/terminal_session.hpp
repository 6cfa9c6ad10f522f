// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "process.hpp"

#include <csignal>
#include <poll.h>
#include <pty.h>
#include <sys/wait.h>
#include <unistd.h>

namespace program_tests {

/// The program at a terminal of its own, as its session leader's foreground job.
class terminal_session {
 public:
  terminal_session(const std::vector<std::string>& command, const std::map<std::string, std::string>& environment,
                   unsigned short columns = 100) {
    std::vector<std::string> lines;
    for (const auto& [name, value] : environment) lines.push_back(name + "=" + value);
    std::vector<char*> arguments, variables;
    for (const auto& a : command) arguments.push_back(const_cast<char*>(a.c_str()));
    for (auto& line : lines) variables.push_back(line.data());
    arguments.push_back(nullptr);
    variables.push_back(nullptr);
    winsize size{24, columns, 0, 0};
    id_ = ::forkpty(&terminal_, nullptr, nullptr, &size);
    if (id_ == 0) {
      // A test that runs in the background of a script was told to ignore these.
      for (const int s : {SIGINT, SIGQUIT, SIGHUP, SIGTSTP}) ::signal(s, SIG_DFL);
      ::execve(arguments[0], arguments.data(), variables.data());
      ::_exit(99);
    }
  }
  terminal_session(const terminal_session&) = delete;
  terminal_session& operator=(const terminal_session&) = delete;
  ~terminal_session() {
    if (!collected_) {
      ::kill(id_, SIGKILL);
      ::waitpid(id_, nullptr, 0);
    }
    ::close(terminal_);
  }
  void type(const std::string& text) const {
    ASSERT_EQ(::write(terminal_, text.data(), text.size()), static_cast<ssize_t>(text.size()));
  }
  bool shows(const std::string& text) {
    const auto deadline = std::chrono::steady_clock::now() + 20s;
    while (!contains(seen_, text)) {
      if (std::chrono::steady_clock::now() > deadline || !read_some()) return false;
    }
    return true;
  }
  int wait() {
    EXPECT_TRUE(ends_within(60s)) << seen_;
    return status_;
  }
  /// Ctrl-C until the program has ended: a shell that is just starting its next command may not hear the first.
  int interrupt() {
    for (int i = 0; i < 100 && !collected_; ++i) {
      type("\x03");
      if (ends_within(200ms)) break;
    }
    return wait();
  }
  [[nodiscard]] const std::string& seen() const { return seen_; }

 private:
  bool ends_within(std::chrono::milliseconds d) {
    const auto deadline = std::chrono::steady_clock::now() + d;
    int status = 0;
    while (!collected_) {
      if (::waitpid(id_, &status, WNOHANG) == id_) {
        collected_ = true;
        status_ = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
        while (read_some()) {
        }
      } else if (std::chrono::steady_clock::now() > deadline) {
        return false;
      } else {
        read_some();
      }
    }
    return true;
  }
  bool read_some() {
    pollfd p{terminal_, POLLIN, 0};
    if (::poll(&p, 1, 20) == 0) return !collected_;
    char buffer[4096];
    const ssize_t n = ::read(terminal_, buffer, sizeof buffer);
    if (n > 0) seen_.append(buffer, static_cast<std::size_t>(n));
    return n > 0;
  }
  pid_t id_ = -1;
  int terminal_ = -1;
  bool collected_ = false;
  int status_ = -1;
  std::string seen_;
};

}  // namespace program_tests
