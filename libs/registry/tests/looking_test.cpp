// SPDX-License-Identifier: Apache-2.0
#include "support.hpp"

namespace {

using namespace registries;
using testing::ElementsAre;
using testing::IsEmpty;

struct looking : testing::Test {
  manual_clock clock;
  sg::registry circuits{quiet(), clock};
};

TEST_F(looking, finds_without_making) {
  EXPECT_FALSE(circuits.find("a"));
  EXPECT_FALSE(circuits.contains("a"));
  EXPECT_EQ(circuits.size(), 0U);
  const auto h = circuits.get("a");
  EXPECT_EQ(circuits.find("a"), h);
  EXPECT_TRUE(circuits.contains("a"));
  EXPECT_FALSE(circuits.find("A"));
}

TEST_F(looking, lists_names_and_snapshots_in_order) {
  for (const char* name : {"b", "c", "a"}) succeed_times(*circuits.get(name), 2);
  EXPECT_THAT(circuits.names(), ElementsAre("a", "b", "c"));
  std::vector<std::string> seen;
  for (const sg::snapshot& s : circuits.snapshots()) {
    seen.push_back(s.name);
    EXPECT_EQ(s.metrics.successes, 2U);
  }
  EXPECT_THAT(seen, ElementsAre("a", "b", "c"));
}

TEST_F(looking, calls_open_what_rejects_and_half_open_not) {
  for (const char* name : {"closed", "open", "forced", "disabled", "half"}) circuits.get(name, small_config());
  open(circuits.find("half"));
  clock.advance(30s);
  open(circuits.find("open"));
  circuits.find("forced")->force_open("maintenance");
  circuits.find("disabled")->disable("trusted");
  EXPECT_EQ(circuits.find("half").state(), sg::state::half_open);
  EXPECT_THAT(circuits.open_circuits(), ElementsAre("forced", "open"));
}

TEST_F(looking, calls_nothing_open_that_only_judges) {
  sg::config judging = small_config();
  judging.shadow = true;
  circuits.get("shadow", judging)->trip();
  EXPECT_TRUE(circuits.find("shadow")->is_open());
  EXPECT_THAT(circuits.open_circuits(), IsEmpty());
}

TEST_F(looking, at_statistics_from_for_each_does_not_deadlock_trap_27) {
  circuits.get("a");
  int visited = 0;
  circuits.for_each([&](sg::circuit_breaker&) {
    look_at_all(circuits);
    ++visited;
  });
  EXPECT_EQ(visited, 1);
}

TEST_F(looking, at_statistics_inside_a_call_does_not_deadlock_trap_27) {
  EXPECT_EQ(circuits.call("a",
                          [&] {
                            look_at_all(circuits);
                            return circuits.find("a").snapshot().name;
                          }),
            "a");
}

TEST_F(looking, at_statistics_from_an_observer_does_not_deadlock_trap_27) {
  int heard = 0;
  const auto subscription = circuits.observe([&](const sg::event&) {
    look_at_all(circuits);
    ++heard;
  });
  circuits.get("a")->trip();
  sg::drain_events();
  EXPECT_EQ(heard, 1);
}

TEST(looking_from_callbacks, at_statistics_does_not_deadlock_trap_27) {
  sg::registry* self = nullptr;
  int reports = 0, readings = 0;
  manual_clock clock;
  sg::registry circuits(quiet({.read_variable = [&](std::string_view) -> std::optional<std::string> {
                                 if (self != nullptr) look_at_all(*self), ++readings;
                                 return std::nullopt;
                               },
                               .on_report = [&](const sg::registry_report&) { look_at_all(*self), ++reports; }}),
                        clock);
  self = &circuits;
  circuits.get("a");
  circuits.get("a", {.failure_threshold = 9});
  EXPECT_EQ(reports, 1);
  EXPECT_GT(readings, 0);
}

TEST_F(looking, visits_each_breaker_once) {
  for (int i = 0; i < 100; ++i) circuits.get("breaker " + std::to_string(i));
  std::vector<std::string> seen;
  circuits.for_each([&](sg::circuit_breaker& b) { seen.push_back(b.name()); });
  std::sort(seen.begin(), seen.end());
  EXPECT_EQ(seen, circuits.names());
}

TEST_F(looking, may_change_the_registry_while_it_visits) {
  for (int i = 0; i < 10; ++i) circuits.get("breaker " + std::to_string(i));
  circuits.for_each([&](sg::circuit_breaker& b) {
    circuits.remove(b.name());
    (void)circuits.names();
  });
  EXPECT_EQ(circuits.size(), 0U);
}

TEST_F(looking, resets_all) {
  for (const char* name : {"closed", "open", "forced"}) circuits.get(name, small_config());
  fail_times(*circuits.find("closed"), 1);
  open(circuits.find("open"));
  circuits.find("forced")->force_open();
  circuits.reset_all("all is well");
  for (const sg::snapshot& s : circuits.snapshots()) {
    EXPECT_EQ(s.state, sg::state::closed);
    EXPECT_EQ(s.consecutive_failures, 0U);
  }
  EXPECT_EQ(circuits.find("open")->history().back().reason, "all is well");
}

TEST_F(looking, resets_only_the_closed_ones) {
  for (const char* name : {"closed", "open", "half", "forced", "disabled"}) circuits.get(name, small_config());
  open(circuits.find("half"));
  clock.advance(30s);
  fail_times(*circuits.find("closed"), 1);
  open(circuits.find("open"));
  circuits.find("forced")->force_open();
  circuits.find("disabled")->disable();
  circuits.reset_closed();
  EXPECT_EQ(circuits.find("closed").snapshot().consecutive_failures, 0U);
  EXPECT_EQ(circuits.find("closed").snapshot().metrics.failures, 1U) << "lifetime metrics stay";
  EXPECT_EQ(circuits.find("open").state(), sg::state::open);
  EXPECT_EQ(circuits.find("half").state(), sg::state::half_open);
  EXPECT_EQ(circuits.find("forced").state(), sg::state::forced_open);
  EXPECT_EQ(circuits.find("disabled").state(), sg::state::disabled);
}

TEST_F(looking, removes_one) {
  circuits.get("a");
  circuits.get("b");
  EXPECT_TRUE(circuits.remove("a"));
  EXPECT_FALSE(circuits.remove("a"));
  EXPECT_FALSE(circuits.find("a"));
  EXPECT_THAT(circuits.names(), ElementsAre("b"));
  EXPECT_EQ(circuits.metrics().removed, 1U);
}

TEST_F(looking, makes_a_fresh_breaker_after_remove) {
  const auto old = circuits.get("a", small_config());
  open(old);
  circuits.remove("a");
  const auto fresh = circuits.get("a");
  EXPECT_NE(fresh, old);
  EXPECT_TRUE(fresh->is_closed());
  EXPECT_TRUE(old->is_open());
}

TEST_F(looking, clears) {
  for (int i = 0; i < 100; ++i) circuits.get(std::to_string(i));
  circuits.clear();
  EXPECT_EQ(circuits.size(), 0U);
  EXPECT_THAT(circuits.names(), IsEmpty());
  EXPECT_FALSE(circuits.find("1"));
  EXPECT_TRUE(circuits.get("1"));
  EXPECT_EQ(circuits.metrics().created, 101U);
}

}  // namespace
