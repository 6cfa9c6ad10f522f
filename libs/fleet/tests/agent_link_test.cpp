// SPDX-License-Identifier: Apache-2.0
// The loss of the link in every phase, and its return.
#include "agent_support.hpp"

#include <gmock/gmock.h>

namespace {

using namespace fleet_test;
using kind = fleet::notice::kind;

std::vector<kind> kinds(fleet::agent& a) {
  std::vector<kind> out;
  for (const auto& n : a.take_notices()) out.push_back(n.is);
  return out;
}
sg::config lasting() { return {.failure_threshold = 3, .open_duration = 10s, .success_threshold = 1, .probe_timeout = 40s}; }

TEST(fleet_agent, before_the_first_exchange_every_circuit_decides_alone) {
  instance web;
  auto& b = web.add("payments");
  EXPECT_EQ(web.agent().link_state(), fleet::link::connecting);
  fail(b, 3);
  web.expect_nothing(10s);
  EXPECT_EQ(admitted(b), 100);
}

TEST(fleet_agent, loss_and_return_are_told_once_each) {
  instance web;
  web.join();
  EXPECT_EQ(kinds(web.agent()), std::vector{kind::shared});
  web.agent().link_down(web.now(), "refused");
  web.agent().link_down(web.now(), "refused again");
  web.run(3s);
  const auto told = web.agent().take_notices();
  ASSERT_EQ(told.size(), 1u);
  EXPECT_EQ(told[0].is, kind::local_mode);
  EXPECT_EQ(told[0].text, "fleet shop: every circuit decides alone: refused");
  EXPECT_EQ(web.agent().figures().link_losses, 1u);
  web.rejoin();
  EXPECT_EQ(kinds(web.agent()), std::vector{kind::shared});
}

TEST(fleet_agent, a_store_that_was_never_reached_is_told_once_too) {
  instance web;
  for (int i = 0; i < 3; ++i) web.agent().link_down(web.now(), "refused");
  EXPECT_EQ(kinds(web.agent()), std::vector{kind::local_mode});
  EXPECT_EQ(web.agent().figures().link_losses, 0u);
}

TEST(fleet_agent, without_an_answer_for_too_long_the_link_is_lost) {
  instance web;
  auto& b = web.add("payments");
  web.join();
  web.opened_elsewhere("payments");
  web.run(260ms);
  web.answers_syncs = false;
  const auto sync = web.run(300ms, true);
  ASSERT_EQ(sync.size(), 1u);
  web.run(249ms);
  EXPECT_TRUE(web.agent().is_up());
  EXPECT_EQ(gate(b), phase::shut);
  web.run(1ms);
  EXPECT_FALSE(web.agent().is_up());
  EXPECT_EQ(gate(b), phase::off);
  EXPECT_EQ(web.agent().link_state(), fleet::link::local);
  EXPECT_EQ(web.agent().figures().timeouts, 1u);
  // What comes now is nothing any more.
  web.answer(sync[0], web.sync_reply());
  EXPECT_EQ(web.agent().link_state(), fleet::link::local);
}

TEST(fleet_agent, an_isolated_circuit_recovers_alone) {
  instance web;
  auto& b = web.add("payments");
  web.join();
  web.opened_elsewhere("payments");
  web.agent().link_down(web.now(), "gone");
  EXPECT_EQ(gate(b), phase::off);
  web.expect_nothing(10s);
  EXPECT_EQ(admitted(b), 100);
}

TEST(fleet_agent, a_request_that_is_lost_with_the_link_is_decided_anew) {
  instance web;
  auto& b = web.add("payments");
  web.join();
  fail(b, 3);
  const auto open = web.expect("open");
  web.agent().link_down(web.now(), "gone");
  // It had been carried out.
  const auto r = web.decided("payments", fleet_state::open, 1, fleet_cause::rule, 10s, "web-1");
  web.rejoin({r});
  web.answer(open, "done", r);
  EXPECT_TRUE(b.is_open());
  EXPECT_EQ(gate(b), phase::shut);
  web.expect_nothing();
}

TEST(fleet_agent, a_request_that_never_arrived_is_sent_again) {
  instance web;
  auto& b = web.add("payments");
  web.join();
  fail(b, 3);
  web.expect("open");
  web.agent().link_down(web.now(), "gone");
  web.rejoin();
  const auto again = own(web.expect("open"));
  EXPECT_EQ(again[1], "0");
}

TEST(fleet_agent, an_opening_while_isolated_opens_the_fleet_when_the_link_is_back) {
  instance web;
  auto& b = web.add("payments");
  web.join();
  web.agent().link_down(web.now(), "gone");
  fail(b, 3);
  web.run(4s);
  web.rejoin();
  const auto a = own(web.expect("open"));
  EXPECT_LE(std::stoi(a[5]), 6000);
  EXPECT_EQ(a[9], "3 consecutive failures (threshold 3)");
}

TEST(fleet_agent, an_opening_while_isolated_gives_way_to_a_later_decision) {
  instance web;
  auto& b = web.add("payments");
  web.join();
  web.agent().link_down(web.now(), "gone");
  fail(b, 3);
  web.rejoin({web.decided("payments", fleet_state::closed, 2, fleet_cause::recovered)});
  EXPECT_TRUE(b.is_closed());
  web.expect_nothing();
}

TEST(fleet_agent, a_recovery_while_isolated_is_told_when_the_link_is_back) {
  instance web;
  auto& b = web.add("payments");
  web.join();
  auto r = web.opened_elsewhere("payments");
  web.agent().link_down(web.now(), "gone");
  web.run(10s);
  b.try_acquire().success();
  ASSERT_TRUE(b.is_closed());
  r.remaining = 0ms;
  web.rejoin({r});
  EXPECT_TRUE(b.is_closed());
  const auto recovered = web.expect("recovered");
  EXPECT_THAT(own(recovered), testing::ElementsAre("payments", "1", "1 probe succeeded (threshold 1)"));
  web.answer(recovered, "done", web.decided("payments", fleet_state::closed, 2, fleet_cause::recovered, 0ms, "web-1"));
  EXPECT_EQ(admitted(b), 100);
  web.expect_nothing();
}

TEST(fleet_agent, a_recovery_that_the_fleet_does_not_accept_is_taken_back) {
  instance web;
  auto& b = web.add("payments");
  web.join();
  auto r = web.opened_elsewhere("payments");
  web.agent().link_down(web.now(), "gone");
  web.run(10s);
  b.try_acquire().success();
  r.remaining = 0ms;
  web.rejoin({r});
  web.answer(web.expect("recovered"), "stale", r);
  EXPECT_FALSE(b.is_closed());
  EXPECT_EQ(gate(b), phase::shut);
  EXPECT_FALSE(b.try_acquire());
  web.expect("lease");
}

TEST(fleet_agent, a_circuit_that_waits_half_open_is_under_the_gate_again_when_the_link_is_back) {
  instance web;
  auto& b = web.add("payments", lasting());
  web.join();
  auto r = web.opened_elsewhere("payments");
  web.run(10s);
  EXPECT_FALSE(b.try_acquire());
  ASSERT_TRUE(b.is_half_open());
  web.agent().link_down(web.now(), "gone");
  EXPECT_EQ(gate(b), phase::off);
  r.remaining = 0ms;
  web.rejoin({r});  // the same epoch
  EXPECT_EQ(gate(b), phase::shut);
  EXPECT_FALSE(b.try_acquire());
}

TEST(fleet_agent, a_probe_under_a_lease_goes_on_alone_when_the_link_is_lost) {
  instance web;
  auto& b = web.add("payments", lasting());
  web.join();
  web.offered(b);
  auto probe = b.try_acquire();
  ASSERT_TRUE(probe);
  web.agent().link_down(web.now(), "gone");
  EXPECT_EQ(gate(b), phase::off);
  probe.success();
  EXPECT_TRUE(b.is_closed());  // it means what it means without a fleet
  web.rejoin({web.last_open});
  web.expect("recovered");
}

TEST(fleet_agent, a_probe_under_a_lease_that_fails_alone_opens_again) {
  instance web;
  auto& b = web.add("payments", lasting());
  web.join();
  web.offered(b);
  auto probe = b.try_acquire();
  web.agent().link_down(web.now(), "gone");
  probe.failure("still");
  EXPECT_TRUE(b.is_open());
  web.rejoin({web.last_open});
  EXPECT_EQ(gate(b), phase::shut);
  web.expect_nothing(5s);
}

TEST(fleet_agent, an_offer_ends_with_the_link) {
  instance web;
  auto& b = web.add("payments", lasting());
  web.join();
  web.offered(b);
  web.agent().link_down(web.now(), "gone");
  EXPECT_EQ(gate(b), phase::off);
  EXPECT_TRUE(b.try_acquire());  // alone: as many probes as its configuration says
}

TEST(fleet_agent, an_outcome_that_could_not_be_told_is_forgotten) {
  instance web;
  auto& b = web.add("payments", lasting());
  web.join();
  web.offered(b);
  b.try_acquire().success();
  web.expect("verdict");
  web.agent().link_down(web.now(), "gone");
  web.rejoin({web.last_open});
  EXPECT_FALSE(b.try_acquire());
  web.expect("lease");
}

TEST(fleet_agent, a_probe_of_lonely_times_does_not_close_the_circuit_of_the_fleet) {
  instance web;
  auto& b = web.add("payments", lasting());
  web.join();
  auto r = web.opened_elsewhere("payments");
  web.agent().link_down(web.now(), "gone");
  web.run(10s);
  auto probe = b.try_acquire();
  ASSERT_TRUE(probe);
  r.remaining = 0ms;
  web.rejoin({r});
  EXPECT_EQ(gate(b), phase::shut);
  probe.success();
  EXPECT_TRUE(b.is_half_open());
}

TEST(fleet_agent, overrides_hold_on_without_the_link_and_end_in_time) {
  instance web;
  auto& b = web.add("payments");
  web.join();
  web.news(web.decided("payments", fleet_state::forced_open, 1, fleet_cause::operated, 5s));
  web.agent().link_down(web.now(), "gone");
  web.run(4s);
  EXPECT_TRUE(b.is_forced_open());
  web.run(2s);
  EXPECT_TRUE(b.is_closed());
  web.rejoin({web.decided("payments", fleet_state::closed, 2, fleet_cause::none)});
  web.expect_nothing();
}

TEST(fleet_agent, connecting_anew_while_connected_forgets_what_was_asked) {
  instance web;
  auto& b = web.add("payments");
  web.join();
  fail(b, 3);
  const auto open = web.expect("open");
  web.rejoin();
  web.answer(open, "stale", web.decided("payments", fleet_state::closed, 9, fleet_cause::recovered));
  EXPECT_TRUE(b.is_open());
  web.expect("open");
}

TEST(fleet_agent, answers_that_make_no_sense_end_the_link_with_a_reason) {
  const auto garbage = std::vector<fleet::reply>{
      {},
      {"ok"},
      {"granted", "store-1", "1"},
      {"ok", "store-1", "1", "2", "1", "payments"},
      {"ok", "store-1", "1", "2", "0", "0", "more"},
      {"ok", "store-1", "1", "2", "10001"},
      {"ok", "store-1", "-1", "2", "0", "0"},
      {"more", "another", "1", "2", "0", "0"},
      {"done", "store-1", "1", "2", "0", "0"}};
  for (const auto& texts : garbage) {
    instance web;
    auto& b = web.add("payments");
    web.join();
    web.opened_elsewhere("payments");
    web.answers_syncs = false;
    const auto sync = web.run(300ms, true);
    ASSERT_EQ(sync.size(), 1u);
    (void)web.agent().take_notices();
    web.answer(sync[0], texts);
    EXPECT_FALSE(web.agent().is_up());
    EXPECT_EQ(gate(b), phase::off);
    const auto told = web.agent().take_notices();
    ASSERT_EQ(told.size(), 1u);
    EXPECT_NE(told[0].text.find("the answer of the store to `sync` makes no sense"), std::string::npos) << told[0].text;
  }
}

TEST(fleet_agent, an_answer_about_another_circuit_makes_no_sense) {
  instance web;
  auto& b = web.add("payments");
  web.join();
  fail(b, 3);
  web.answer(web.expect("open"), "done", web.decided("search", fleet_state::open, 1));
  EXPECT_FALSE(web.agent().is_up());
}

TEST(fleet_agent, an_answer_that_another_request_should_have_makes_no_sense) {
  for (const char* status : {"granted", "busy", "ok", "voted"}) {
    instance web;
    auto& b = web.add("payments");
    web.join();
    b.force_open();
    web.answer(web.expect("operate"), status, web.decided("payments", fleet_state::forced_open, 1, fleet_cause::operated, -1ms));
    EXPECT_FALSE(web.agent().is_up()) << status;
    EXPECT_TRUE(b.is_forced_open());
  }
}

TEST(fleet_agent, answers_nobody_waits_for_are_passed_over) {
  instance web;
  web.join();
  web.agent().answered(4711, {"rubbish"}, web.now());
  EXPECT_TRUE(web.agent().is_up());
}

}  // namespace
