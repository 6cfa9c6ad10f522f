// SPDX-License-Identifier: Apache-2.0
// Leases that have to be waited for, come late, or outlive what they were for.
#include "agent_support.hpp"

#include <gmock/gmock.h>

namespace {

using namespace fleet_test;
using testing::ElementsAre;

TEST(fleet_agent, busy_is_waited_for_but_not_for_long) {
  instance web;
  auto& b = web.add("payments");
  web.join();
  web.opened_elsewhere("payments");
  web.run(10s);
  EXPECT_FALSE(b.try_acquire());
  auto lease = web.expect("lease");
  const auto due = web.decided("payments", fleet_state::open, 1, fleet_cause::rule, 0ms);
  web.answer(lease, "busy", due, "60");
  web.expect_nothing(59ms);
  lease = web.expect("lease");
  web.answer(lease, "busy", due, "30000");  // it may come free earlier, and nobody would say so
  web.expect_nothing(249ms);
  lease = web.expect("lease");
  web.answer(lease, "busy", due, "0");
  web.expect_nothing(9ms);
  lease = web.expect("lease");
  // A success of another one says that a place is free.
  web.answer(lease, "busy", due, "30000");
  auto r = due;
  r.successes = 1;
  r.version = ++web.version;
  web.news(r);
  web.expect("lease", 5ms);
}

TEST(fleet_agent, when_the_store_says_that_the_period_goes_on_it_is_waited_for) {
  instance web;
  auto& b = web.add("payments");
  web.join();
  web.opened_elsewhere("payments");
  web.run(10s);
  EXPECT_FALSE(b.try_acquire());
  web.answer(web.expect("lease"), "busy", web.decided("payments", fleet_state::open, 1, fleet_cause::rule, 2s), "2000");
  web.expect_nothing(1999ms);
  web.expect("lease");
}

TEST(fleet_agent, a_lease_of_another_epoch_is_not_offered_but_given_back) {
  instance web;
  auto& b = web.add("payments");
  web.join();
  const auto open = web.opened_elsewhere("payments");
  web.run(10s);
  EXPECT_FALSE(b.try_acquire());
  const auto lease = web.expect("lease");
  web.opened_elsewhere("payments", 2, 10s);
  web.answer(lease, "granted", open, "2");
  EXPECT_EQ(gate(b), phase::shut);
  const auto verdict = web.expect("verdict");
  EXPECT_THAT(own(verdict), ElementsAre("payments", "1", "2", lease.arguments.back(), "none", testing::_, testing::_, testing::_,
                                        testing::_, testing::_));
}

TEST(fleet_agent, a_lease_that_comes_late_is_not_offered_but_given_back) {
  instance web([] {
    auto o = instance::quick();
    o.patience = 5s;
    return o;
  }());
  auto& b = web.add("payments");
  web.join();
  auto due = web.opened_elsewhere("payments");
  web.run(10s);
  due.remaining = 0ms;
  EXPECT_FALSE(b.try_acquire());
  const auto lease = web.expect("lease");
  web.expect_nothing(600ms);
  web.answer(lease, "granted", due, "1");
  EXPECT_EQ(gate(b), phase::shut);
  EXPECT_EQ(own(web.expect("verdict"))[4], "none");
}

TEST(fleet_agent, a_stale_lease_follows_what_the_fleet_says) {
  instance web;
  auto& b = web.add("payments");
  web.join();
  web.opened_elsewhere("payments");
  web.run(10s);
  EXPECT_FALSE(b.try_acquire());
  web.answer(web.expect("lease"), "stale", web.decided("payments", fleet_state::closed, 2, fleet_cause::recovered));
  EXPECT_TRUE(b.is_closed());
  web.expect_nothing();
}

TEST(fleet_agent, an_offer_ends_with_its_epoch_and_goes_back) {
  instance web;
  auto& b = web.add("payments");
  web.join();
  web.offered(b);
  web.news(web.decided("payments", fleet_state::closed, 2, fleet_cause::recovered));
  EXPECT_TRUE(b.is_closed());
  EXPECT_EQ(gate(b), phase::off);
  const auto a = own(web.expect("verdict"));
  EXPECT_EQ(a[1], "1");
  EXPECT_EQ(a[4], "none");
}

TEST(fleet_agent, a_probe_that_is_out_when_its_epoch_ends_keeps_its_place_at_the_store) {
  instance web;
  auto& b = web.add("payments");
  web.join();
  web.offered(b);
  auto probe = b.try_acquire();
  ASSERT_TRUE(probe);
  web.opened_elsewhere("payments", 2, 20s);
  EXPECT_EQ(gate(b), phase::shut);
  web.expect_nothing(100ms);
  probe.success();  // late
  web.expect_nothing(1s);
  EXPECT_TRUE(b.is_open());
}

TEST(fleet_agent, a_verdict_that_comes_too_late_follows_what_the_fleet_says) {
  instance web;
  auto& b = web.add("payments");
  web.join();
  web.offered(b);
  b.try_acquire().failure("still");
  const auto verdict = web.expect("verdict");
  web.answer(verdict, "stale", web.decided("payments", fleet_state::closed, 2, fleet_cause::recovered));
  EXPECT_TRUE(b.is_closed());
  EXPECT_EQ(web.agent().figures().stale, 1u);
  web.expect_nothing();
}

TEST(fleet_agent, news_of_the_verdict_may_come_before_the_reply) {
  instance web;
  auto& b = web.add("payments");
  web.join();
  web.offered(b);
  b.try_acquire().success();
  const auto verdict = web.expect("verdict");
  const auto r = web.decided("payments", fleet_state::closed, 2, fleet_cause::recovered, 0ms, "web-1");
  web.news(r);
  web.answer(verdict, "done", r);
  EXPECT_TRUE(b.is_closed());
  EXPECT_EQ(b.history().size(), 3u);
  web.expect_nothing();
}

TEST(fleet_agent, a_reply_that_comes_twice_counts_once) {
  instance web;
  auto& b = web.add("payments");
  web.join();
  const auto lease = web.offered(b);
  b.try_acquire().success();
  const auto verdict = web.expect("verdict");
  web.answer(lease, "granted", web.last_open, "1");
  EXPECT_NE(gate(b), phase::offered);
  const auto closed = web.decided("payments", fleet_state::closed, 2, fleet_cause::recovered, 0ms, "web-1");
  web.answer(verdict, "done", closed);
  web.opened_elsewhere("payments", 3);
  web.answer(verdict, "done", closed);
  EXPECT_TRUE(b.is_open());
  EXPECT_EQ(web.agent().figures().leases_granted, 1u);
}

TEST(fleet_agent, a_probe_without_a_limit_keeps_its_place_for_an_hour) {
  instance web;
  auto& b = web.add("payments", {.failure_threshold = 3, .open_duration = 10s, .probe_timeout = 0s});
  web.join();
  const auto lease = web.offered(b);
  EXPECT_EQ(own(lease)[3], std::to_string((3'600'000 + 500) * 102 / 100 + 50));
  auto probe = b.try_acquire();
  ASSERT_TRUE(probe);
  web.run(3599s);
  EXPECT_EQ(gate(b), phase::taken);
  web.run(2s);
  EXPECT_NE(gate(b), phase::taken);
  probe.success();
}

TEST(fleet_agent, a_shadow_circuit_recovers_with_the_fleet) {
  instance web;
  auto& b = web.add("payments", {.shadow = true, .failure_threshold = 3, .open_duration = 10s, .probe_timeout = 4s});
  web.join();
  web.opened_elsewhere("payments");
  web.run(10s);
  b.try_acquire().success();  // passes, but is no probe
  auto due = web.last_open = web.decided("payments", fleet_state::open, 1, fleet_cause::rule, 0ms);
  web.answer(web.expect("lease"), "granted", due, "1");
  b.try_acquire().success();
  web.expect("verdict");
}

TEST(fleet_agent, a_removed_circuit_gives_back_what_it_did_not_use) {
  instance web;
  auto& b = web.add("payments");
  web.join();
  web.offered(b);
  web.agent().remove("payments");
  EXPECT_EQ(gate(b), phase::off);
  const auto verdict = web.expect("verdict");
  EXPECT_EQ(own(verdict)[4], "none");
  web.answer(verdict, "done", web.last_open);
}

TEST(fleet_agent, a_lease_granted_to_a_circuit_that_has_gone_goes_back) {
  instance web;
  auto& b = web.add("payments");
  web.join();
  auto due = web.opened_elsewhere("payments");
  web.run(10s);
  EXPECT_FALSE(b.try_acquire());
  const auto lease = web.expect("lease");
  web.agent().remove("payments");
  due.remaining = 0ms;
  web.answer(lease, "granted", due, "1");
  EXPECT_EQ(own(web.expect("verdict"))[4], "none");
}

TEST(fleet_agent, whoever_leaves_gives_back_what_was_not_used_and_says_so) {
  instance web;
  auto& b = web.add("payments");
  web.join();
  web.offered(b);
  std::vector<fleet::request> out;
  web.agent().leave(web.now(), out);
  ASSERT_EQ(out.size(), 2u);
  EXPECT_EQ(out[0].arguments[0], "verdict");
  EXPECT_EQ(out[1].arguments[0], "leave");
  EXPECT_FALSE(web.agent().is_up());
  EXPECT_EQ(gate(b), phase::off);
  EXPECT_EQ(web.agent().figures().link_losses, 0u);
}

}  // namespace
