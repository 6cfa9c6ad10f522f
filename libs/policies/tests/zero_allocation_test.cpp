// SPDX-License-Identifier: Apache-2.0
//
// A pipeline that is used synchronously allocates nothing while all is well. This program counts allocations.
#include "../../core/tests/support/counted_new.hpp"

#include <switchgear/adaptive_limiter.hpp>
#include <switchgear/bulkhead.hpp>
#include <switchgear/circuit_breaker.hpp>
#include <switchgear/fallback.hpp>
#include <switchgear/guard.hpp>
#include <switchgear/pipeline.hpp>
#include <switchgear/rate_limiter.hpp>
#include <switchgear/retry.hpp>
#include <switchgear/testing/manual_clock.hpp>
#include <switchgear/timeout.hpp>

#include <gtest/gtest.h>

#include <array>
#include <memory>

namespace {

namespace sg = switchgear;
using namespace std::chrono_literals;
using counted_new::allocations_of;

/// The first call may number the thread; none after it allocates.
template <class F>
void expect_no_allocation(F&& f) {
  f();
  EXPECT_EQ(allocations_of([&] {
    for (int i = 0; i < 100; ++i) f();
  }), 0u);
}

TEST(no_allocation, by_each_policy_alone) {
  sg::circuit_breaker breaker{"b"};
  const auto call = [](const auto& policy) { expect_no_allocation([&] { policy.call([] { return 1; }); }); };
  call(sg::guard(breaker));
  call(sg::retry());
  call(sg::retry({.budget = sg::retry_budget()}));
  call(sg::fallback(0));
  call(sg::timeout(1h));
  call(sg::bulkhead());
  call(sg::rate_limiter({.permits = 1'000'000'000}));
  call(sg::adaptive_limiter());
}

TEST(no_allocation, by_a_pipeline_of_all_of_them) {
  sg::circuit_breaker breaker{"b"};
  const auto p = sg::pipeline(sg::fallback(0), sg::retry(), sg::guard(breaker), sg::bulkhead(), sg::timeout(1h));
  expect_no_allocation([&] { p([](int x) { return x; }, 3); });
}

TEST(no_allocation, by_large_functions_and_arguments) {
  sg::circuit_breaker breaker{"b"};
  const auto p = sg::pipeline(sg::fallback(0), sg::retry(), sg::guard(breaker));
  std::array<char, 4096> large{};
  expect_no_allocation([&] { p([large](const std::array<char, 4096>& a) { return large[0] + a[1]; }, large); });
}

TEST(no_allocation, by_a_call_with_a_stop_token) {
  sg::circuit_breaker breaker{"b"};
  const auto p = sg::pipeline(sg::retry(), sg::guard(breaker));
  std::stop_source stop;
  expect_no_allocation([&] { p({.stop = stop.get_token()}, [](const std::stop_token& s) { return s.stop_requested(); }); });
}

TEST(the_count_of_allocations, sees_those_that_there_are) {
  EXPECT_EQ(allocations_of([] { (void)std::make_unique<std::array<char, 100>>(); }), 1u);
}

}  // namespace
