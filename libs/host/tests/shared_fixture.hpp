// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <switchgear/host/shared_circuits.hpp>
#include <switchgear/testing/manual_clock.hpp>

#include <sys/wait.h>
#include <unistd.h>

#include "fixture.hpp"
#include "shared_file.hpp"
#include "under_sanitizer.hpp"

namespace switchgear::host::tests {

/// What a test asks of a process that it forks: the exit status of `f`.
template <class F>
int in_child(F f) {
  const pid_t child = ::fork();
  if (child == 0) {
    int status = 100;
    try {
      status = f();
    } catch (...) {
    }
    ::_exit(status);
  }
  int status = 0;
  if (child < 0 || ::waitpid(child, &status, 0) != child) return -1;
  return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

inline void succeed(circuit_breaker& b, int times = 1) {
  for (int i = 0; i < times; ++i) b.try_acquire().success();
}
inline void fail(circuit_breaker& b, int times = 1) {
  for (int i = 0; i < times; ++i) b.try_acquire().failure("no route");
}

class shared_tests : public ::testing::Test {
 protected:
  static constexpr shared_options small{.max_circuits = 4, .max_processes = 3, .lanes_per_process = 2};

  [[nodiscard]] clock_source source() {
    return [this] {
      const std::int64_t now = clock.now().count();
      return moment{boot, now, wall_at_0 + now};
    };
  }
  /// As another process has it: each has a place of its own.
  std::shared_ptr<shared_circuits> open(const shared_options& sizes = small, std::string_view name = "shop") {
    return shared_circuits::open(folder, name, sizes, source());
  }
  std::unique_ptr<circuit_breaker> breaker(shared_circuits& in, std::string_view name = "payments",
                                           const config& c = two_failures()) {
    return in.breaker(name, c, {}, clock);
  }
  std::shared_ptr<shared_file> open_raw() { return shared_file::open(folder, shared_file_name_of("shop"), nullptr, source()); }
  static config two_failures() { return {.failure_threshold = 2, .open_duration = 10s, .success_threshold = 1}; }
  [[nodiscard]] std::filesystem::path path(std::string_view name = "shop") const {
    return folder.path() / shared_file_name_of(name);
  }

  temporary_folder temporary;
  state_folder folder = state_folder::open_or_create(temporary.path() / "state");
  testing::manual_clock clock;
  std::array<std::uint8_t, 16> boot{1};
  std::int64_t wall_at_0 = 1'700'000'000'000'000'000;
};

template <class F>
state_error error_of(F f) {
  try {
    f();
  } catch (const state_error& e) {
    return e;
  }
  return {state_error::kind::missing, "nothing was thrown"};
}

}  // namespace switchgear::host::tests
