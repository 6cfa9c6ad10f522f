// SPDX-License-Identifier: Apache-2.0
#include "redis_bus_support.hpp"

#include <switchgear/testing/manual_clock.hpp>

#include <gtest/gtest.h>

#include <string>

namespace {

namespace sg = switchgear;
using namespace std::chrono_literals;
using namespace test_support;

/// Buses of programs that come and go while their circuits live on.
class redis_bus_member : public testing::Test {
 protected:
  redis_bus_member() { server_.start(); }

  sg::redis_bus_options of_member(std::chrono::nanoseconds kept = 1h) {
    auto o = quick(server_);
    o.queues.keep_present = kept;
    o.queues.member = "x";
    o.close_timeout = 20s;
    return o;
  }
  /// What somebody who comes now is told of one circuit.
  std::uint64_t told_now(const std::string& service) {
    ear heard;
    sg::redis_bus late(quick(server_));
    const auto subscription = late.subscribe(sg::topics::state, heard.events(), {.present = true});
    EXPECT_TRUE(eventually([&] { return heard.count() >= 1; }));
    return heard.last_sequence(service);
  }
  std::int64_t number(std::vector<std::string_view> words) { return client_of(server_).command(words).integer; }

  redis_server server_;
};

TEST_F(redis_bus_member, is_told_of_when_it_is_gone) {
  {
    sg::redis_bus bus(of_member());
    bus.publish(transition("payments", 3));
  }
  EXPECT_EQ(told_now("payments"), 3u);
  EXPECT_GT(number({"PTTL", "switchgear:circuits:x"}), 3'600'000);
}

TEST_F(redis_bus_member, hands_its_circuits_on_to_the_next_of_its_name) {
  {
    sg::redis_bus bus(of_member());
    bus.publish(transition("payments", 3));
  }
  ear heard;
  sg::redis_bus member(quick(server_));
  const auto subscription = member.subscribe(sg::topics::state, heard.events(), {.present = true});
  ASSERT_TRUE(eventually([&] { return heard.count() == 1; }));
  {
    sg::redis_bus bus(of_member());
    bus.publish(transition("payments", 3));  // it was told before
    bus.publish(transition("payments", 4));
  }
  ASSERT_TRUE(eventually([&] { return heard.count() == 2; }));
  EXPECT_EQ(heard.heard()[0].sequence, 3u);
  EXPECT_EQ(heard.heard()[1].sequence, 4u);
  EXPECT_EQ(member.metrics().circuits, 1u);
  EXPECT_EQ(number({"HLEN", "switchgear:circuits:x"}), 1);
  EXPECT_EQ(number({"ZCARD", "switchgear:members"}), 1);
}

TEST_F(redis_bus_member, is_forgotten_after_its_time_by_the_clock_of_the_server) {
  ear heard;
  auto options = quick(server_);
  options.heartbeat = 20ms;
  sg::redis_bus member(options);
  const auto subscription = member.subscribe(sg::topics::state, heard.events(), {.present = true});
  ASSERT_TRUE(connected(member));
  auto brief = of_member(300ms);
  brief.heartbeat = 50ms;
  brief.lifetime = 100ms;
  {
    sg::redis_bus bus(brief);
    bus.publish(transition("payments", 3));
  }
  ASSERT_TRUE(eventually([&] { return heard.count() == 1; }));
  EXPECT_TRUE(eventually([&] { return member.metrics().circuits == 0; }));
  EXPECT_EQ(number({"EXISTS", "switchgear:circuits:x"}), 0);
}

TEST_F(redis_bus_member, does_not_take_over_what_is_too_old) {
  auto client = client_of(server_);
  client.command({"HSET", "switchgear:circuits:x", "0123456789abcdef\nold", "1 " + sg::to_json(transition("old", 1))});
  client.command({"ZADD", "switchgear:members", "1", "x"});  // 1970
  sg::redis_bus bus(of_member());
  bus.publish(transition("payments", 3));
  ASSERT_TRUE(bus.flush(20s));
  EXPECT_EQ(number({"HEXISTS", "switchgear:circuits:x", "0123456789abcdef\nold"}), 0);
  EXPECT_EQ(told_now("payments"), 3u);
}

TEST_F(redis_bus_member, begins_its_time_when_it_is_closed) {
  sg::testing::manual_clock clock;  // so that no heartbeat does it
  auto options = of_member();
  options.clock = &clock;
  sg::redis_bus bus(options);
  bus.publish(transition("payments", 3));
  ASSERT_TRUE(bus.flush(20s));
  client_of(server_).command({"PEXPIRE", "switchgear:circuits:x", "60000"});
  bus.close();
  EXPECT_GT(number({"PTTL", "switchgear:circuits:x"}), 3'600'000);
}

TEST_F(redis_bus_member, withdraws_what_it_is_told_to) {
  sg::redis_bus bus(of_member());
  bus.publish(transition("payments", 3));
  bus.publish(transition("search", 1));
  bus.withdraw("search", "0123456789abcdef");
  bus.close();
  EXPECT_EQ(number({"HLEN", "switchgear:circuits:x"}), 1);
}

TEST_F(redis_bus_member, publishes_a_transition_behind_the_present_state_that_has_it_in_it) {
  ear asked, plain;
  sg::redis_bus member(quick(server_));
  const auto first = member.subscribe(sg::topics::state, asked.events(), {.present = true});
  const auto second = member.subscribe(sg::topics::state, plain.events());
  ASSERT_TRUE(connected(member));
  // Two programs that share a circuit: one looks at it before the other has told what it did.
  sg::redis_bus one(of_member()), other(of_member());
  one.publish(transition("payments", 1));
  sg::event now = transition("payments", 3);
  now.present = true;
  one.publish(now);
  ASSERT_TRUE(one.flush(20s));
  for (std::uint64_t i = 2; i <= 4; ++i) other.publish(transition("payments", i));
  ASSERT_TRUE(other.flush(20s));
  ASSERT_TRUE(eventually([&] { return plain.count() == 4; }));
  for (std::uint64_t i = 0; i < 4; ++i) EXPECT_EQ(plain.heard()[i].sequence, i + 1);
  ASSERT_EQ(asked.count(), 3u);
  EXPECT_EQ(asked.heard()[1].sequence, 3u);
  EXPECT_EQ(asked.heard()[2].sequence, 4u);
  EXPECT_EQ(told_now("payments"), 4u);
  EXPECT_EQ(client_of(server_).command({"XLEN", "switchgear:transitions"}).integer, 4);
}

}  // namespace
