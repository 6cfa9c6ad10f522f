// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "executors.hpp"

#include <switchgear/testing/manual_clock.hpp>
#include <switchgear/thread_pool.hpp>
#include <switchgear/time_limiter.hpp>

#include <chrono>
#include <optional>
#include <stdexcept>

namespace limited {

namespace sg = switchgear;
using namespace std::chrono_literals;
using executors::gate;
using sg::testing::manual_clock;

struct outage : std::runtime_error {
  using runtime_error::runtime_error;
};

/// Two seconds, two threads. The pool ends first, so that nothing of a test is in use when the rest goes.
struct setup {
  manual_clock clock;
  gate end;
  std::optional<sg::thread_pool> pool{std::in_place, sg::thread_pool_options{.threads = 2}};
  sg::time_limiter limiter{{.limit = 2s, .executor = &*pool}, clock};

  ~setup() { finish(); }
  /// Lets the calls that wait for `end` go, and returns when no call is out there any more.
  void finish() {
    end.open();
    pool.reset();
  }
};

}  // namespace limited
