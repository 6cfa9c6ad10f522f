// SPDX-License-Identifier: Apache-2.0
// Overrides: those of the fleet, and those that are made here.
#include "agent_support.hpp"

#include <gmock/gmock.h>

namespace {

using namespace fleet_test;
using testing::ElementsAre;

TEST(fleet_agent, an_override_elsewhere_is_in_force_here) {
  instance web;
  auto& b = web.add("payments");
  web.join();
  auto r = web.decided("payments", fleet_state::forced_open, 1, fleet_cause::operated, 5s, "web-3");
  r.owner = "Ada";
  r.reason = "maintenance";
  web.news(r);
  ASSERT_TRUE(b.is_forced_open());
  const auto told = b.snapshot().operator_override;
  ASSERT_TRUE(told);
  EXPECT_EQ(told->owner, "Ada");
  EXPECT_EQ(told->reason, "fleet: web-3 forced open: maintenance");
  EXPECT_EQ(last_reason(b), "fleet: web-3 forced open: maintenance");
  EXPECT_EQ(gate(b), phase::off);
  web.expect_nothing(4s);
  EXPECT_TRUE(b.is_forced_open());
  EXPECT_EQ(web.agent().figures().fleet_decisions, 1u);
  EXPECT_EQ(web.agent().figures().local_decisions, 0u);
}

TEST(fleet_agent, an_override_elsewhere_over_an_open_circuit_and_its_release) {
  instance web;
  auto& b = web.add("payments");
  web.join();
  web.opened_elsewhere("payments");
  web.news(web.decided("payments", fleet_state::disabled, 2, fleet_cause::operated, -1ms));
  EXPECT_TRUE(b.is_disabled());
  EXPECT_EQ(gate(b), phase::off);
  web.news(web.decided("payments", fleet_state::closed, 3, fleet_cause::operated));
  EXPECT_TRUE(b.is_closed());
  EXPECT_EQ(admitted(b), 100);
  web.expect_nothing();
}

TEST(fleet_agent, the_end_of_an_override_by_time_is_not_told_as_a_release) {
  instance web;
  auto& b = web.add("payments");
  web.join();
  web.news(web.decided("payments", fleet_state::forced_open, 1, fleet_cause::operated, 5s));
  web.expect_nothing(6s);
  EXPECT_TRUE(b.is_closed());
  web.news(web.decided("payments", fleet_state::closed, 2, fleet_cause::none));
  EXPECT_TRUE(b.is_closed());
  web.expect_nothing();
}

TEST(fleet_agent, an_override_that_was_renewed_elsewhere_just_as_it_ended_here_holds_again) {
  instance web;
  auto& b = web.add("payments");
  web.join();
  web.news(web.decided("payments", fleet_state::forced_open, 1, fleet_cause::operated, 5s));
  web.expect_nothing(5s);
  ASSERT_TRUE(b.is_closed());
  web.news(web.decided("payments", fleet_state::forced_open, 2, fleet_cause::operated, 30s));
  EXPECT_TRUE(b.is_forced_open());
  web.expect_nothing();
}

TEST(fleet_agent, an_override_renewed_elsewhere_gets_its_new_end) {
  instance web;
  auto& b = web.add("payments");
  web.join();
  web.news(web.decided("payments", fleet_state::forced_open, 1, fleet_cause::operated, 5s));
  web.news(web.decided("payments", fleet_state::forced_open, 2, fleet_cause::operated, 30s));
  web.expect_nothing(29s);
  EXPECT_TRUE(b.is_forced_open());
  EXPECT_EQ(b.history().size(), 1u);
}

TEST(fleet_agent, forcing_open_here_travels) {
  instance web;
  auto& b = web.add("payments");
  web.join();
  b.force_open("maintenance", "Ada", 30s);
  const auto operate = web.expect("operate");
  const auto a = own(operate);
  EXPECT_THAT(a, ElementsAre("payments", testing::SizeIs(32), "forced_open", testing::_, "Ada", "maintenance"));
  EXPECT_GE(std::stoi(a[3]), 29'970);
  EXPECT_LE(std::stoi(a[3]), 30'000);
  web.answer(operate, "done", web.decided("payments", fleet_state::forced_open, 1, fleet_cause::operated, 30s, "web-1"));
  EXPECT_EQ(b.snapshot().operator_override->reason, "maintenance");
  EXPECT_EQ(web.agent().figures().local_decisions, 1u);
  EXPECT_EQ(web.agent().figures().fleet_decisions, 0u);
  web.expect_nothing();
}

TEST(fleet_agent, disabling_here_without_an_end_travels) {
  instance web;
  auto& b = web.add("payments");
  web.join();
  b.disable("false alarm");
  EXPECT_EQ(own(web.expect("operate"))[2], "disabled");
}

TEST(fleet_agent, operators_travel_in_every_mode) {
  for (const auto mode : {fleet::sharing::local, fleet::sharing::quorum, fleet::sharing::evidence}) {
    instance web(instance::with(mode));
    auto& b = web.add("payments");
    web.join();
    b.force_open("maintenance");
    web.answer(web.expect("operate"), "done", web.decided("payments", fleet_state::forced_open, 1, fleet_cause::operated, -1ms, "web-1"));
    b.release("done");
    EXPECT_EQ(own(web.expect("operate"))[2], "closed");
  }
}

TEST(fleet_agent, a_release_here_travels) {
  instance web;
  auto& b = web.add("payments");
  web.join();
  web.news(web.decided("payments", fleet_state::forced_open, 1, fleet_cause::operated, 30s));
  b.release("it is over");
  const auto operate = web.expect("operate");
  const auto a = own(operate);
  EXPECT_EQ(a[2], "closed");
  EXPECT_EQ(a[3], "-1");
  EXPECT_EQ(a[5], "it is over");
  web.answer(operate, "done", web.decided("payments", fleet_state::closed, 2, fleet_cause::operated, 0ms, "web-1"));
  web.expect_nothing();
}

TEST(fleet_agent, a_reset_here_closes_the_open_circuit_of_the_fleet) {
  instance web;
  auto& b = web.add("payments");
  web.join();
  web.opened_elsewhere("payments");
  b.reset("mended");
  const auto a = own(web.expect("operate"));
  EXPECT_EQ(a[2], "closed");
  EXPECT_EQ(a[5], "mended");
  EXPECT_EQ(gate(b), phase::off);
}

TEST(fleet_agent, a_reset_of_what_is_closed_everywhere_is_not_told) {
  instance web;
  auto& b = web.add("payments");
  web.join();
  b.reset();
  web.expect_nothing();
}

TEST(fleet_agent, renewing_an_override_here_travels) {
  instance web;
  auto& b = web.add("payments");
  web.join();
  b.force_open("maintenance", "Ada", 30s);
  web.answer(web.expect("operate"), "done", web.decided("payments", fleet_state::forced_open, 1, fleet_cause::operated, 30s, "web-1"));
  web.run(1s);
  b.force_open("it takes longer", "Bob", 60s);
  const auto a = own(web.expect("operate", 300ms));
  EXPECT_EQ(a[4], "Bob");
  EXPECT_EQ(a[5], "it takes longer");
  EXPECT_GT(std::stoi(a[3]), 59'000);
}

TEST(fleet_agent, another_owner_of_an_override_without_an_end_travels) {
  instance web;
  auto& b = web.add("payments");
  web.join();
  b.force_open("maintenance", "Ada");
  web.answer(web.expect("operate"), "done", web.decided("payments", fleet_state::forced_open, 1, fleet_cause::operated, -1ms, "web-1"));
  b.force_open("maintenance", "Bob");
  EXPECT_EQ(own(web.expect("operate", 300ms))[4], "Bob");
}

TEST(fleet_agent, releasing_and_opening_in_one_breath_are_told_one_after_the_other) {
  instance web;
  auto& b = web.add("payments");
  web.join();
  web.news(web.decided("payments", fleet_state::disabled, 1, fleet_cause::operated, 30s));
  b.release("go");
  fail(b, 3);
  auto operate = web.expect("operate");
  EXPECT_EQ(own(operate)[2], "closed");
  web.answer(operate, "done", web.decided("payments", fleet_state::closed, 2, fleet_cause::operated, 0ms, "web-1"));
  EXPECT_TRUE(b.is_open());
  const auto open = web.expect("open");
  EXPECT_EQ(own(open)[1], "2");
  EXPECT_EQ(own(open)[8], "rule");
}

TEST(fleet_agent, a_record_that_comes_while_an_action_is_on_its_way_waits_for_the_answer) {
  instance web;
  auto& b = web.add("payments");
  web.join();
  b.force_open("maintenance");
  const auto operate = web.expect("operate");
  web.opened_elsewhere("payments", 1);  // decided before the action came to the store
  EXPECT_TRUE(b.is_forced_open());
  web.answer(operate, "done", web.decided("payments", fleet_state::forced_open, 2, fleet_cause::operated, -1ms, "web-1"));
  EXPECT_TRUE(b.is_forced_open());
  web.expect_nothing();
}

TEST(fleet_agent, a_decision_after_the_own_action_wins_also_when_it_is_heard_of_first) {
  instance web;
  auto& b = web.add("payments");
  web.join();
  b.force_open("maintenance");
  const auto operate = web.expect("operate");
  const auto mine = web.decided("payments", fleet_state::forced_open, 1, fleet_cause::operated, -1ms, "web-1");
  web.news(web.decided("payments", fleet_state::closed, 2, fleet_cause::operated, 0ms, "web-2"));
  web.answer(operate, "done", mine);
  EXPECT_TRUE(b.is_closed());
  web.expect_nothing();
}

TEST(fleet_agent, an_action_that_was_lost_on_its_way_is_said_again_with_the_same_id) {
  instance web;
  auto& b = web.add("payments");
  web.join();
  b.force_open("maintenance");
  const auto first = web.expect("operate");
  web.agent().link_down(web.now(), "gone");
  web.rejoin();
  const auto again = web.expect("operate");
  EXPECT_EQ(own(again)[1], own(first)[1]);
  EXPECT_EQ(own(again)[2], "forced_open");
}

TEST(fleet_agent, an_action_that_was_done_and_undone_while_its_answer_was_lost_stays_undone) {
  instance web;
  auto& b = web.add("payments");
  web.join();
  b.force_open("maintenance");
  web.expect("operate");
  web.agent().link_down(web.now(), "gone");
  const auto undone = web.decided("payments", fleet_state::closed, 2, fleet_cause::operated, 0ms, "web-2");
  web.rejoin({undone});
  EXPECT_TRUE(b.is_forced_open());  // until it is known which came last
  web.answer(web.expect("operate"), "done", undone);
  EXPECT_TRUE(b.is_closed());
  web.expect_nothing();
}

TEST(fleet_agent, an_override_made_while_isolated_travels_when_the_link_is_back) {
  instance web;
  auto& b = web.add("payments");
  web.join();
  web.agent().link_down(web.now(), "gone");
  b.force_open("maintenance", "Ada");
  web.expect_nothing(1s);
  web.rejoin({web.decided("payments", fleet_state::open, 1)});
  EXPECT_TRUE(b.is_forced_open());
  EXPECT_EQ(own(web.expect("operate"))[2], "forced_open");
}

TEST(fleet_agent, a_release_while_isolated_travels_when_the_link_is_back) {
  instance web;
  auto& b = web.add("payments");
  web.join();
  const auto held = web.decided("payments", fleet_state::forced_open, 1, fleet_cause::operated, -1ms);
  web.news(held);
  web.agent().link_down(web.now(), "gone");
  b.release("over");
  web.rejoin({held});
  EXPECT_EQ(own(web.expect("operate"))[2], "closed");
}

TEST(fleet_agent, an_override_from_before_joining_gives_way_to_what_the_fleet_has_decided) {
  instance web;
  auto& b = web.make("payments");
  b.force_open("from a saved state");
  web.agent().add(b);
  web.join({web.decided("payments", fleet_state::closed, 8, fleet_cause::operated)});
  EXPECT_TRUE(b.is_closed());
  web.expect_nothing();
}

TEST(fleet_agent, an_override_from_before_joining_travels_when_the_fleet_has_decided_nothing) {
  instance web;
  auto& b = web.make("payments");
  b.force_open("by hand", "Ada");
  web.agent().add(b);
  web.join();
  EXPECT_EQ(own(web.expect("operate"))[4], "Ada");
}

TEST(fleet_agent, an_override_that_ended_before_anybody_heard_of_it_is_not_told) {
  instance web;
  auto& b = web.add("payments");
  web.join();
  b.force_open("short", "Ada", 100ms);
  web.expect("operate");
  web.agent().link_down(web.now(), "gone");
  web.expect_nothing(1s);
  web.rejoin();
  web.expect_nothing();
  EXPECT_TRUE(b.is_closed());
}

TEST(fleet_agent, texts_of_operators_are_cut_to_a_line) {
  instance web;
  auto& b = web.add("payments");
  web.join();
  b.force_open("two\nlines " + std::string(300, 'x'), "A\tda");
  const auto a = own(web.expect("operate"));
  EXPECT_EQ(a[5].size(), 200u);
  EXPECT_EQ(a[5].substr(0, 10), "two lines ");
  EXPECT_EQ(a[4], "A da");
}

TEST(fleet_agent, a_circuit_of_others_is_operated_through_the_store) {
  instance web;
  EXPECT_FALSE(web.agent().operate("search", fleet_state::forced_open, "Ada", "why", {}, web.now()));
  web.join();
  EXPECT_TRUE(web.agent().operate("search", fleet_state::forced_open, "Ada", "why", 5s, web.now()));
  const auto operate = web.expect("operate");
  EXPECT_THAT(own(operate), ElementsAre("search", testing::SizeIs(32), "forced_open", "5000", "Ada", "why"));
  web.answer(operate, "done", web.decided("search", fleet_state::forced_open, 1, fleet_cause::operated, 5s, "web-1"));
  ASSERT_NE(web.agent().known("search"), nullptr);
  EXPECT_FALSE(web.agent().operate("search", fleet_state::open, "", "", {}, web.now()));
  EXPECT_FALSE(web.agent().operate("", fleet_state::closed, "", "", {}, web.now()));
}

TEST(fleet_agent, a_circuit_of_this_instance_is_operated_at_once) {
  instance web;
  auto& b = web.add("payments");
  EXPECT_TRUE(web.agent().operate("payments", fleet_state::disabled, "Ada", "why", {}, web.now()));
  EXPECT_TRUE(b.is_disabled());
  EXPECT_TRUE(web.agent().operate("payments", fleet_state::closed, "Ada", "why", {}, web.now()));
  EXPECT_TRUE(b.is_closed());
}

}  // namespace
