// SPDX-License-Identifier: Apache-2.0
// Calls that are still under way when the program ends.
#include <switchgear/circuit_breaker.hpp>
#include <switchgear/executor.hpp>
#include <switchgear/guard.hpp>
#include <switchgear/pipeline.hpp>
#include <switchgear/retry.hpp>
#include <switchgear/testing/manual_clock.hpp>
#include <switchgear/time_limiter.hpp>

#include <gtest/gtest.h>

#include <cstdlib>
#include <latch>
#include <stdexcept>
#include <thread>

namespace {

namespace sg = switchgear;
using namespace std::chrono_literals;

/// Leaves a call behind on the default executor that comes back, and fails, when that executor ends: after main().
void leave_a_call_behind() {
  // For ever, and reachable: what is left behind uses it after main().
  struct kept {
    sg::testing::manual_clock clock;
    sg::circuit_breaker breaker{"b", {}, clock};
    sg::executor& pool = sg::default_executor();  // made before whatever the observer needs
    sg::subscription observer = breaker.observe([](const sg::event&) {});
  };
  static kept& all = *new kept;
  sg::testing::manual_clock& clock = all.clock;
  const auto p = sg::pipeline(sg::time_limiter({.limit = 1s}, clock), sg::retry({.max_attempts = 2}, clock), sg::guard(all.breaker));
  std::latch begun(1);
  std::thread timekeeper([&] {
    begun.wait();
    while (clock.timers() == 0) std::this_thread::yield();
    clock.advance(1s);
  });
  try {
    p([&begun] {
      begun.count_down();
      std::latch ending(1);
      const std::stop_callback on_ending(sg::default_executor().closing(), [&] { ending.count_down(); });
      ending.wait();
      throw std::runtime_error("late");
    });
  } catch (const sg::call_timeout_error&) {
  }
  timekeeper.join();
}

TEST(a_call_that_was_left_behind, does_no_harm_when_the_program_ends) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(
      {
        leave_a_call_behind();
        std::exit(0);
      },
      testing::ExitedWithCode(0), "");
}

}  // namespace
