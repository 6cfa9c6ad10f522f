// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <csignal>
#include <functional>
#include <optional>
#include <string>
#include <sys/types.h>
#include <vector>

/// How a command ended.
struct child_end {
  int start_error = 0;    ///< errno when it could not be started; nothing else is set then
  int status = 0;         ///< its exit status, 128 + N when signal N ended it
  int signal = 0;         ///< that N
  bool timed_out = false; ///< the limit passed, and we ended it
  int cancelled_by = 0;   ///< the signal that the caller sent to end it
};

/// Keeps the signals that end a program, so that they can be passed on to a command instead. From its making on they
/// wait; so a signal that comes before the command is there is passed on as soon as it is.
///
/// One object for a process, made before any permit is taken.
class signal_keeper {
 public:
  signal_keeper();
  signal_keeper(const signal_keeper&) = delete;
  signal_keeper& operator=(const signal_keeper&) = delete;
  ~signal_keeper();

  [[nodiscard]] const sigset_t& kept() const noexcept { return kept_; }
  [[nodiscard]] const sigset_t& before() const noexcept { return before_; }

 private:
  sigset_t kept_{};
  sigset_t before_{};
};

struct child_limits {
  std::optional<std::chrono::nanoseconds> timeout;   ///< from the start of the command
  std::chrono::nanoseconds grace{0};                 ///< between SIGTERM and SIGKILL
  std::function<void()> at_timeout;                  ///< called once, at the timeout, before anything is ended
};

/// Runs a command in a process group of its own and waits for its end. Its input, output and error are ours.
///
/// - At the timeout the whole group gets SIGTERM, and SIGKILL after the grace; what is left of the group is waited for.
/// - SIGINT, SIGTERM, SIGHUP and SIGQUIT that are sent to us go to the group.
/// - Job control: a command that reads the terminal gets it when it is ours; Ctrl-Z stops both, `fg` and `bg` continue
///   both.
[[nodiscard]] child_end run_child(const std::vector<std::string>& command, const signal_keeper& signals,
                                  const child_limits& limits);
