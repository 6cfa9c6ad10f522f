// SPDX-License-Identifier: Apache-2.0
#include "dashboard_support.hpp"

#include <switchgear/testing/event_recorder.hpp>

namespace {

using namespace dashboards;
using testing::ElementsAre;
using testing::IsEmpty;

struct a_registry_source : testing::Test {
  manual_clock clock;
  sg::registry circuits{{.environment = sg::variables{}}, clock};
  sg::registry_source source{circuits};

  sg::breaker_handle make(const std::string& name) { return circuits.get(name, sg::testing::small_config()); }
};

TEST_F(a_registry_source, reads_every_circuit_in_the_order_of_names) {
  make("b");
  sg::testing::fail_times(*make("a"), 2);
  const auto all = source.read();
  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(all[0].now.name, "a");
  EXPECT_EQ(all[0].now.state, sg::state::open);
  EXPECT_EQ(all[0].reason, "2 consecutive failures (threshold 2)");
  EXPECT_THAT(all[0].now.state_changes, IsEmpty());
  EXPECT_TRUE(all[1].counted);
  EXPECT_EQ(all[1].reason, "");
}

TEST_F(a_registry_source, tells_the_reason_of_the_last_transition_however_often_it_is_asked) {
  const auto a = make("a");
  a->trip("one");
  EXPECT_EQ(source.read()[0].reason, "one");
  EXPECT_EQ(source.read()[0].reason, "one");
  a->reset("two");
  EXPECT_EQ(source.read()[0].reason, "two");
  a->reset("of a closed circuit, which is no transition");
  for (int i = 0; i < 5; ++i) EXPECT_EQ(source.read()[0].reason, "two");
}

TEST_F(a_registry_source, tells_what_a_configuration_switches) {
  circuits.get("off", sg::config{.enabled = false});
  circuits.get("shadow", sg::config{.shadow = true});
  const auto all = source.read();
  EXPECT_FALSE(all[0].enabled);
  EXPECT_NE(all[0].not_operable, "");
  EXPECT_TRUE(all[1].shadow);
  EXPECT_EQ(all[1].not_operable, "");
}

TEST_F(a_registry_source, tells_instances_apart_once_somebody_observes) {
  const auto listening = source.observe([](const sg::event&) {});
  make("a");
  const std::string first = source.read()[0].instance;
  EXPECT_NE(first, "");
  circuits.remove("a");
  make("a");
  EXPECT_NE(source.read()[0].instance, first);
  EXPECT_FALSE(source.detail("a", first));
  const sg::circuit_action trip{
      .what = sg::circuit_action::kind::trip, .name = "a", .instance = first, .owner = {}, .reason = {}, .ttl = {}};
  EXPECT_EQ(source.act(trip).what, sg::action_outcome::kind::unknown);
}

TEST_F(a_registry_source, gives_history_and_configuration) {
  make("a")->trip("one");
  const auto more = source.detail("a", "");
  ASSERT_TRUE(more);
  ASSERT_EQ(more->changes.size(), 1u);
  EXPECT_EQ(more->changes[0].reason, "one");
  EXPECT_FALSE(more->configuration.empty());
  EXPECT_FALSE(source.detail("b", ""));
}

/// As fleet::instance_view is.
struct view {
  enum class standing : std::uint8_t { connecting, shared, local };
  std::string instance;
  sg::state state = sg::state::closed;
  std::chrono::milliseconds since{0};
  std::uint64_t calls = 0, failures = 0, rejections = 0;
  standing link = standing::connecting;
};

TEST_F(a_registry_source, tells_how_others_see_a_circuit_when_the_program_knows) {
  std::vector<std::string> asked;
  sg::registry_source shared{circuits, [&](std::string_view name) {
                               asked.emplace_back(name);
                               return sg::instance_readings(std::vector<view>{
                                   {"one", sg::state::open, 2500ms, 9, 5, 1, view::standing::shared},
                                   {"two", sg::state::closed, 1ms, 7, 0, 0, view::standing::local},
                                   {"three", sg::state::half_open, 0ms, 0, 0, 0, view::standing::connecting}});
                             }};
  make("a");
  const auto more = shared.detail("a", "");
  ASSERT_TRUE(more);
  EXPECT_THAT(asked, ElementsAre("a"));
  ASSERT_EQ(more->instances.size(), 3u);
  EXPECT_EQ(more->instances[0].instance, "one");
  EXPECT_EQ(more->instances[0].state, sg::state::open);
  EXPECT_EQ(more->instances[0].in_state, 2500ms);
  EXPECT_EQ(more->instances[0].calls, 9u);
  EXPECT_EQ(more->instances[0].failures, 5u);
  EXPECT_EQ(more->instances[0].rejections, 1u);
  EXPECT_EQ(more->instances[0].link, "shared");
  EXPECT_EQ(more->instances[1].link, "local");
  EXPECT_EQ(more->instances[2].link, "connecting");
  EXPECT_FALSE(shared.detail("b", ""));
}

TEST_F(a_registry_source, tells_no_instances_when_nobody_knows) {
  make("a");
  EXPECT_THAT(source.detail("a", "")->instances, IsEmpty());
  EXPECT_THAT(source.problems(), IsEmpty());
}

TEST_F(a_registry_source, shows_a_circuit_all_the_same_when_its_instances_cannot_be_told) {
  bool fails = true;
  sg::registry_source shared{circuits, [&](std::string_view) -> std::vector<sg::instance_reading> {
                               if (fails) throw std::runtime_error("the store is away");
                               return {};
                             }};
  make("a")->trip("one");
  const auto more = shared.detail("a", "");
  ASSERT_TRUE(more);
  EXPECT_EQ(more->changes.size(), 1u);
  EXPECT_THAT(shared.problems(), ElementsAre(testing::HasSubstr("the store is away")));
  fails = false;
  (void)shared.detail("a", "");
  EXPECT_THAT(shared.problems(), IsEmpty());
}

TEST_F(a_registry_source, hears_transitions_and_failures) {
  sg::testing::event_recorder heard{source};
  const auto a = make("a");
  sg::testing::succeed_times(*a, 3);
  sg::testing::fail_times(*a, 2);
  sg::drain_events();
  EXPECT_THAT(heard.kinds(), ElementsAre(sg::event_kind::failure, sg::event_kind::failure, sg::event_kind::opened));
}

}  // namespace
