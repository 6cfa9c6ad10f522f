// SPDX-License-Identifier: Apache-2.0
// A store that forgot what it knew, or went back in time.
#include "agent_support.hpp"

namespace {

using namespace fleet_test;

TEST(fleet_agent, a_store_that_forgot_gets_back_what_is_known) {
  instance web;
  auto& b = web.add("payments");
  web.add("fine");
  web.join({web.decided("payments", fleet_state::open, 6), web.decided("stranger", fleet_state::forced_open, 3, fleet_cause::operated, -1ms)});
  web.run(4s);
  (void)web.agent().take_notices();
  web.incarnation = "store-2";
  web.version = 0;
  web.answer(web.sync(), web.sync_reply("all"));
  EXPECT_TRUE(b.is_open());
  EXPECT_EQ(gate(b), phase::shut);
  const auto restore = web.expect("restore");
  EXPECT_EQ(restore.arguments[2], "store-2");
  const auto a = own(restore);
  ASSERT_EQ(a.size(), 25u);
  EXPECT_EQ(a[0], "2");
  EXPECT_EQ(a[1], "payments");
  EXPECT_EQ(a[2], "6");
  EXPECT_LE(std::stoi(a[4]), 6000);
  EXPECT_EQ(a[13], "stranger");
  EXPECT_EQ(a[16], "-1");
  web.version = 2;
  web.answer(restore, web.head("done"));
  EXPECT_EQ(own(web.sync(0ms))[0], "0");  // for what the others brought
  EXPECT_EQ(web.agent().figures().restores, 1u);
  EXPECT_EQ(web.agent().figures().link_losses, 0u);
  const auto told = web.agent().take_notices();
  ASSERT_EQ(told.size(), 1u);
  EXPECT_EQ(told[0].is, fleet::notice::kind::store_lost);
}

TEST(fleet_agent, what_another_instance_has_given_back_already_is_not_sent_again) {
  instance web;
  web.add("payments");
  const auto r = web.decided("payments", fleet_state::open, 6);
  web.join({r});
  web.incarnation = "store-2";
  web.answer(web.sync(), web.sync_reply("all", {r}));
  web.expect_nothing();
}

TEST(fleet_agent, a_decision_that_finds_the_store_lost_is_decided_anew) {
  instance web;
  auto& b = web.add("payments");
  web.join({web.decided("payments", fleet_state::closed, 4, fleet_cause::recovered)});
  fail(b, 3);
  const auto open = web.expect("open");
  web.incarnation = "store-2";
  web.version = 0;
  web.answer(open, web.head("lost"));
  EXPECT_TRUE(web.agent().is_up());
  web.answer(web.sync(0ms), web.sync_reply("all"));
  web.answer(web.expect("restore"), web.head("done"));
  const auto again = web.expect("open");
  EXPECT_EQ(again.arguments[2], "store-2");
  EXPECT_EQ(own(again)[1], "4");
}

TEST(fleet_agent, a_store_that_went_on_without_this_instance_is_followed) {
  instance web;
  auto& b = web.add("payments");
  web.join({web.decided("payments", fleet_state::open, 6)});
  web.incarnation = "store-2";
  web.answer(web.sync(), web.sync_reply("all", {web.decided("payments", fleet_state::closed, 7, fleet_cause::recovered)}));
  EXPECT_TRUE(b.is_closed());
  web.expect_nothing();
}

TEST(fleet_agent, a_smaller_epoch_of_a_new_store_is_not_applied_but_put_right) {
  instance web;
  auto& b = web.add("payments");
  web.join({web.decided("payments", fleet_state::open, 6)});
  web.incarnation = "store-2";
  web.answer(web.sync(), web.sync_reply("all", {web.decided("payments", fleet_state::closed, 2, fleet_cause::operated)}));
  EXPECT_TRUE(b.is_open());
  EXPECT_EQ(own(web.expect("restore"))[2], "6");
}

TEST(fleet_agent, the_same_epoch_of_two_stores_is_what_the_present_one_says) {
  instance web;
  auto& b = web.add("payments");
  web.join({web.decided("payments", fleet_state::open, 6)});
  web.incarnation = "store-2";
  web.answer(web.sync(), web.sync_reply("all", {web.decided("payments", fleet_state::forced_open, 6, fleet_cause::operated, -1ms)}));
  EXPECT_TRUE(b.is_forced_open());
  web.expect_nothing();
}

TEST(fleet_agent, a_lease_in_use_is_kept_in_a_store_that_forgot) {
  instance web;
  auto& b = web.add("payments");
  web.join();
  const auto lease = web.offered(b);
  auto probe = b.try_acquire();
  ASSERT_TRUE(probe);
  web.run(1s);
  web.incarnation = "store-2";
  web.version = 0;
  web.answer(web.sync(), web.sync_reply("all"));
  auto asked = web.run(0ms);
  ASSERT_EQ(asked.size(), 2u);
  EXPECT_EQ(asked[0].arguments[0], "keep");
  EXPECT_EQ(asked[1].arguments[0], "restore");
  const auto a = own(asked[0]);
  EXPECT_EQ(a[4], lease.arguments.back());
  EXPECT_LT(std::stoi(a[3]), 3700);  // what is left of it
  EXPECT_EQ(gate(b), phase::taken);
  auto r = web.last_open;
  r.version = 1;
  web.answer(asked[0], "granted", r, "2");
  web.answer(asked[1], web.head("done"));
  probe.success();
  const auto verdict = own(web.expect("verdict"));
  EXPECT_EQ(verdict[2], "2");
  EXPECT_EQ(verdict[4], "success");
}

TEST(fleet_agent, a_lease_whose_verdict_found_the_store_lost_is_kept_and_told_again) {
  instance web;
  auto& b = web.add("payments");
  web.join();
  web.offered(b);
  b.try_acquire().success();
  const auto verdict = web.expect("verdict");
  web.incarnation = "store-2";
  web.version = 0;
  web.answer(verdict, web.head("lost"));
  web.answers_syncs = false;
  auto asked = web.run(0ms);
  ASSERT_EQ(asked.size(), 2u);
  EXPECT_EQ(asked[0].arguments[0], "keep");
  web.answer(asked[1], web.sync_reply("all"));
  web.answers_syncs = true;
  auto restore = web.expect("restore");
  web.answer(asked[0], "granted", web.last_open, "1");
  web.expect_nothing(100ms);  // not before the store knows what this is about
  web.answer(restore, web.head("done"));
  EXPECT_EQ(own(web.expect("verdict"))[4], "success");
}

TEST(fleet_agent, an_offer_that_nobody_took_is_withdrawn_from_a_store_that_forgot) {
  instance web;
  auto& b = web.add("payments");
  web.join();
  web.offered(b);
  web.incarnation = "store-2";
  web.version = 0;
  web.answer(web.sync(), web.sync_reply("all", {web.last_open}));
  EXPECT_EQ(gate(b), phase::shut);
  web.expect_nothing(100ms);
}

TEST(fleet_agent, a_kept_lease_without_a_place_is_none) {
  instance web;
  auto& b = web.add("payments");
  web.join();
  web.offered(b);
  auto probe = b.try_acquire();
  web.incarnation = "store-2";
  web.version = 0;
  web.answer(web.sync(), web.sync_reply("all", {web.last_open}));
  web.answer(web.expect("keep"), "busy", web.last_open, "700");
  EXPECT_EQ(gate(b), phase::shut);
  EXPECT_EQ(web.agent().figures().leases_lost, 1u);
  probe.success();
  web.expect("lease");  // for another one
}

TEST(fleet_agent, a_probe_whose_epoch_or_link_has_passed_is_kept_too) {
  for (const bool link_lost : {false, true}) {
    auto o = instance::quick();
    o.patience = 5s;
    instance web(o);
    auto& b = web.add("payments");
    web.join();
    const auto lease = web.offered(b);
    auto probe = b.try_acquire();
    ASSERT_TRUE(probe);
    auto r = web.last_open;
    if (link_lost) {
      web.agent().link_down(web.now(), "gone");
      web.rejoin({web.last_open});
      web.expect("lease");  // for another one; its answer is awaited
    } else {
      r = web.opened_elsewhere("payments", 2, 20s);
    }
    const auto sync = web.sync();
    web.incarnation = "store-2";
    web.version = 0;
    web.answer(sync, web.sync_reply("all", {r}));
    const auto keep = web.expect("keep");
    EXPECT_EQ(own(keep)[4], lease.arguments.back());
    web.answer(keep, "granted", r, "1");
    probe.success();
    web.expect_nothing(200ms);  // it goes by itself
  }
}

TEST(fleet_agent, a_lease_granted_by_a_store_that_is_gone_is_not_offered) {
  auto o = instance::quick();
  o.patience = 5s;
  instance web(o);
  auto& b = web.add("payments");
  web.join();
  auto due = web.opened_elsewhere("payments");
  web.run(10s);
  due.remaining = 0ms;
  EXPECT_FALSE(b.try_acquire());
  const auto lease = web.expect("lease");
  auto granted = web.head("granted");
  granted.push_back("1");
  fleet::write(due, granted);
  const auto sync = web.sync();
  web.incarnation = "store-2";
  web.answer(sync, web.sync_reply("all", {due}));
  web.answer(lease, granted);
  EXPECT_EQ(gate(b), phase::shut);
}

TEST(fleet_agent, a_store_that_went_back_in_time_unnoticed_is_put_right) {
  instance web;
  auto& b = web.add("payments");
  web.join({web.decided("payments", fleet_state::open, 6, fleet_cause::rule, 0ms)});
  EXPECT_FALSE(b.try_acquire());
  const auto lease = web.expect("lease");
  const auto past = web.decided("payments", fleet_state::closed, 5, fleet_cause::recovered);
  web.answer(lease, "stale", past);
  EXPECT_TRUE(b.is_half_open());
  // What is new, then everything, and then it gets what it lacks.
  web.answer(web.sync(0ms), web.sync_reply());
  const auto all = web.sync(0ms);
  EXPECT_EQ(own(all)[0], "0");
  web.answer(all, web.sync_reply("ok", {past}));
  const auto restore = web.expect("restore");
  EXPECT_EQ(own(restore)[2], "6");
  web.answer(restore, web.head("done"));
  EXPECT_FALSE(b.try_acquire());
  web.expect("lease");
}

TEST(fleet_agent, after_a_loss_the_last_version_is_said_first_so_that_a_store_of_the_past_is_found_out) {
  instance web;
  web.add("payments");
  web.join({web.decided("payments", fleet_state::open, 6)});
  web.version = 9;
  web.answer(web.sync(), web.sync_reply());
  web.agent().link_down(web.now(), "gone");
  web.agent().link_up(web.now());
  EXPECT_EQ(own(web.sync(0ms))[0], "9");
}

}  // namespace
