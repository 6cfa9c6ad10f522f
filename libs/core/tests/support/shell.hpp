// SPDX-License-Identifier: Apache-2.0
#pragma once

// What the tests of the core's shell have in common.

#include <switchgear/circuit_breaker.hpp>
#include <switchgear/testing/breakers.hpp>
#include <switchgear/testing/event_recorder.hpp>
#include <switchgear/testing/manual_clock.hpp>
#include <switchgear/testing/scripted_dependency.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <ostream>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace switchgear::inline v1 {

inline void PrintTo(event_kind k, std::ostream* out) { *out << to_string(k); }

}  // namespace switchgear::inline v1

namespace shell {

namespace sg = switchgear;
using namespace std::chrono_literals;
using sg::testing::event_recorder;
using sg::testing::fail_times;
using sg::testing::manual_clock;
using sg::testing::scripted_dependency;
using sg::testing::small_config;
using sg::testing::succeed_times;
using std::chrono::nanoseconds;

/// A breaker that opens at the second failure, lets a probe through after 30 s, and closes at the first success.
struct small_breaker {
  explicit small_breaker(sg::config c = small_config(), sg::classifier rules = {})
      : breaker("payments", c, std::move(rules), clock) {}
  void open() {
    while (!breaker.is_open()) fail_times(breaker, 1);
  }
  void half_open() {
    open();
    clock.advance(breaker.snapshot().retry_after.value());
  }
  [[nodiscard]] sg::lifetime_metrics metrics() const { return breaker.snapshot().metrics; }

  manual_clock clock;
  sg::circuit_breaker breaker;
};

/// The configuration of small_breaker with something changed.
template <class F>
[[nodiscard]] sg::config small_with(F&& change) {
  sg::config c = small_config();
  change(c);
  return c;
}

#if SWITCHGEAR_HAS_EXCEPTIONS
/// `f` has to throw an E, which is returned.
template <class E, class F>
[[nodiscard]] E thrown_by(F&& f) {
  try {
    f();
  } catch (const E& e) {
    return e;
  }
  throw std::logic_error("nothing was thrown");
}
#endif

}  // namespace shell
