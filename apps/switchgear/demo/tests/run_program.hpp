// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <chrono>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace demo_test {

struct ending {
  int status = -1;  ///< the exit status, or -1
  int signal = 0;   ///< what killed it, or 0
};

/// The program under test, as a process group of its own like one that a shell starts. Everything of the group is
/// killed with this object.
class running {
 public:
  explicit running(const std::vector<std::string>& arguments);
  ~running();
  running(const running&) = delete;
  running& operator=(const running&) = delete;

  /// To the program alone, or to the whole group as Ctrl-C in a terminal is.
  void signal(int number) const;
  void signal_group(int number) const;

  /// Waits for the end of the program; -1 and SIGKILL when it takes longer than 60 s.
  ending wait();
  /// What it wrote. After wait(), and once no process of the group lives: else this waits for them.
  std::string output();
  std::string errors();

  /// The living processes of the group whose command line has this text in it.
  [[nodiscard]] std::vector<pid_t> members(std::string_view with = {}) const;
  /// Waits until there are that many of them, 20 s at most.
  [[nodiscard]] std::vector<pid_t> wait_for_members(std::string_view with, std::size_t count) const;
  /// Waits until nobody of the group lives, 5 s at most; whoever is left.
  [[nodiscard]] std::vector<pid_t> left_behind() const;

 private:
  pid_t pid_ = -1;
  bool waited_ = false;
  int ends_[2] = {-1, -1};
  std::string texts_[2];
  std::thread readers_[2];
};

}  // namespace demo_test
