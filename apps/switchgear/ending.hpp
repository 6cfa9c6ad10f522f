// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <csignal>
#include <optional>

/// The signals that end a command which runs until it is told to. They are blocked from its construction on, so that they reach
/// nobody but wait(): to be made before the first thread.
class ending {
 public:
  ending();
  ending(const ending&) = delete;
  ending& operator=(const ending&) = delete;

  /// The signal that came; 0 when the time was over.
  [[nodiscard]] int wait(const std::optional<double>& seconds = {}) const;

  /// 0 after Ctrl-C or when the time was over, else as a shell says it.
  [[nodiscard]] static int exit_status(int ended_by) noexcept {
    return ended_by == 0 || ended_by == SIGINT ? 0 : 128 + ended_by;
  }

 private:
  sigset_t signals_{};
};
