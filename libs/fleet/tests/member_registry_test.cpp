// SPDX-License-Identifier: Apache-2.0
#include "member_support.hpp"

namespace {

using namespace test_support;

using fleet_member = member_test;

TEST_F(fleet_member, a_circuit_that_was_removed_is_let_go) {
  const auto a = make();
  auto one = a->circuits.get("api", quick_to_open());
  const auto held = one.share();
  std::this_thread::sleep_for(300ms);
  EXPECT_TRUE(a->circuits.remove("api"));
  std::this_thread::sleep_for(400ms);
  one.trip("by hand");
  std::this_thread::sleep_for(300ms);
  EXPECT_FALSE(a->member->known("api").has_value());
}

TEST_F(fleet_member, a_circuit_that_was_made_again_is_another_one) {
  const auto a = make(), b = make();
  a->circuits.get("api", quick_to_open());
  auto there = b->circuits.get("api", quick_to_open());
  std::this_thread::sleep_for(300ms);
  a->circuits.remove("api");
  auto again = a->circuits.get("api", quick_to_open());
  std::this_thread::sleep_for(400ms);
  fail(again, 3);
  EXPECT_TRUE(soon([&] { return there.state() == sg::state::open; }, 5s));
}

TEST_F(fleet_member, a_circuit_that_is_made_later_is_as_the_fleet_has_decided_when_its_maker_gets_it) {
  const auto a = make();
  auto here = a->circuits.get("payments", quick_to_open());
  fail(here, 3);
  ASSERT_TRUE(soon([&] {
    const auto told = a->member->known("payments");
    return told.has_value();
  }, 5s));
  const auto b = make();
  ASSERT_TRUE(b->shared());
  EXPECT_EQ(b->circuits.get("payments", quick_to_open()).state(), sg::state::open);
}

TEST_F(fleet_member, a_registry_full_of_idle_circuits_finds_room_again) {
  sg::registry_options few{.max_breakers = 50, .environment = sg::variables{}};
  host a(options_for(server_.port()), few);
  for (int i = 0; i < 50; ++i) a.circuits.get("user-" + std::to_string(i), quick_to_open());
  std::this_thread::sleep_for(300ms);
  EXPECT_TRUE(soon([&] {
    try {
      a.circuits.get("one more", quick_to_open());
      return true;
    } catch (const sg::registry_full_error&) {
      return false;
    }
  }, 5s));
  for (int i = 0; i < 200; ++i) EXPECT_NO_THROW(a.circuits.get("later-" + std::to_string(i), quick_to_open()));
}

TEST_F(fleet_member, in_a_crowded_registry_an_idle_circuit_tells_and_hears_as_any) {
  const auto a = make(), b = make();
  for (int i = 0; i < 1200; ++i) {
    a->circuits.get("c" + std::to_string(i), quick_to_open());
    b->circuits.get("c" + std::to_string(i), quick_to_open());
  }
  std::this_thread::sleep_for(400ms);
  auto one = a->circuits.get("c1150", quick_to_open()), two = b->circuits.get("c1150", quick_to_open());
  fail(one, 3);
  EXPECT_TRUE(soon([&] { return two.state() == sg::state::open; }, 5s));
}

TEST_F(fleet_member, a_circuit_that_is_switched_off_here_takes_no_part) {
  const auto a = make(), b = make();
  auto off = a->circuits.get("api", sg::config{.enabled = false});
  auto on = b->circuits.get("api", quick_to_open());
  std::this_thread::sleep_for(600ms);
  EXPECT_EQ(on.state(), sg::state::closed);
  fail(on, 3);
  std::this_thread::sleep_for(500ms);
  EXPECT_EQ(off.state(), sg::state::disabled);
  EXPECT_EQ(on.state(), sg::state::open);
}

}  // namespace
