// SPDX-License-Identifier: Apache-2.0
#include "support.hpp"

#include <optional>

namespace {

using namespace registries;
using testing::ElementsAre;

std::vector<std::string> transitions(const sg::breaker_handle& h) {
  std::vector<std::string> out;
  for (const sg::state_change& c : h->history()) {
    out.push_back(std::string(to_string(c.from_state)) + ">" + std::string(to_string(c.to_state)));
  }
  return out;
}

struct registry_timer : testing::Test {
  manual_clock clock;
  std::optional<sg::registry> circuits{std::in_place, quiet({.timer = true}), clock};
  sg::breaker_handle h = circuits->get("a", small_config());
};

TEST_F(registry_timer, makes_an_open_circuit_half_open_without_callers) {
  open(h);
  clock.advance(30s - 1ns);
  EXPECT_THAT(transitions(h), ElementsAre("closed>open"));
  clock.advance(1ns);
  EXPECT_THAT(transitions(h), ElementsAre("closed>open", "open>half_open"));
  EXPECT_EQ(clock.timers(), 0U) << "half-open ends by calls alone";
}

TEST_F(registry_timer, is_off_unless_asked_for) {
  sg::registry plain(quiet(), clock);
  auto b = plain.get("b", small_config());
  open(b);
  EXPECT_EQ(clock.timers(), 0U);
  clock.advance(1h);
  EXPECT_THAT(transitions(b), ElementsAre("closed>open"));
}

TEST_F(registry_timer, ends_overrides_when_their_time_is_over) {
  h->force_open("maintenance", "me", 10s);
  clock.advance(10s);
  h->disable("trusted", "me", 5s);
  clock.advance(5s);
  EXPECT_THAT(transitions(h),
              ElementsAre("closed>forced_open", "forced_open>closed", "closed>disabled", "disabled>closed"));
  EXPECT_EQ(clock.timers(), 0U);
}

TEST_F(registry_timer, sets_none_for_an_override_without_end) {
  h->force_open("maintenance");
  EXPECT_EQ(clock.timers(), 0U);
}

TEST_F(registry_timer, ends_an_override_at_once_that_has_no_time_at_all) {
  h->force_open("maintenance", "me", 0s);
  EXPECT_THAT(transitions(h), ElementsAre("closed>forced_open", "forced_open>closed"));
}

TEST_F(registry_timer, follows_an_override_that_is_renewed) {
  h->force_open("maintenance", "me", 10s);
  clock.advance(5s);
  h->force_open("maintenance", "me", 20s);
  clock.advance(19s);
  EXPECT_TRUE(h->is_forced_open());
  EXPECT_EQ(clock.timers(), 1U);
  h->force_open("maintenance", "me", 500ms);
  clock.advance(500ms);
  EXPECT_THAT(transitions(h), ElementsAre("closed>forced_open", "forced_open>closed"));
  h->force_open("maintenance", "me", 10s);
  h->force_open("maintenance", "me");
  EXPECT_EQ(clock.timers(), 0U) << "it has no end any more";
}

TEST_F(registry_timer, is_taken_back_by_the_next_transition) {
  open(h);
  EXPECT_EQ(clock.timers(), 1U);
  h->reset();
  EXPECT_EQ(clock.timers(), 0U);
}

TEST_F(registry_timer, of_before_a_reset_does_not_move_the_circuit_that_opened_after_trap_9) {
  open(h);
  clock.advance(20s);
  h->reset();
  open(h);
  clock.advance(29s);
  EXPECT_TRUE(h->is_open());
  clock.advance(1s);
  EXPECT_THAT(transitions(h), ElementsAre("closed>open", "open>closed", "closed>open", "open>half_open"));
}

TEST_F(registry_timer, follows_the_back_off) {
  auto b = circuits->get("b", {.failure_threshold = 1, .open_duration = 10s, .open_duration_multiplier = 2.0});
  b->trip();
  clock.advance(10s);
  fail_times(*b, 1);
  clock.advance(19s);
  EXPECT_TRUE(b->is_open());
  clock.advance(1s);
  EXPECT_EQ(transitions(b).back(), "open>half_open");
}

TEST_F(registry_timer, stays_with_the_end_that_the_open_period_had_when_it_began) {
  open(h);
  h->reconfigure([](sg::config& c) { c.open_duration = 100s; });
  clock.advance(30s);
  EXPECT_EQ(transitions(h).back(), "open>half_open");
}

TEST_F(registry_timer, ends_with_the_registry) {
  open(h);
  auto forced = circuits->get("b");
  forced->force_open("", "", 10s);
  EXPECT_EQ(clock.timers(), 2U);
  circuits.reset();
  EXPECT_EQ(clock.timers(), 0U);
  h->reset();
  open(h);
  EXPECT_EQ(clock.timers(), 0U) << "nor is one set later";
  clock.advance(30s);
  EXPECT_EQ(transitions(h).back(), "closed>open");
  EXPECT_TRUE(h->is_half_open()) << "what callers find does not hang on the timer";
}

TEST_F(registry_timer, ends_when_a_breaker_is_removed) {
  open(h);
  circuits->remove("a");
  EXPECT_EQ(clock.timers(), 0U);
}

TEST_F(registry_timer, ends_with_the_last_handle_of_a_breaker_that_was_removed) {
  circuits->remove("a");
  open(h);
  h = {};
  EXPECT_EQ(clock.timers(), 0U);
}

TEST_F(registry_timer, belongs_to_the_breaker_and_not_to_its_name) {
  open(h);
  circuits->remove("a");
  h = {};
  auto fresh = circuits->get("a", small_config());
  clock.advance(10s);
  open(fresh);
  clock.advance(20s);
  EXPECT_TRUE(fresh->is_open());
}

TEST_F(registry_timer, serves_many_at_once) {
  std::vector<sg::breaker_handle> all;
  for (int i = 0; i < 1000; ++i) {
    all.push_back(circuits->get(std::to_string(i), small_config()));
    all.back()->trip();
  }
  EXPECT_EQ(clock.timers(), 1000U);
  clock.advance(30s);
  for (const auto& b : all) EXPECT_EQ(b->history().size(), 2U);
}

TEST(registry_timer_threads, act_on_the_steady_clock_while_the_registry_goes) {
  for (int i = 0; i < 50; ++i) {
    std::optional<sg::registry> circuits(std::in_place, quiet({.timer = true}));
    std::vector<sg::breaker_handle> all;
    for (int k = 0; k < 20; ++k) {
      const std::chrono::microseconds open_duration(50 * k);
      all.push_back(circuits->get(std::to_string(k), {.failure_threshold = 1, .open_duration = open_duration}));
      all.back()->trip();
    }
    until([&] { return all[1]->history().size() >= 2; });
    if (i % 2 == 0) all.clear();
    circuits.reset();
  }
}

TEST(registry_timer_threads, lose_no_circuit_when_calls_race_with_timers) {
  sg::registry circuits(quiet({.timer = true}));
  auto h = circuits.get("a", {.failure_threshold = 1, .open_duration = std::chrono::microseconds(20), .success_threshold = 1});
  const auto work = [&] {
    for (int i = 0; i < 2000; ++i) {
      if (auto p = h->try_acquire()) {
        (i % 3 == 0) ? p.failure() : p.success();
      }
    }
  };
  std::thread other(work);
  work();
  other.join();
  h->reset();
  h->trip();
  until([&] { return h->history().back().to_state == sg::state::half_open; });
}

}  // namespace
