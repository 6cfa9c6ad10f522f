// SPDX-License-Identifier: Apache-2.0
#include "redis_bus_support.hpp"

#include <switchgear/testing/manual_clock.hpp>

#include <gtest/gtest.h>

#include <string>

namespace {

namespace sg = switchgear;
using namespace std::chrono_literals;
using namespace test_support;

class redis_bus_refusing : public testing::Test {
 protected:
  redis_bus_refusing() { server_.start(); }
  redis_server server_;
};

TEST_F(redis_bus_refusing, a_server_that_lets_in_and_then_refuses_is_asked_less_and_less_often) {
  client_of(server_).command({"ACL", "SETUSER", "reader", "on", ">pw", "~*", "&*", "+@all", "-xadd"});
  sg::testing::manual_clock clock;
  ear notices;
  auto options = quick(server_);
  options.server.user = "reader";
  options.server.password = "pw";
  options.clock = &clock;
  options.heartbeat = 1h;
  options.lifetime = 2h;
  options.reconnect = sg::exponential(10s).up_to(1h);
  options.queues.on_notice = notices.notices();
  sg::redis_bus bus(options);
  bus.publish(transition("payments", 1));
  const auto refused = [&](std::size_t times) {
    return eventually([&] {
      return notices.count(sg::bus_notice::kind::disconnected) == times && clock.timers() == 2;  // a heartbeat, and the wait
    });
  };
  ASSERT_TRUE(refused(1));
  clock.advance(10s);
  ASSERT_TRUE(refused(2));
  clock.advance(10s);
  EXPECT_EQ(clock.timers(), 2u) << "it waits for 20 s now";
  clock.advance(10s);
  ASSERT_TRUE(refused(3));
  EXPECT_EQ(bus.metrics().connections, 3u);
  client_of(server_).command({"ACL", "SETUSER", "reader", "+xadd"});
  clock.advance(40s);
  EXPECT_TRUE(bus.flush(20s));
  EXPECT_EQ(bus.metrics().sent, 1u);
}

TEST_F(redis_bus_refusing, to_tell_what_was_before_somebody_asked) {
  sg::testing::manual_clock clock;
  auto options = quick(server_);
  options.clock = &clock;
  sg::redis_bus sender(quick(server_)), member(options);
  ear calls, states;
  const auto first = member.subscribe("circuit_breaker.call.*", calls.events());
  ASSERT_TRUE(connected(member));
  clock.advance(options.heartbeat);  // it has heard everything up to here, of calls
  ASSERT_TRUE(eventually([&] {
    return client_of(server_).command({"CLIENT", "LIST", "TYPE", "pubsub"}).text.find("cmd=ping") != std::string::npos;
  }));
  sender.publish(transition("payments", 1));
  ASSERT_TRUE(sender.flush(20s));
  const auto second = member.subscribe(sg::topics::state, states.events());
  ASSERT_TRUE(listening(server_, 2));
  sender.publish(transition("payments", 2));
  ASSERT_TRUE(eventually([&] { return states.last_sequence("payments") == 2; }));
  EXPECT_EQ(states.count(), 1u);
}

TEST_F(redis_bus_refusing, no_limit_however_long) {
  sg::redis_bus bus(quick(server_));
  bus.publish(transition("payments", 1));
  EXPECT_TRUE(bus.flush(std::chrono::nanoseconds::max()));
  bus.close();
  EXPECT_TRUE(bus.flush(0ns));
}

TEST_F(redis_bus_refusing, to_wait_for_what_was_withdrawn_before_it_began) {
  sg::redis_bus bus(quick(server_));
  bus.withdraw("payments", "0123456789abcdef");
  bus.close();
  EXPECT_TRUE(bus.flush(0ns));
}

}  // namespace
