// SPDX-License-Identifier: Apache-2.0
// What an instance decides, and how the fleet hears of it.
#include "agent_support.hpp"

#include <gmock/gmock.h>

namespace {

using namespace fleet_test;
using testing::ElementsAre;

TEST(fleet_agent, a_request_begins_with_what_all_of_them_say) {
  instance web;
  web.add("payments");
  web.agent().link_up(web.now());
  const auto asked = web.step();
  ASSERT_EQ(asked.size(), 1u);
  const auto& a = asked[0].arguments;
  EXPECT_EQ(a[0], "sync");
  EXPECT_EQ(a[1], "shop");
  EXPECT_EQ(a[2], "");
  EXPECT_EQ(a[3].size(), 32u);
  EXPECT_EQ(a[4], "86400000");
  EXPECT_EQ(a[5], "1000");  // twice the exchange and the patience
  EXPECT_EQ(a[6], "web-1");
}

TEST(fleet_agent, names_for_new_stores_are_never_the_same_twice) {
  instance web;
  web.agent().link_up(web.now());
  const auto first = web.step().at(0).arguments[3];
  web.agent().link_down(web.now(), "gone");
  web.agent().link_up(web.now());
  EXPECT_NE(web.step().at(0).arguments[3], first);
}

TEST(fleet_agent, any_opening_here_opens_the_fleet) {
  instance web;
  auto& b = web.add("payments");
  web.join();
  fail(b, 3);
  const auto open = web.expect("open");
  // The open period is what is left of it when it is told.
  const auto a = own(open);
  EXPECT_THAT(a, ElementsAre("payments", "0", "1", "0", "10000", testing::_, "0", "3", "rule", "3 consecutive failures (threshold 3)"));
  EXPECT_GE(std::stoi(a[5]), 9970);
  EXPECT_LE(std::stoi(a[5]), 10000);

  web.answer(open, "done", web.decided("payments", fleet_state::open, 1, fleet_cause::rule, 10s, "web-1"));
  EXPECT_TRUE(b.is_open());
  EXPECT_EQ(gate(b), phase::shut);
  EXPECT_EQ(last_reason(b), "3 consecutive failures (threshold 3)");
  EXPECT_EQ(web.agent().figures().local_decisions, 1u);
  EXPECT_EQ(web.agent().figures().fleet_decisions, 0u);
  web.expect_nothing();
}

TEST(fleet_agent, an_opening_is_found_within_a_few_milliseconds) {
  instance web;
  auto& b = web.add("payments");
  web.join();
  fail(b, 3);
  EXPECT_LE(web.agent().next(web.now()), 25ms);
}

TEST(fleet_agent, news_of_the_own_opening_may_come_before_the_reply) {
  instance web;
  auto& b = web.add("payments");
  web.join();
  fail(b, 3);
  const auto open = web.expect("open");
  const auto r = web.decided("payments", fleet_state::open, 1, fleet_cause::rule, 10s, "web-1");
  web.news(r);
  web.answer(open, "done", r);
  web.news(r);
  EXPECT_EQ(b.history().size(), 1u);
  EXPECT_EQ(gate(b), phase::shut);
  EXPECT_EQ(web.agent().figures().fleet_decisions, 0u);
  web.expect_nothing();
}

TEST(fleet_agent, an_opening_that_comes_too_late_follows_the_one_before) {
  instance web;
  auto& b = web.add("payments");
  web.join();
  fail(b, 3);
  const auto open = web.expect("open");
  web.answer(open, "stale", web.decided("payments", fleet_state::open, 1, fleet_cause::rule, 3s));
  EXPECT_TRUE(b.is_open());
  EXPECT_LE(*b.snapshot().retry_after, 3s);
  EXPECT_EQ(gate(b), phase::shut);
  EXPECT_EQ(web.agent().figures().stale, 1u);
  EXPECT_EQ(web.agent().figures().fleet_decisions, 1u);
  web.expect_nothing();
}

TEST(fleet_agent, an_opening_of_an_older_epoch_gives_way_to_what_the_fleet_says) {
  instance web;
  auto& b = web.add("payments");
  web.join();
  fail(b, 3);
  const auto open = web.expect("open");
  web.answer(open, "stale", web.decided("payments", fleet_state::closed, 4, fleet_cause::recovered));
  EXPECT_TRUE(b.is_closed());
  EXPECT_EQ(gate(b), phase::off);
  web.expect_nothing();
}

TEST(fleet_agent, a_tripped_circuit_opens_the_fleet_in_every_mode) {
  for (const auto mode : {fleet::sharing::local, fleet::sharing::any, fleet::sharing::quorum, fleet::sharing::evidence}) {
    instance web(instance::with(mode));
    auto& b = web.add("payments");
    web.join();
    b.trip("deploying");
    const auto a = own(web.expect("open"));
    EXPECT_EQ(a[2], "1");
    EXPECT_EQ(a[3], "0");
    EXPECT_EQ(a[8], "manual");
    EXPECT_EQ(a[9], "deploying");
  }
}

TEST(fleet_agent, a_quorum_is_asked_for_with_number_share_and_time) {
  auto o = instance::with(fleet::sharing::quorum);
  o.quorum = 3;
  o.quorum_share = 0.25;
  o.quorum_within = 4s;
  instance web(o);
  auto& b = web.add("payments");
  web.join();
  fail(b, 3);
  const auto a = own(web.expect("open"));
  EXPECT_EQ(a[2], "3");
  EXPECT_EQ(a[3], "250000");
  EXPECT_EQ(a[4], "4000");
}

TEST(fleet_agent, a_vote_that_is_not_enough_leaves_the_circuit_open_and_alone) {
  instance web(instance::with(fleet::sharing::quorum));
  auto& b = web.add("payments");
  web.join();
  fail(b, 3);
  web.answer(web.expect("open"), "voted", web.decided("payments", fleet_state::closed, 0, fleet_cause::none));
  EXPECT_TRUE(b.is_open());
  EXPECT_EQ(gate(b), phase::off);
  web.expect_nothing(10s);
  // It recovers by its own probe, and nobody has to hear of it.
  EXPECT_EQ(admitted(b), 100);
  EXPECT_TRUE(b.is_closed());
  web.expect_nothing();
}

TEST(fleet_agent, a_probe_that_fails_votes_again) {
  instance web(instance::with(fleet::sharing::quorum));
  auto& b = web.add("payments");
  web.join();
  fail(b, 3);
  web.answer(web.expect("open"), "voted", web.decided("payments", fleet_state::closed, 0, fleet_cause::none));
  web.expect_nothing(10s);
  auto probe = b.try_acquire();
  ASSERT_TRUE(probe);
  web.expect_nothing();  // half-open is only time that passed
  probe.failure("still");
  const auto a = own(web.expect("open"));
  EXPECT_EQ(a[8], "probe");
  EXPECT_EQ(a[6], "1");
}

TEST(fleet_agent, a_vote_of_another_opens_what_was_open_already_and_takes_over_its_period) {
  instance web(instance::with(fleet::sharing::quorum));
  auto& b = web.add("payments");
  web.join();
  fail(b, 3);
  web.answer(web.expect("open"), "voted", web.decided("payments", fleet_state::closed, 0, fleet_cause::none));
  web.opened_elsewhere("payments", 1, 30s);
  EXPECT_EQ(gate(b), phase::shut);
  EXPECT_GT(*b.snapshot().retry_after, 29s);
  EXPECT_EQ(b.history().size(), 1u);
}

TEST(fleet_agent, in_local_mode_openings_and_recoveries_are_nobody_elses_business) {
  instance web(instance::with(fleet::sharing::local));
  auto& b = web.add("payments");
  web.join();
  fail(b, 3);
  web.expect_nothing(10s);
  EXPECT_EQ(gate(b), phase::off);
  EXPECT_EQ(admitted(b), 100);
  web.expect_nothing();
  EXPECT_EQ(web.agent().figures().local_decisions, 2u);
}

TEST(fleet_agent, in_local_mode_the_openings_of_others_are_not_applied_but_operators_are) {
  instance web(instance::with(fleet::sharing::local));
  auto& b = web.add("payments");
  web.join();
  web.news(web.decided("payments", fleet_state::open, 1));
  EXPECT_TRUE(b.is_closed());
  web.news(web.decided("payments", fleet_state::forced_open, 2, fleet_cause::operated, -1ms));
  EXPECT_TRUE(b.is_forced_open());
  web.news(web.decided("payments", fleet_state::closed, 3, fleet_cause::operated));
  EXPECT_TRUE(b.is_closed());
  web.news(web.decided("payments", fleet_state::open, 4, fleet_cause::manual));
  EXPECT_TRUE(b.is_open());
  EXPECT_EQ(gate(b), phase::off);  // and recovers alone
}

TEST(fleet_agent, evidence_goes_along_with_every_exchange_and_is_asked_for) {
  auto o = instance::with(fleet::sharing::evidence);
  instance web(o);
  const sg::config by_rate{.failure_threshold = 0, .window = {.calls = 20}, .minimum_calls = 10, .failure_rate_threshold = 0.5,
                           .open_duration = 10s};
  auto& b = web.add("payments", by_rate);
  web.add("idle", by_rate);
  web.join();
  web.answers_syncs = false;
  fail(b, 4);
  web.clock().advance(250ms);
  const auto asked = web.step();
  ASSERT_EQ(asked.size(), 1u);
  const auto a = own(asked[0]);
  ASSERT_GE(a.size(), 12u);
  EXPECT_EQ(std::vector<std::string>(a.begin() + 4, a.begin() + 10), (std::vector<std::string>{"1", "payments", "0", "4", "4", "0"}));
  EXPECT_EQ(std::vector<std::string>(a.end() - 3, a.end()), (std::vector<std::string>{"1", "payments", "0"}));

  // Others have seen six more failures: together the rate is reached, over enough calls.
  fleet::reply sums = web.head("ok");
  sums.insert(sums.end(), {"3", "0", "1", "payments", "8", "6", "0"});
  web.answer(asked[0], sums);
  web.answers_syncs = true;
  const auto open = web.expect("open", 20ms);
  const auto told = own(open);
  EXPECT_THAT(told, ElementsAre("payments", "0", "1", "0", "10000", "10000", "0", "10", "evidence",
                                "10 of 12 calls failed (83.3333%, threshold 50%) in all instances"));
  EXPECT_TRUE(b.is_closed());
  web.answer(open, "done", web.decided("payments", fleet_state::open, 1, fleet_cause::evidence, 10s, "web-1"));
  EXPECT_TRUE(b.is_open());
  EXPECT_EQ(gate(b), phase::shut);
  EXPECT_EQ(web.agent().figures().members, 3u);
}

TEST(fleet_agent, evidence_that_is_not_enough_opens_nothing) {
  instance web(instance::with(fleet::sharing::evidence));
  auto& b = web.add("payments", {.failure_threshold = 0, .window = {.calls = 20}, .minimum_calls = 10, .failure_rate_threshold = 0.5,
                                 .open_duration = 10s});
  web.join();
  web.answers_syncs = false;
  fail(b, 4);
  web.clock().advance(250ms);
  const auto asked = web.step();
  fleet::reply sums = web.head("ok");
  sums.insert(sums.end(), {"3", "0", "1", "payments", "8", "1", "0"});
  web.answer(asked.at(0), sums);
  web.answers_syncs = true;
  web.expect_nothing();
  EXPECT_TRUE(b.is_closed());
}

TEST(fleet_agent, in_evidence_mode_an_opening_here_is_this_instances_own) {
  instance web(instance::with(fleet::sharing::evidence));
  auto& b = web.add("payments");
  web.join();
  fail(b, 3);
  web.expect_nothing(10s);
  EXPECT_EQ(gate(b), phase::off);
  EXPECT_EQ(admitted(b), 100);
}

TEST(fleet_agent, a_circuit_that_was_open_before_it_joined_opens_the_fleet) {
  instance web;
  auto& b = web.make("payments");
  fail(b, 3);
  web.agent().add(b);
  web.join();
  EXPECT_EQ(web.expect("open").arguments[7], "payments");
}

TEST(fleet_agent, a_short_open_period_that_was_missed_is_an_opening_that_is_due) {
  instance web;
  auto& b = web.add("payments", {.failure_threshold = 1, .open_duration = 1ms, .success_threshold = 2});
  web.join();
  fail(b, 1);
  web.clock().advance(2ms);
  b.try_acquire().success();
  ASSERT_TRUE(b.is_half_open());
  const auto a = own(web.expect("open"));
  EXPECT_EQ(a[5], "0");
  EXPECT_EQ(a[8], "rule");
}

TEST(fleet_agent, what_happened_while_the_opening_was_on_its_way_is_told_next) {
  instance web;
  auto& b = web.add("payments");
  web.join();
  fail(b, 3);
  const auto open = web.expect("open");
  b.reset("mended");
  web.expect_nothing(100ms);
  web.answer(open, "done", web.decided("payments", fleet_state::open, 1, fleet_cause::rule, 10s, "web-1"));
  const auto told = own(web.expect("operate"));
  EXPECT_EQ(told[0], "payments");
  EXPECT_EQ(told[2], "closed");
  EXPECT_EQ(told[5], "mended");
  EXPECT_TRUE(b.is_closed());
}

}  // namespace
