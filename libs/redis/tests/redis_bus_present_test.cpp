// SPDX-License-Identifier: Apache-2.0
#include "redis_bus_support.hpp"

#include <switchgear/publish_to.hpp>
#include <switchgear/testing/manual_clock.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <map>
#include <thread>

namespace {

namespace sg = switchgear;
using namespace std::chrono_literals;
using namespace test_support;

class redis_bus_present : public testing::Test {
 protected:
  redis_bus_present() { server_.start(); }
  redis_server server_;
};

TEST_F(redis_bus_present, tells_a_late_comer_how_things_are_and_then_what_changes) {
  sg::redis_bus sender(quick(server_));
  for (std::uint64_t i = 1; i <= 3; ++i) sender.publish(transition("payments", i));
  sg::event untouched = transition("search", 0);
  untouched.present = true;
  sender.publish(untouched);
  ASSERT_TRUE(sender.flush(20s));
  ear heard, only_changes;
  sg::redis_bus late(quick(server_));
  const auto first = late.subscribe(sg::topics::all, heard.events(), {.present = true});
  const auto second = late.subscribe(sg::topics::all, only_changes.events());
  ASSERT_TRUE(eventually([&] { return heard.count() == 2; }));
  sender.publish(transition("payments", 4));
  ASSERT_TRUE(eventually([&] { return heard.count() == 3; }));
  for (const sg::event& e : heard.heard()) EXPECT_EQ(e.present, e.sequence != 4) << e.service;
  EXPECT_EQ(heard.last_sequence("payments"), 4u);
  ASSERT_EQ(only_changes.count(), 1u);
  EXPECT_EQ(only_changes.heard().front().sequence, 4u);
  EXPECT_EQ(late.metrics().missed, 0u);
}

TEST_F(redis_bus_present, has_no_gap_and_nothing_twice_while_others_publish) {
  sg::redis_bus sender(quick(server_));
  std::atomic<bool> stop{false};
  std::uint64_t last = 0;
  std::thread busy([&] {
    while (!stop.load()) {
      ++last;
      for (const char* service : {"a", "b", "c", "d"}) sender.publish(transition(service, last));
      if (last % 8 != 0) continue;
      (void)sender.flush(5s);
      std::this_thread::sleep_for(1ms);  // so that slow receivers keep up
    }
  });
  for (int round = 0; round < 5; ++round) {
    ear heard, changes;
    sg::redis_bus late(quick(server_));
    const auto first = late.subscribe(sg::topics::state, heard.events(), {.present = true});
    const auto second = late.subscribe(sg::topics::state, changes.events());
    EXPECT_TRUE(eventually([&] { return heard.count() > 200; }));
    late.close();
    EXPECT_EQ(late.metrics().missed, 0u);
    EXPECT_EQ(late.metrics().undelivered, 0u);
    for (const ear* each : {&heard, &changes}) {
      std::map<std::string, std::uint64_t> known;
      for (const sg::event& e : each->heard()) {
        const auto [at, fresh] = known.try_emplace(e.service, e.sequence);
        if (fresh) continue;
        EXPECT_EQ(e.sequence, ++at->second);
      }
    }
  }
  stop.store(true);
  busy.join();
}

TEST_F(redis_bus_present, publishes_breakers_and_withdraws_them) {
  ear before;
  sg::redis_bus sender(quick(server_)), member(quick(server_));
  const auto first = member.subscribe(sg::topics::all, before.events(), {.present = true});
  ASSERT_TRUE(connected(member));
  sg::circuit_breaker payments{"payments"}, search{"search"};
  auto published = sg::publish_to(sender, payments);
  const auto also = sg::publish_to(sender, search);
  payments.trip("by hand");
  ASSERT_TRUE(eventually([&] { return before.last_sequence("payments") == 1 && member.metrics().circuits == 2; }));
  published.end();
  ASSERT_TRUE(eventually([&] { return member.metrics().circuits == 1; }));
  ear after;
  const auto second = member.subscribe(sg::topics::all, after.events(), {.present = true});
  ASSERT_TRUE(eventually([&] { return after.count() == 1; }));
  EXPECT_EQ(after.heard().front().service, "search");
  EXPECT_EQ(after.heard().front().state, sg::state::closed);
  EXPECT_TRUE(after.heard().front().present);
}

TEST_F(redis_bus_present, takes_its_circuits_along_when_it_is_closed) {
  ear heard;
  sg::redis_bus sender(quick(server_)), member(quick(server_));
  const auto subscription = member.subscribe(sg::topics::all, heard.events(), {.present = true});
  ASSERT_TRUE(connected(member));
  sender.publish(transition("payments", 1));
  ASSERT_TRUE(eventually([&] { return member.metrics().circuits == 1; }));
  sender.close();
  EXPECT_TRUE(eventually([&] { return member.metrics().circuits == 0; }));
  EXPECT_EQ(client_of(server_).command({"ZCARD", "switchgear:members"}).integer, 0);
}

TEST_F(redis_bus_present, forgets_what_a_silent_process_has_told) {
  // A process that was killed: what it left behind is as old as its lifetime.
  auto client = client_of(server_);
  const std::string json = sg::to_json(transition("payments", 1));
  client.command({"HSET", "switchgear:circuits:dead", "0123456789abcdef\npayments", "1 " + json});
  client.command({"ZADD", "switchgear:members", "+inf", "dead"});
  ear heard;
  sg::redis_bus member(quick(server_));
  const auto subscription = member.subscribe(sg::topics::all, heard.events(), {.present = true});
  ASSERT_TRUE(eventually([&] { return member.metrics().circuits == 1; }));
  client.command({"ZADD", "switchgear:members", "1", "dead"});
  EXPECT_TRUE(eventually([&] { return member.metrics().circuits == 0; }));
  EXPECT_EQ(client.command({"EXISTS", "switchgear:circuits:dead"}).integer, 0);
}

TEST_F(redis_bus_present, forgets_a_process_that_ended_while_the_server_was_away) {
  auto options = quick(server_);
  options.lifetime = 400ms;
  ear heard;
  sg::redis_bus lives(options), member(options);
  lives.publish(transition("search", 1));
  const std::string json = sg::to_json(transition("payments", 1));
  auto client = client_of(server_);
  client.command({"HSET", "switchgear:circuits:dead", "0123456789abcdef\npayments", "1 " + json});
  client.command({"ZADD", "switchgear:members", "+inf", "dead"});
  const auto subscription = member.subscribe(sg::topics::all, heard.events(), {.present = true});
  ASSERT_TRUE(eventually([&] { return member.metrics().circuits == 2; }));
  server_.restart_empty();
  ASSERT_TRUE(eventually([&] { return member.metrics().circuits == 1; }));
  ear late;
  const auto another = member.subscribe(sg::topics::all, late.events(), {.present = true});
  ASSERT_TRUE(eventually([&] { return late.count() == 1; }));
  EXPECT_EQ(late.heard().front().service, "search");
}

TEST_F(redis_bus_present, is_told_again_at_the_next_heartbeat_when_the_server_was_emptied) {
  sg::testing::manual_clock clock;
  auto options = quick(server_);
  options.clock = &clock;
  options.heartbeat = 5s;
  sg::redis_bus sender(options);
  for (std::uint64_t i = 1; i <= 3; ++i) sender.publish(transition("payments", i));
  sender.publish(transition("search", 1));
  ASSERT_TRUE(sender.flush(20s));
  auto client = client_of(server_);
  client.command({"FLUSHALL"});
  clock.advance(4s);
  EXPECT_EQ(client.command({"KEYS", "switchgear:circuits:*"}).elements.size(), 0u);
  clock.advance(1s);
  ear heard;
  ASSERT_TRUE(eventually([&] { return client.command({"KEYS", "switchgear:circuits:*"}).elements.size() == 1; }));
  sg::redis_bus late(quick(server_));
  const auto subscription = late.subscribe(sg::topics::all, heard.events(), {.present = true});
  ASSERT_TRUE(eventually([&] { return heard.count() == 2; }));
  EXPECT_EQ(heard.last_sequence("payments"), 3u);
}

TEST_F(redis_bus_present, reads_many_circuits_in_parts) {
  sg::redis_bus sender(quick(server_));
  for (int i = 0; i < 1300; ++i) sender.publish(transition("service-" + std::to_string(i), 1));
  ASSERT_TRUE(sender.flush(20s));
  ear heard;
  sg::redis_bus late(quick(server_));
  const auto subscription = late.subscribe(sg::topics::all, heard.events(), {.present = true});
  EXPECT_TRUE(eventually([&] { return heard.count() == 1300; }));
  EXPECT_EQ(late.metrics().circuits, 1300u);
}

}  // namespace
