// SPDX-License-Identifier: Apache-2.0
#include "support.hpp"

namespace {

using namespace registries;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

struct bounded : testing::Test {
  manual_clock clock;
  sg::registry circuits{quiet({.max_breakers = 3}), clock};

  /// Fills the registry with `name` and two held ones, and says whether `name` made room for a fourth.
  bool makes_room(const std::string& name) {
    const auto b = circuits.get("held b");
    const auto c = circuits.get("held c");
    EXPECT_EQ(circuits.size(), 3U);
    try {
      circuits.get("fourth");
    } catch (const sg::registry_full_error&) {
      EXPECT_TRUE(circuits.contains(name));
      EXPECT_FALSE(circuits.contains("fourth"));
      return false;
    }
    EXPECT_FALSE(circuits.contains(name));
    EXPECT_EQ(circuits.metrics().evicted, 1U);
    return true;
  }
};

TEST_F(bounded, an_idle_pristine_breaker_makes_room) {
  circuits.get("a");
  EXPECT_TRUE(makes_room("a"));
}

TEST_F(bounded, successes_are_no_past) {
  succeed_times(*circuits.get("a"), 1000);
  EXPECT_TRUE(makes_room("a"));
}

TEST_F(bounded, a_held_breaker_stays) {
  const auto a = circuits.get("a");
  EXPECT_FALSE(makes_room("a"));
}

TEST_F(bounded, a_breaker_held_as_a_shared_pointer_stays) {
  const auto a = circuits.get("a").share();
  EXPECT_FALSE(makes_room("a"));
}

TEST_F(bounded, a_breaker_with_a_failure_stays) {
  fail_times(*circuits.get("a"), 1);
  EXPECT_FALSE(makes_room("a"));
}

TEST_F(bounded, an_open_breaker_stays) {
  circuits.get("a")->trip();
  EXPECT_FALSE(makes_room("a"));
}

TEST_F(bounded, a_breaker_that_was_open_makes_room_once_it_is_closed) {
  circuits.get("a")->trip();
  circuits.get("a")->reset();
  EXPECT_TRUE(makes_room("a"));
}

TEST_F(bounded, an_overridden_breaker_stays) {
  circuits.get("a")->disable("trusted");
  EXPECT_FALSE(makes_room("a"));
}

TEST_F(bounded, a_breaker_that_an_operator_reconfigured_stays) {
  circuits.get("a")->reconfigure([](sg::config& c) { c.failure_threshold = 9; });
  EXPECT_FALSE(makes_room("a"));
}

TEST_F(bounded, a_breaker_with_slow_calls_stays) {
  const auto a = circuits.get("a", {.slow_call_duration = 1s});
  a->call([&] { clock.advance(2s); });
  EXPECT_EQ(a->snapshot().window.slow, 1U);
  EXPECT_FALSE(makes_room("a"));
}

TEST_F(bounded, a_breaker_with_a_call_under_way_stays) {
  bool room = true;
  circuits.call("a", [&] { room = makes_room("a"); });
  EXPECT_FALSE(room);
}

TEST_F(bounded, a_pass_through_breaker_makes_room) {
  circuits.get("a", {.enabled = false});
  EXPECT_TRUE(makes_room("a"));
}

TEST_F(bounded, what_was_looked_up_since_the_last_sweep_goes_later) {
  for (const char* name : {"a", "b", "c"}) circuits.get(name);
  (void)circuits.find("a");
  (void)circuits.find("b");
  circuits.get("d");
  EXPECT_THAT(circuits.names(), ElementsAre("a", "b", "d"));
}

TEST_F(bounded, says_its_limit_and_what_to_do) {
  std::vector<sg::breaker_handle> held;
  for (const char* name : {"a", "b", "c"}) held.push_back(circuits.get(name));
  try {
    circuits.get("d");
    FAIL();
  } catch (const sg::registry_full_error& e) {
    EXPECT_EQ(e.name(), "d");
    EXPECT_EQ(e.limit(), 3U);
    EXPECT_THAT(e.what(), testing::AllOf(HasSubstr("named d"), HasSubstr("holds 3"), HasSubstr("max_breakers")));
  }
  EXPECT_EQ(circuits.metrics().turned_away, 1U);
  EXPECT_NO_THROW(circuits.get("a")) << "those that are there can still be had";
}

TEST_F(bounded, takes_new_names_again_once_somebody_lets_go) {
  std::vector<sg::breaker_handle> held;
  for (const char* name : {"a", "b", "c"}) held.push_back(circuits.get(name));
  EXPECT_THROW(circuits.get("d"), sg::registry_full_error);
  EXPECT_THROW(circuits.get("d"), sg::registry_full_error);
  held.pop_back();
  EXPECT_NO_THROW(circuits.get("d"));
}

TEST_F(bounded, remove_makes_room_even_while_the_breaker_is_held) {
  std::vector<sg::breaker_handle> held;
  for (const char* name : {"a", "b", "c"}) held.push_back(circuits.get(name));
  circuits.remove("b");
  EXPECT_NO_THROW(circuits.get("d"));
}

TEST_F(bounded, does_not_grow_with_names_made_from_data_trap_23) {
  for (int i = 0; i < 10'000; ++i) {
    EXPECT_EQ(circuits.call("request " + std::to_string(i), [i] { return i; }), i);
    EXPECT_LE(circuits.size(), 3U);
  }
  EXPECT_EQ(circuits.metrics().created, 10'000U);
  EXPECT_EQ(circuits.metrics().evicted, 9'997U);
}

TEST(bounded_pass_through, hands_out_an_unguarded_breaker_that_is_not_registered) {
  manual_clock clock;
  sg::registry circuits(quiet({.max_breakers = 1, .when_full = sg::when_registry_full::pass_through}), clock);
  const auto held = circuits.get("a");
  const auto extra = circuits.get("b", small_config());
  EXPECT_EQ(extra->name(), "b");
  EXPECT_EQ(extra->state(), sg::state::disabled);
  fail_times(*extra, 10);
  EXPECT_EQ(extra->call([] { return 7; }), 7);
  EXPECT_EQ(extra->snapshot().metrics.total_calls(), 0U);
  EXPECT_THAT(circuits.names(), ElementsAre("a"));
  EXPECT_FALSE(circuits.find("b"));
}

TEST(bounded_pass_through, is_reported_once_and_counted) {
  manual_clock clock;
  sg::registry circuits(quiet({.max_breakers = 1, .when_full = sg::when_registry_full::pass_through}), clock);
  const auto held = circuits.get("a");
  for (int i = 0; i < 50; ++i) circuits.get("request " + std::to_string(i));
  ASSERT_THAT(circuits.reports(), SizeIs(1));
  EXPECT_EQ(circuits.reports()[0].kind, sg::registry_report_kind::full);
  EXPECT_EQ(circuits.reports()[0].times, 50U);
  EXPECT_EQ(circuits.metrics().turned_away, 50U);
}

TEST(bounded_pass_through, ends_when_there_is_room_again) {
  manual_clock clock;
  sg::registry circuits(quiet({.max_breakers = 1, .when_full = sg::when_registry_full::pass_through}), clock);
  auto held = circuits.get("a");
  const auto extra = circuits.get("b");
  held = {};
  EXPECT_EQ(circuits.get("b")->state(), sg::state::closed);
  EXPECT_EQ(extra->state(), sg::state::disabled);
}

TEST(bounded_large, finds_the_one_idle_breaker_among_many) {
  manual_clock clock;
  constexpr std::size_t most = 40'000;  // above what a short sweep looks at
  sg::registry circuits(quiet({.max_breakers = most}), clock);
  std::vector<sg::breaker_handle> held;
  for (std::size_t i = 0; i < most; ++i) held.push_back(circuits.get(std::to_string(i)));
  EXPECT_THROW(circuits.get("one more"), sg::registry_full_error);
  circuits.remove("5");
  held.push_back(circuits.get("one more"));
  held[20'000] = {};
  EXPECT_NO_THROW(circuits.get("another"));
  EXPECT_FALSE(circuits.contains("20000"));
}

}  // namespace
