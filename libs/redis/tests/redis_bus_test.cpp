// SPDX-License-Identifier: Apache-2.0
#include "redis_bus_support.hpp"

#include <switchgear/event_reader.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <iterator>

namespace {

namespace sg = switchgear;
using namespace std::chrono_literals;
using namespace test_support;
using testing::ElementsAre;
using testing::HasSubstr;

std::ptrdiff_t entries_of(const char* folder) {
  return std::distance(std::filesystem::directory_iterator(folder), std::filesystem::directory_iterator());
}

class redis_bus : public testing::Test {
 protected:
  redis_bus() { server_.start(); }
  redis_server server_;
};

TEST_F(redis_bus, carries_a_transition_to_another_bus_and_back_to_its_own) {
  ear here, there;
  sg::redis_bus sender(quick(server_)), receiver(quick(server_));
  const auto own = sender.subscribe(sg::topics::state, here.events());
  const auto other = receiver.subscribe(sg::topics::state, there.events());
  ASSERT_TRUE(connected(sender) && connected(receiver));
  sender.publish(transition("payments", 1));
  ASSERT_TRUE(eventually([&] { return here.count() == 1 && there.count() == 1; }));
  const sg::event heard = there.heard().front();
  EXPECT_EQ(heard.kind, sg::event_kind::opened);
  EXPECT_EQ(heard.service, "payments");
  EXPECT_EQ(heard.instance, "0123456789abcdef");
  EXPECT_FALSE(heard.present);
  EXPECT_THAT(there.topics(), ElementsAre("circuit_breaker.state.payments"));
}

TEST_F(redis_bus, tells_each_subscriber_what_its_pattern_asks_for) {
  ear states, calls, payments;
  sg::redis_bus bus(quick(server_));
  const auto first = bus.subscribe(sg::topics::state, states.events());
  const auto second = bus.subscribe("circuit_breaker.call.*", calls.events());
  const auto third = bus.subscribe("circuit_breaker.*.payments", payments.events());
  ASSERT_TRUE(connected(bus) && listening(server_, 2));
  bus.publish(transition("payments", 1));
  bus.publish(call("payments"));
  bus.publish(call("search"));
  ASSERT_TRUE(eventually([&] { return states.count() == 1 && calls.count() == 2 && payments.count() == 2; }));
  EXPECT_EQ(bus.metrics().delivered, 3u);
}

TEST_F(redis_bus, follows_what_is_subscribed_to_later) {
  ear states, calls;
  sg::redis_bus bus(quick(server_));
  const auto first = bus.subscribe(sg::topics::state, states.events());
  ASSERT_TRUE(connected(bus));
  auto second = bus.subscribe("circuit_breaker.call.*", calls.events());
  ASSERT_TRUE(listening(server_, 2));
  bus.publish(call("payments"));
  ASSERT_TRUE(eventually([&] { return calls.count() == 1; }));
  second.end();
  EXPECT_TRUE(eventually([&] { return client_of(server_).command({"PUBSUB", "NUMPAT"}).integer == 1; }));
}

TEST_F(redis_bus, is_plain_json_for_any_other_client) {
  auto client = client_of(server_);
  client.append({"PSUBSCRIBE", "circuit_breaker.*"});
  ASSERT_EQ(client.read().elements.at(0).text, "psubscribe");
  sg::redis_bus bus(quick(server_));
  sg::event present = transition("search", 4);
  present.present = true;
  bus.publish(present);  // nothing happened, so nobody hears of it who did not ask
  bus.publish(transition("payments", 1));
  bus.publish(call("payments"));
  const auto state = client.read(), happened = client.read();
  EXPECT_EQ(state.elements.at(2).text, "circuit_breaker.state.payments");
  const auto read = sg::read_event(state.elements.at(3).text);
  ASSERT_TRUE(read) << read.error;
  EXPECT_EQ(read.value->sequence, 1u);
  EXPECT_THAT(state.elements.at(3).text, HasSubstr(R"("specversion":"1.0")"));
  EXPECT_EQ(happened.elements.at(2).text, "circuit_breaker.call.payments");
}

TEST_F(redis_bus, keeps_fleets_apart) {
  ear shop, office;
  auto options = quick(server_);
  options.fleet = "shop";
  sg::redis_bus one(options), two(options);
  options.fleet = "office";
  sg::redis_bus other(options);
  const auto first = two.subscribe(sg::topics::all, shop.events(), {.present = true});
  const auto second = other.subscribe(sg::topics::all, office.events(), {.present = true});
  ASSERT_TRUE(connected(two) && connected(other));
  one.publish(transition("payments", 1));
  other.publish(transition("printer", 1));
  ASSERT_TRUE(eventually([&] { return shop.count() == 1 && office.count() == 1; }));
  EXPECT_EQ(shop.heard().front().service, "payments");
  EXPECT_EQ(office.heard().front().service, "printer");
}

TEST_F(redis_bus, refuses_what_is_no_event_and_says_so_once_for_many) {
  ear heard;
  auto options = quick(server_);
  options.queues.on_notice = heard.notices();
  sg::redis_bus bus(options);
  const auto subscription = bus.subscribe(sg::topics::all, heard.events());
  ASSERT_TRUE(connected(bus));
  auto client = client_of(server_);
  for (int i = 0; i < 50; ++i) client.command({"PUBLISH", "circuit_breaker.state.payments", "no json"});
  client.command({"PUBLISH", "circuit_breaker.state.search", sg::to_json(transition("payments", 1))});
  client.command({"PUBLISH", "circuit_breaker.state.payments", std::string(100'000, 'x')});
  bus.publish(transition("payments", 1));
  ASSERT_TRUE(eventually([&] { return heard.count() == 1; }));
  EXPECT_EQ(bus.metrics().refused, 52u);
  EXPECT_EQ(bus.metrics().delivered, 1u);
  EXPECT_GE(heard.count(sg::bus_notice::kind::refused), 1u);
  EXPECT_LT(heard.count(sg::bus_notice::kind::refused), 50u);
}

TEST_F(redis_bus, sends_what_was_published_right_before_close) {
  ear there;
  sg::redis_bus receiver(quick(server_));
  const auto subscription = receiver.subscribe(sg::topics::state, there.events());
  ASSERT_TRUE(connected(receiver));
  auto options = quick(server_);
  options.close_timeout = 20s;
  sg::redis_bus sender(options);
  for (std::uint64_t i = 1; i <= 300; ++i) sender.publish(transition("payments", i));
  sender.close();
  EXPECT_EQ(sender.metrics().sent, 300u);
  EXPECT_TRUE(eventually([&] { return there.count() == 300; }));
  sender.publish(transition("payments", 301));
  EXPECT_EQ(sender.metrics().dropped, 1u);
  EXPECT_TRUE(adds_up(sender.metrics()));
}

TEST_F(redis_bus, leaves_no_thread_and_no_descriptor_behind) {
  const auto cycle = [&] {
    ear heard;
    sg::redis_bus bus(quick(server_));
    const auto subscription = bus.subscribe(sg::topics::all, heard.events(), {.present = true});
    bus.publish(transition("payments", 1));
    ASSERT_TRUE(bus.flush(20s));
  };
  cycle();  // what is started once for all: the thread of the clock
  const auto threads = entries_of("/proc/self/task"), descriptors = entries_of("/proc/self/fd");
  for (int i = 0; i < 100; ++i) cycle();
  EXPECT_EQ(entries_of("/proc/self/task"), threads);
  EXPECT_EQ(entries_of("/proc/self/fd"), descriptors);
  EXPECT_EQ(client_of(server_).command({"KEYS", "switchgear:circuits:*"}).elements.size(), 0u);
}

TEST(redis_bus_secrets, never_show) {
  redis_server server({.password = "opensesame"});
  server.start();
  ear heard;
  auto options = quick(server);
  options.server.password = "wrong-horse";
  options.queues.on_notice = heard.notices();
  sg::redis_bus bus(options);
  const auto subscription = bus.subscribe(sg::topics::all, heard.events());
  ASSERT_TRUE(eventually([&] { return heard.count(sg::bus_notice::kind::disconnected) >= 2; }));
  EXPECT_FALSE(bus.metrics().connected);
  EXPECT_TRUE(bus.breaker().is_closed());  // nothing is wrong with the server
  bus.close();
  for (const sg::bus_notice& n : heard.told()) {
    EXPECT_EQ(n.text.find("wrong-horse"), std::string::npos) << n.text;
    EXPECT_EQ(n.text.find('\n'), std::string::npos);
  }
  EXPECT_EQ(bus.breaker().name().find("wrong-horse"), std::string::npos);
}

TEST(redis_bus_password, opens_the_door) {
  redis_server server({.password = "opensesame"});
  server.start();
  ear heard;
  auto options = quick(server);
  options.server.password = "opensesame";
  sg::redis_bus bus(options);
  const auto subscription = bus.subscribe(sg::topics::all, heard.events());
  ASSERT_TRUE(connected(bus));
  bus.publish(transition("payments", 1));
  EXPECT_TRUE(eventually([&] { return heard.count() == 1; }));
}

}  // namespace
