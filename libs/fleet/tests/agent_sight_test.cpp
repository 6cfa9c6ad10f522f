// SPDX-License-Identifier: Apache-2.0
// What an instance tells of its circuits in passing.
#include "agent_support.hpp"

#include <algorithm>

namespace {

using namespace fleet_test;

TEST(fleet_agent, views_are_told_when_they_change) {
  instance web;
  web.add("payments");
  web.add("idle");
  web.agent().link_up(web.now());
  auto sync = web.sync(0ms);
  auto a = own(sync);
  ASSERT_GE(a.size(), 10u);
  EXPECT_EQ(a[4], "0");
  EXPECT_EQ(a[5], "2");
  const auto view = fleet::read_view("web-1", a[7]);
  ASSERT_TRUE(view);
  EXPECT_EQ(view->state, sg::state::closed);
  web.answer(sync, web.sync_reply("all"));
  web.answer(web.sync(), web.sync_reply());  // the link has changed
  EXPECT_EQ(own(web.sync())[5], "0");
}

TEST(fleet_agent, a_view_tells_state_calls_and_link) {
  instance web;
  auto& b = web.add("payments");
  web.add("idle");
  web.join();
  web.run(1s);
  b.try_acquire().success();
  fail(b, 3);
  EXPECT_FALSE(b.try_acquire());
  web.answer(web.expect("open"), "done", web.decided("payments", fleet_state::open, 1, fleet_cause::rule, 10s, "web-1"));
  const auto a = own(web.sync());
  ASSERT_EQ(a[5], "1");
  ASSERT_EQ(a[6], "payments");
  const auto view = fleet::read_view("web-1", a[7]);
  ASSERT_TRUE(view);
  EXPECT_EQ(view->state, sg::state::open);
  EXPECT_EQ(view->calls, 5u);
  EXPECT_EQ(view->failures, 3u);
  EXPECT_EQ(view->rejections, 1u);
  EXPECT_EQ(view->link, fleet::link::shared);
}

TEST(fleet_agent, at_most_two_hundred_views_go_along_and_all_get_their_turn) {
  instance web;
  for (int i = 0; i < 450; ++i) web.add("c" + std::to_string(i));
  web.agent().link_up(web.now());
  auto sync = web.sync(0ms);
  EXPECT_EQ(own(sync)[5], "200");
  web.answer(sync, web.sync_reply("all"));
  std::vector<std::string> seen;
  for (int i = 0; i < 4; ++i) {
    sync = web.sync();
    const auto a = own(sync);
    for (int j = 0; j < std::stoi(a[5]); ++j) seen.push_back(a[6 + 2 * static_cast<std::size_t>(j)]);
    web.answer(sync, web.sync_reply());
  }
  std::sort(seen.begin(), seen.end());
  EXPECT_EQ(std::unique(seen.begin(), seen.end()) - seen.begin(), 450);
}

TEST(fleet_agent, the_view_of_a_circuit_that_has_gone_is_taken_away) {
  instance web;
  web.add("payments");
  web.join();
  web.agent().remove("payments");
  const auto a = own(web.sync());
  EXPECT_EQ(a[5], "1");
  EXPECT_EQ(a[6], "payments");
  EXPECT_EQ(a[7], "");
}

TEST(fleet_agent, all_views_are_told_again_to_a_store_that_forgot) {
  instance web;
  web.add("payments");
  web.join();
  web.run(2s);
  web.incarnation = "store-2";
  web.answer(web.sync(), web.sync_reply("all"));
  EXPECT_EQ(own(web.sync())[5], "1");
}

}  // namespace
