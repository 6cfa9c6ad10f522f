// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>
#include <sys/types.h>

#include <chrono>
#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <vector>

namespace program_tests {

using namespace std::chrono_literals;

struct outcome {
  int status = -1;  ///< 128 + N when signal N ended it
  std::string out;
  std::string err;
};

/// A running program with its output in pipes. Killed with its test when it is still there.
class process {
 public:
  process(const std::vector<std::string>& command, const std::map<std::string, std::string>& environment);
  process(process&& other) noexcept;
  process& operator=(process&&) = delete;
  ~process();

  [[nodiscard]] pid_t id() const { return id_; }
  void signal(int number) const;
  /// What has been read of its standard output so far.
  [[nodiscard]] const std::string& output() const { return so_far_.out; }
  /// Reads standard output until the text has come; false at its end, or after 20 seconds.
  [[nodiscard]] bool prints(const std::string& text);
  /// Waits for the end of the program; fails the test after 60 seconds.
  outcome wait();

 private:
  bool read_some(std::chrono::steady_clock::time_point deadline);
  pid_t id_ = -1;
  int out_ = -1;
  int err_ = -1;
  bool collected_ = false;
  outcome so_far_;
};

/// Asks again and again until it is so; false after 20 seconds.
[[nodiscard]] bool eventually(const std::function<bool()>& is_so);

[[nodiscard]] bool contains(const std::string& text, const std::string& part);

/// Runs the real program in a state folder and an environment of its own, all of which go with the test.
class program_test : public ::testing::Test {
 protected:
  program_test();
  ~program_test() override;

  [[nodiscard]] process start(const std::vector<std::string>& arguments) const;
  [[nodiscard]] outcome run(const std::vector<std::string>& arguments) const { return start(arguments).wait(); }
  /// `sh -c SCRIPT` with the same environment.
  [[nodiscard]] outcome shell(const std::string& script) const {
    return process({"/bin/sh", "-c", script}, environment).wait();
  }
  /// exec --name NAME OPTIONS -- sh -c SCRIPT
  [[nodiscard]] outcome exec(const std::string& script, const std::vector<std::string>& options = {},
                             const std::string& name = "c") const;
  [[nodiscard]] process start_exec(const std::string& script, const std::vector<std::string>& options = {},
                                   const std::string& name = "c") const;
  /// A value of `status --json` by its path: metrics.failures.
  [[nodiscard]] std::string fact(const std::string& path, const std::string& name = "c") const;
  [[nodiscard]] std::filesystem::path state_file(const std::string& file = "c.circuit") const { return state() / file; }
  [[nodiscard]] std::filesystem::path state() const { return folder_ / "state"; }
  [[nodiscard]] const std::filesystem::path& folder() const { return folder_; }

  std::map<std::string, std::string> environment;

 private:
  std::filesystem::path folder_;
};

}  // namespace program_tests
