// SPDX-License-Identifier: Apache-2.0
// Syncs and news.
#include "agent_support.hpp"

namespace {

using namespace fleet_test;

TEST(fleet_agent, an_exchange_is_due_every_so_often) {
  instance web;
  web.join();
  const auto first = web.sync();
  web.answer(first, web.sync_reply());
  const auto at = web.now();
  web.sync();
  EXPECT_EQ(web.now() - at, 250ms);
}

TEST(fleet_agent, only_one_exchange_is_under_way) {
  auto o = instance::quick();
  o.patience = 10s;
  instance web(o);
  web.join();
  web.sync();
  web.answers_syncs = false;
  EXPECT_TRUE(web.run(2s).empty());
}

TEST(fleet_agent, news_in_order_need_no_exchange) {
  instance web;
  web.add("payments");
  web.join();
  web.opened_elsewhere("payments", 1);
  web.opened_elsewhere("payments", 2);
  EXPECT_EQ(own(web.sync())[0], "2");
}

TEST(fleet_agent, a_gap_in_the_news_is_filled_at_once) {
  instance web;
  auto& b = web.add("payments");
  auto& c = web.add("search");
  web.join();
  web.answer(web.sync(), web.sync_reply());
  const auto lost = web.decided("payments", fleet_state::open, 1);
  web.opened_elsewhere("search");
  EXPECT_TRUE(c.is_open());  // what came is in force all the same
  EXPECT_EQ(web.agent().next(web.now()), 0ms);
  const auto sync = web.sync(0ms);
  EXPECT_EQ(own(sync)[0], "0");
  web.answer(sync, web.sync_reply("ok", {lost}));
  EXPECT_TRUE(b.is_open());
  EXPECT_EQ(own(web.sync())[0], "2");
}

TEST(fleet_agent, news_in_any_order_lead_to_the_same_end) {
  instance web;
  auto& b = web.add("payments");
  web.join();
  const auto first = web.decided("payments", fleet_state::open, 1);
  const auto second = web.decided("payments", fleet_state::closed, 2, fleet_cause::recovered);
  const auto third = web.decided("payments", fleet_state::forced_open, 3, fleet_cause::operated, -1ms);
  web.news(third);
  web.news(first);
  web.news(second);
  web.news(third);
  EXPECT_TRUE(b.is_forced_open());
  EXPECT_EQ(web.agent().known("payments")->epoch, 3u);
  EXPECT_EQ(b.history().size(), 1u);
}

TEST(fleet_agent, a_reply_that_is_older_than_the_news_changes_nothing) {
  instance web;
  auto& b = web.add("payments");
  web.join();
  const auto sync = web.sync();
  const auto older = web.decided("payments", fleet_state::open, 1);
  auto reply = web.sync_reply("ok", {older});
  web.news(older);
  web.news(web.decided("payments", fleet_state::closed, 2, fleet_cause::recovered));
  web.answer(sync, reply);
  EXPECT_TRUE(b.is_closed());
  EXPECT_EQ(own(web.sync())[0], "2");  // and the version does not go back
}

TEST(fleet_agent, replies_to_decisions_do_not_jump_over_what_others_did) {
  instance web;
  auto& b = web.add("payments");
  web.join();
  web.decided("search", fleet_state::open, 1);  // version 1, which nobody told
  fail(b, 3);
  web.answer(web.expect("open"), "done", web.decided("payments", fleet_state::open, 1, fleet_cause::rule, 10s, "web-1"));
  EXPECT_EQ(own(web.sync())[0], "0");
}

TEST(fleet_agent, a_long_list_comes_in_parts) {
  instance web;
  auto& b = web.add("payments");
  web.agent().link_up(web.now());
  auto sync = web.sync(0ms);
  auto first = web.head("all");
  first.insert(first.end(), {"1", "500"});
  for (int i = 0; i < 500; ++i) fleet::write(web.decided("s" + std::to_string(i), fleet_state::open, 1), first);
  first.push_back("0");
  first[2] = "500";
  web.answer(sync, first);
  EXPECT_EQ(web.agent().link_state(), fleet::link::connecting);
  sync = web.sync(0ms);
  EXPECT_EQ(sync.arguments[2], "store-1");
  EXPECT_EQ(own(sync)[0], "500");
  auto more = web.sync_reply("more", {web.decided("payments", fleet_state::open, 1)});
  web.answer(sync, more);
  EXPECT_TRUE(b.is_open());
  web.answer(web.sync(0ms), web.sync_reply());
  EXPECT_EQ(web.agent().link_state(), fleet::link::shared);
}

TEST(fleet_agent, news_that_make_no_sense_are_passed_over) {
  instance web;
  auto& b = web.add("payments");
  web.join();
  for (const char* bad : {"", "\n", "store-1", "store-1\npayments\n1\nopen"}) web.agent().news(bad, web.now());
  web.news(web.decided("payments", fleet_state::open, 1), "");
  EXPECT_TRUE(web.agent().is_up());
  EXPECT_TRUE(b.is_closed());
}

TEST(fleet_agent, news_of_another_store_are_asked_about_and_not_applied) {
  instance web;
  auto& b = web.add("payments");
  web.join();
  web.answer(web.sync(), web.sync_reply());
  web.news(web.decided("payments", fleet_state::open, 1), "store-2");
  EXPECT_TRUE(b.is_closed());
  web.sync(0ms);
}

}  // namespace
