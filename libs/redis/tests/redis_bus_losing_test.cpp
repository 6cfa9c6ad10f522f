// SPDX-License-Identifier: Apache-2.0
#include "redis_bus_support.hpp"

#include <switchgear/testing/manual_clock.hpp>

#include <gtest/gtest.h>

#include <chrono>

namespace {

namespace sg = switchgear;
using namespace std::chrono_literals;
using namespace test_support;

class redis_bus_losing : public testing::Test {
 protected:
  redis_bus_losing() { server_.start(); }
  redis_server server_;
};

TEST_F(redis_bus_losing, the_server_and_all_it_knew_ends_in_the_truth) {
  ear heard, notices;
  auto options = quick(server_);
  options.queues.on_notice = notices.notices();
  sg::redis_bus sender(options), member(quick(server_));
  const auto subscription = member.subscribe(sg::topics::all, heard.events(), {.present = true});
  ASSERT_TRUE(connected(sender) && connected(member));
  for (std::uint64_t i = 1; i <= 3; ++i) sender.publish(transition("payments", i));
  sender.publish(transition("search", 1));
  ASSERT_TRUE(eventually([&] { return heard.count() == 4; }));

  server_.kill();
  sender.publish(transition("payments", 4));
  ASSERT_TRUE(eventually([&] { return !sender.metrics().connected && !member.metrics().connected; }));
  sender.publish(transition("payments", 5));
  server_.restart_empty();
  ASSERT_TRUE(eventually([&] { return heard.last_sequence("payments") == 5; }));
  ASSERT_TRUE(sender.flush(20s));
  EXPECT_TRUE(adds_up(sender.metrics()));
  EXPECT_EQ(sender.metrics().dropped, 0u);
  EXPECT_EQ(notices.count(sg::bus_notice::kind::connected), 2u);
  EXPECT_GE(notices.count(sg::bus_notice::kind::disconnected), 1u);

  ear late_heard;
  sg::redis_bus late(quick(server_));
  const auto also = late.subscribe(sg::topics::all, late_heard.events(), {.present = true});
  ASSERT_TRUE(eventually([&] { return late_heard.count() == 2; }));
  EXPECT_EQ(late_heard.last_sequence("payments"), 5u);
  EXPECT_EQ(late_heard.last_sequence("search"), 1u);
}

TEST_F(redis_bus_losing, a_connection_costs_nothing_that_the_stream_still_has) {
  ear heard;
  sg::redis_bus sender(quick(server_)), member(quick(server_));
  const auto subscription = member.subscribe(sg::topics::state, heard.events());
  ASSERT_TRUE(connected(sender) && connected(member));
  sender.publish(transition("payments", 1));
  ASSERT_TRUE(eventually([&] { return heard.count() == 1; }));
  member.breaker().force_open("the test holds it back");
  auto client = client_of(server_);
  client.command({"CLIENT", "KILL", "TYPE", "pubsub"});
  ASSERT_TRUE(eventually([&] { return !member.metrics().connected; }));
  for (std::uint64_t i = 2; i <= 1200; ++i) sender.publish(transition("payments", i));
  ASSERT_TRUE(sender.flush(20s));
  member.breaker().reset();
  ASSERT_TRUE(eventually([&] { return heard.count() == 1200; }));
  EXPECT_EQ(member.metrics().missed, 0u);
  sender.publish(transition("payments", 1201));  // and it listens again
  ASSERT_TRUE(eventually([&] { return heard.count() == 1201; }));
  const auto all = heard.heard();
  for (std::size_t i = 0; i < all.size(); ++i) ASSERT_EQ(all[i].sequence, i + 1);
}

TEST_F(redis_bus_losing, more_than_the_stream_has_is_counted_as_missed) {
  ear heard;
  auto options = quick(server_);
  options.stream_length = 1;
  sg::redis_bus sender(options), member(quick(server_));
  const auto subscription = member.subscribe(sg::topics::state, heard.events());
  ASSERT_TRUE(connected(sender) && connected(member));
  sender.publish(transition("payments", 1));
  ASSERT_TRUE(eventually([&] { return heard.count() == 1; }));
  member.breaker().force_open("the test holds it back");
  client_of(server_).command({"CLIENT", "KILL", "TYPE", "pubsub"});
  ASSERT_TRUE(eventually([&] { return !member.metrics().connected; }));
  for (std::uint64_t i = 2; i <= 1001; ++i) sender.publish(transition("payments", i));
  ASSERT_TRUE(sender.flush(20s));
  member.breaker().reset();
  ASSERT_TRUE(eventually([&] { return heard.last_sequence("payments") == 1001; }));
  const auto m = member.metrics();
  EXPECT_GT(m.missed, 0u);
  EXPECT_EQ(m.missed + heard.count(), 1001u);
}

TEST_F(redis_bus_losing, a_server_that_hangs_is_noticed_and_found_again) {
  ear heard, notices;
  auto options = quick(server_);
  options.server.timeout = 500ms;
  options.queues.on_notice = notices.notices();
  sg::redis_bus sender(options), member(options);
  const auto subscription = member.subscribe(sg::topics::state, heard.events(), {.present = true});
  ASSERT_TRUE(connected(sender) && connected(member));
  sender.publish(transition("payments", 1));
  ASSERT_TRUE(eventually([&] { return heard.count() == 1; }));
  server_.stop();
  ASSERT_TRUE(eventually([&] { return !sender.metrics().connected && !member.metrics().connected; }));
  const auto before = std::chrono::steady_clock::now();
  for (std::uint64_t i = 2; i <= 50; ++i) sender.publish(transition("payments", i));
  EXPECT_LT(std::chrono::steady_clock::now() - before, 400ms);
  ASSERT_TRUE(eventually([&] { return sender.breaker().state() != sg::state::closed; }));
  server_.resume();
  ASSERT_TRUE(eventually([&] { return heard.last_sequence("payments") == 50; }));
  EXPECT_EQ(member.metrics().missed, 0u);
  EXPECT_TRUE(eventually([&] { return sender.breaker().is_closed(); }));
}

TEST_F(redis_bus_losing, a_hung_server_holds_up_neither_close_nor_what_waits) {
  ear notices;
  auto options = quick(server_);
  options.close_timeout = 300ms;
  options.server.timeout = 60s;
  options.queues.on_notice = notices.notices();
  sg::redis_bus bus(options);
  const auto subscription = bus.subscribe(sg::topics::all, notices.events(), {.present = true});
  ASSERT_TRUE(connected(bus));
  server_.stop();
  for (std::uint64_t i = 1; i <= 10; ++i) bus.publish(transition("payments", i));
  const auto before = std::chrono::steady_clock::now();
  bus.close();
  const auto took = std::chrono::steady_clock::now() - before;
  EXPECT_GE(took, 290ms);
  EXPECT_LT(took, 5s);
  EXPECT_EQ(bus.metrics().dropped, 10u);
  EXPECT_TRUE(adds_up(bus.metrics()));
  EXPECT_EQ(notices.count(sg::bus_notice::kind::dropped), 1u);
}

TEST_F(redis_bus_losing, a_server_that_was_never_there_drops_calls_and_keeps_the_truth) {
  server_.kill();
  auto options = quick(server_);
  options.queues.queue_capacity = 16;
  sg::redis_bus sender(options);
  for (std::uint64_t i = 1; i <= 500; ++i) {
    sender.publish(call("payments"));
    sender.publish(transition("payments", i));
    sender.publish(transition("search", i));
  }
  EXPECT_LE(sender.metrics().sent + sender.metrics().dropped, 1500u);
  server_.restart_empty();
  ASSERT_TRUE(sender.flush(60s));
  const auto m = sender.metrics();
  EXPECT_EQ(m.published, 1500u);
  EXPECT_TRUE(adds_up(m)) << m.sent << " " << m.dropped;
  EXPECT_GT(m.dropped, 1000u);
  ear heard;
  sg::redis_bus late(quick(server_));
  const auto subscription = late.subscribe(sg::topics::all, heard.events(), {.present = true});
  ASSERT_TRUE(eventually([&] { return heard.count() == 2; }));
  EXPECT_EQ(heard.last_sequence("payments"), 500u);
  EXPECT_EQ(heard.last_sequence("search"), 500u);
}

TEST_F(redis_bus_losing, a_server_adds_up_whatever_happens_and_when) {
  ear heard;
  sg::redis_bus sender(quick(server_)), member(quick(server_));
  const auto subscription = member.subscribe(sg::topics::state, heard.events(), {.present = true});
  std::uint64_t last = 0;
  for (int round = 0; round < 4; ++round) {
    for (int i = 0; i < 200; ++i) sender.publish(transition("payments", ++last));
    server_.kill();
    for (int i = 0; i < 200; ++i) sender.publish(transition("payments", ++last));
    server_.restart_empty();
  }
  ASSERT_TRUE(sender.flush(60s));
  EXPECT_TRUE(adds_up(sender.metrics()));
  EXPECT_EQ(sender.metrics().published, last);
  ASSERT_TRUE(eventually([&] { return heard.last_sequence("payments") == last; }));
  sender.publish(transition("payments", last + 1));
  sender.close();
  EXPECT_TRUE(adds_up(sender.metrics()));
}

TEST_F(redis_bus_losing, patience_is_a_matter_of_the_clock) {
  server_.kill();
  sg::testing::manual_clock clock;
  ear notices;
  auto options = quick(server_);
  options.clock = &clock;
  options.reconnect = sg::constant(10s);
  options.queues.on_notice = notices.notices();
  sg::redis_bus bus(options);
  bus.publish(transition("payments", 1));
  ASSERT_TRUE(eventually([&] { return notices.count(sg::bus_notice::kind::disconnected) == 1 && clock.timers() == 1; }));
  server_.restart_empty();
  clock.advance(9s);
  EXPECT_FALSE(bus.flush(50ms));
  clock.advance(1s);
  EXPECT_TRUE(bus.flush(20s));
  EXPECT_EQ(bus.metrics().sent, 1u);
}

TEST_F(redis_bus_losing, what_an_operator_holds_back_waits) {
  sg::redis_bus bus(quick(server_));
  bus.start();
  ASSERT_TRUE(connected(bus));
  bus.breaker().force_open("maintenance");
  bus.publish(transition("payments", 1));
  EXPECT_FALSE(bus.flush(100ms));
  bus.breaker().release();
  EXPECT_TRUE(bus.flush(20s));
  EXPECT_EQ(bus.metrics().connections, 1u);  // it was never lost
}

}  // namespace
