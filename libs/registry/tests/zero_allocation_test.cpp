// SPDX-License-Identifier: Apache-2.0
#include "../../core/tests/support/counted_new.hpp"

#include <switchgear/registry.hpp>

#include <gtest/gtest.h>

#include <cstdlib>

namespace {

namespace sg = switchgear;
using counted_new::allocations_of;

TEST(zero_allocation, finding_a_breaker) {
  sg::registry circuits;
  const auto h = circuits.get("a");
  EXPECT_EQ(allocations_of([&] { (void)circuits.find("a"), (void)circuits.get("a"), (void)circuits.get_working("a"); }), 0U);
}

TEST(zero_allocation, calling_by_name_with_default_options) {
  sg::registry circuits;
  circuits.call("a", [] {});
  EXPECT_EQ(allocations_of([&] { circuits.call("a", [] {}); }), 0U);
}

TEST(zero_allocation, calling_by_name_where_the_process_says_yes) {
  ::setenv("REGISTRY_OF_THIS_TEST_ENABLED", "true", 1);
  sg::registry circuits({.prefix = "REGISTRY_OF_THIS_TEST"});
  circuits.call("a", [] {});
  EXPECT_EQ(allocations_of([&] { circuits.call("a", [] {}); }), 0U);
  ::unsetenv("REGISTRY_OF_THIS_TEST_ENABLED");
}

}  // namespace
