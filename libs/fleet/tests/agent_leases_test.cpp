// SPDX-License-Identifier: Apache-2.0
// Who may send a probe, and what its end means for the fleet.
#include "agent_support.hpp"

#include <gmock/gmock.h>

namespace {

using namespace fleet_test;
using testing::ElementsAre;

TEST(fleet_agent, a_lease_is_asked_for_when_probes_are_due_and_calls_come) {
  instance web;
  auto& b = web.add("payments", {.failure_threshold = 3, .open_duration = 10s, .half_open_max_calls = 2, .probe_timeout = 4s});
  web.join();
  web.opened_elsewhere("payments");
  web.expect_nothing(9990ms);
  EXPECT_FALSE(b.try_acquire());
  const auto a = own(web.expect("lease"));
  ASSERT_EQ(a.size(), 5u);
  EXPECT_EQ(a[0], "payments");
  EXPECT_EQ(a[1], "1");
  EXPECT_EQ(a[2], "2");
  EXPECT_EQ(a[3], "4640");  // (500 ms + 4 s) · 1.02 + 50 ms
  EXPECT_EQ(a[4].size(), 32u);
  EXPECT_EQ(gate(b), phase::shut);
}

TEST(fleet_agent, nobody_asks_for_a_lease_that_no_call_needs) {
  instance web;
  web.add("payments");
  web.join();
  web.opened_elsewhere("payments");
  web.expect_nothing(20s);
}

TEST(fleet_agent, calls_turned_away_during_the_open_period_are_need_enough) {
  instance web;
  auto& b = web.add("payments");
  web.join();
  web.opened_elsewhere("payments");
  EXPECT_FALSE(b.try_acquire());
  web.expect_nothing(9990ms);
  web.expect("lease");
}

TEST(fleet_agent, a_lease_that_is_granted_admits_one_probe) {
  instance web;
  auto& b = web.add("payments", {.failure_threshold = 3, .open_duration = 10s, .half_open_max_calls = 3, .probe_timeout = 4s});
  web.join();
  web.offered(b);
  EXPECT_EQ(gate(b), phase::offered);
  auto probe = b.try_acquire();
  EXPECT_TRUE(probe);
  EXPECT_EQ(gate(b), phase::taken);
  EXPECT_FALSE(b.try_acquire());
  EXPECT_EQ(web.agent().figures().leases_granted, 1u);
  web.expect_nothing(1s);
  probe.success();
}

TEST(fleet_agent, a_success_that_is_enough_closes_the_circuit_for_all) {
  instance web;
  auto& b = web.add("payments");
  web.join();
  const auto lease = web.offered(b);
  b.try_acquire().success();
  EXPECT_TRUE(b.is_half_open());  // not for this instance alone to say
  const auto verdict = web.expect("verdict");
  EXPECT_THAT(own(verdict), ElementsAre("payments", "1", "1", lease.arguments.back(), "success", "1", "0", "0", "0",
                                        "1 probe succeeded (threshold 1)"));
  web.answer(verdict, "done", web.decided("payments", fleet_state::closed, 2, fleet_cause::recovered, 0ms, "web-1"));
  EXPECT_TRUE(b.is_closed());
  EXPECT_EQ(gate(b), phase::off);
  EXPECT_EQ(admitted(b), 25);  // the winner too begins with the first step
  web.expect_nothing();
}

TEST(fleet_agent, successes_of_several_instances_add_up) {
  instance web;
  auto& b = web.add("payments", {.failure_threshold = 3, .open_duration = 10s, .success_threshold = 3, .probe_timeout = 4s});
  web.join();
  web.offered(b);
  b.try_acquire().success();
  auto verdict = web.expect("verdict");
  EXPECT_EQ(own(verdict)[5], "3");
  auto r = web.last_open;
  r.successes = 1;
  r.version = ++web.version;
  web.answer(verdict, "done", r);
  EXPECT_TRUE(b.is_half_open());
  EXPECT_EQ(gate(b), phase::shut);
  // Another one's success is the second; this one's next the third.
  auto lease = web.expect("lease");
  r.successes = 2;
  r.version = ++web.version;
  web.news(r);
  web.answer(lease, "granted", r, "1");
  b.try_acquire().success();
  verdict = web.expect("verdict");
  web.answer(verdict, "done", web.decided("payments", fleet_state::closed, 2, fleet_cause::recovered, 0ms, "web-1"));
  EXPECT_TRUE(b.is_closed());
}

TEST(fleet_agent, the_winners_verdict_closes_the_circuit_of_one_that_only_waited) {
  instance web;
  auto& b = web.add("payments");
  web.join();
  web.opened_elsewhere("payments");
  web.run(10s);
  EXPECT_FALSE(b.try_acquire());
  auto r = web.decided("payments", fleet_state::open, 1, fleet_cause::rule, 0ms);
  web.answer(web.expect("lease"), "busy", r, "4000");
  web.news(web.decided("payments", fleet_state::closed, 2, fleet_cause::recovered));
  EXPECT_TRUE(b.is_closed());
  web.expect_nothing();
}

TEST(fleet_agent, a_failed_probe_tells_the_fleet_its_next_open_period) {
  instance web;
  auto& b = web.add("payments", {.failure_threshold = 3, .open_duration = 10s, .open_duration_multiplier = 2, .probe_timeout = 4s});
  web.join();
  web.offered(b);
  b.try_acquire().failure("still down");
  ASSERT_TRUE(b.is_open());
  const auto verdict = web.expect("verdict");
  const auto a = own(verdict);
  EXPECT_EQ(a[1], "1");
  EXPECT_EQ(a[4], "failure");
  EXPECT_GE(std::stoi(a[6]), 19'970);
  EXPECT_LE(std::stoi(a[6]), 20'000);
  EXPECT_EQ(a[7], "1");
  EXPECT_EQ(a[9], "a probe failed");
  const auto generation = b.snapshot().generation;
  web.answer(verdict, "done", web.decided("payments", fleet_state::open, 2, fleet_cause::probe, 20s, "web-1"));
  EXPECT_EQ(b.snapshot().generation, generation);
  EXPECT_EQ(gate(b), phase::shut);
  web.expect_nothing(9s);
}

TEST(fleet_agent, a_probe_without_evidence_goes_back_and_the_next_is_asked_for) {
  instance web;
  auto& b = web.add("payments");
  web.join();
  web.offered(b);
  b.try_acquire().ignore();
  const auto verdict = web.expect("verdict");
  EXPECT_EQ(own(verdict)[4], "none");
  web.answer(verdict, "done", web.last_open);
  EXPECT_EQ(gate(b), phase::shut);
  web.expect("lease");
}

TEST(fleet_agent, a_lease_that_no_call_uses_goes_back) {
  instance web;
  auto& b = web.add("payments");
  web.join();
  web.offered(b);
  web.expect_nothing(480ms);
  const auto verdict = web.expect("verdict");
  EXPECT_EQ(own(verdict)[4], "none");
  EXPECT_EQ(gate(b), phase::shut);
  EXPECT_FALSE(b.try_acquire());
  EXPECT_EQ(web.agent().figures().leases_unused, 1u);
  web.answer(verdict, "done", web.last_open);
}

TEST(fleet_agent, after_an_unused_lease_the_next_call_is_the_reason_for_another) {
  instance web;
  auto& b = web.add("payments");
  web.join();
  web.offered(b);
  web.run(490ms);
  web.answer(web.expect("verdict"), "done", web.last_open);
  web.expect_nothing(5s);
  EXPECT_FALSE(b.try_acquire());
  web.expect("lease");
}

TEST(fleet_agent, an_instance_stops_believing_in_a_lease_before_the_store_does) {
  instance web;
  auto& b = web.add("payments");
  web.join();
  const auto lease = web.offered(b);
  web.run(490ms);
  auto probe = b.try_acquire();  // as late as it can be
  ASSERT_TRUE(probe);
  const auto asked = web.now() - 490ms;
  web.expect_nothing(3999ms);
  EXPECT_EQ(gate(b), phase::taken);
  web.run(20ms);
  EXPECT_EQ(gate(b), phase::shut);
  // Even on a clock that is 2 % slow the store holds it for longer than it was believed in here.
  const auto at_store = std::chrono::milliseconds(std::stoll(own(lease)[3]));
  EXPECT_GT(at_store * 100, (web.now() - asked) * 102);
  EXPECT_EQ(web.agent().figures().leases_lost, 1u);
  // Its outcome comes too late for the fleet.
  probe.success();
  EXPECT_TRUE(b.is_half_open());
  web.run(20ms);
}

TEST(fleet_agent, a_lease_that_has_passed_is_left_to_the_store_and_never_given_back) {
  instance web;
  auto& b = web.add("payments");
  web.join();
  web.offered(b);
  auto probe = b.try_acquire();
  ASSERT_TRUE(probe);
  for (const auto& r : web.run(6s)) EXPECT_NE(r.arguments[0], "verdict");
  probe.success();
  for (const auto& r : web.run(1s)) EXPECT_NE(r.arguments[0], "verdict");
}

}  // namespace
