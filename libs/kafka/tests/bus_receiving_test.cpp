// SPDX-License-Identifier: Apache-2.0
#include "support.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

using namespace kafka_test;
using testing::ElementsAre;
using testing::UnorderedElementsAre;

namespace {

struct listener {
  heard<std::string> lines;
  sg::event_bus::handler handler() {
    return [this](std::string_view, const sg::event& e) { lines.add(line(e)); };
  }
};

TEST(kafka_bus, tells_every_bus_every_event) {
  kafka_cluster cluster;
  const std::string topic = cluster.new_topic();
  sg::kafka_bus one{quick_bus(cluster.brokers(), topic)}, two{quick_bus(cluster.brokers(), topic)};
  listener a, b;
  const auto first = one.subscribe("*", a.handler());
  const auto second = two.subscribe(sg::topics::state, b.handler());
  ASSERT_TRUE(eventually([&] { return one.metrics().connected && two.metrics().connected; }));

  one.publish(transition("billing", 1));
  one.publish(failure_of("billing"));
  two.publish(transition("orders", 1));

  ASSERT_TRUE(eventually([&] { return a.lines.size() == 3 && b.lines.size() == 2; }));
  EXPECT_THAT(a.lines.all(), UnorderedElementsAre("billing#1", "billing failure", "orders#1"));
  EXPECT_THAT(b.lines.all(), UnorderedElementsAre("billing#1", "orders#1"));
  EXPECT_EQ(one.metrics().received, 3u);
}

TEST(kafka_bus, tells_a_subscriber_what_is_published_right_after_subscribing) {
  kafka_cluster cluster;
  sg::kafka_bus bus{quick_bus(cluster.brokers(), cluster.new_topic())};
  listener heard;
  const auto subscribed = bus.subscribe("*", heard.handler());
  bus.publish(transition("billing", 1));
  EXPECT_TRUE(eventually([&] { return heard.lines.all() == std::vector<std::string>{"billing#1"}; }));
}

TEST(kafka_bus, tells_one_who_comes_late_how_each_circuit_is_and_then_what_changes) {
  kafka_cluster cluster;
  const std::string topic = cluster.new_topic();
  sg::kafka_bus early{quick_bus(cluster.brokers(), topic)};
  for (std::uint64_t i = 1; i <= 5; ++i) early.publish(transition("billing", i));
  early.publish(transition("orders", 2));
  early.publish(failure_of("orders"));
  early.publish(transition("gone", 1));
  early.withdraw("gone", "instance-of-gone");
  ASSERT_TRUE(early.flush(20s));

  sg::kafka_bus late{quick_bus(cluster.brokers(), topic)};
  listener present, changes;
  const auto first = late.subscribe("*", present.handler(), {.present = true});
  const auto second = late.subscribe("*", changes.handler());
  ASSERT_TRUE(eventually([&] { return present.lines.size() == 2; }));
  EXPECT_THAT(present.lines.all(), UnorderedElementsAre("billing#5 present", "orders#2 present"));

  early.publish(transition("billing", 6));
  ASSERT_TRUE(eventually([&] { return changes.lines.size() == 1; }));
  EXPECT_THAT(changes.lines.all(), ElementsAre("billing#6"));
  EXPECT_EQ(present.lines.all().back(), "billing#6");
  EXPECT_EQ(late.metrics().circuits, 2u);
  EXPECT_EQ(late.metrics().missed, 0u);

  listener later;
  const auto third = late.subscribe("*", later.handler(), {.present = true});
  ASSERT_TRUE(eventually([&] { return later.lines.size() == 2; }));
  EXPECT_THAT(later.lines.all(), UnorderedElementsAre("billing#6 present", "orders#2 present"));
}

TEST(kafka_bus, hears_a_topic_that_is_made_later) {
  kafka_cluster cluster;
  const std::string topic = cluster.unused_name();
  sg::kafka_bus bus{quick_bus(cluster.brokers(), topic)};
  listener heard;
  const auto subscribed = bus.subscribe("*", heard.handler(), {.present = true});
  ASSERT_TRUE(eventually([&] { return bus.metrics().connected; }));
  bus.publish(transition("billing", 1));
  EXPECT_TRUE(eventually([&] { return heard.lines.all() == std::vector<std::string>{"billing#1"}; }));
}

TEST(kafka_bus, counts_records_that_are_no_events_and_goes_on) {
  kafka_cluster cluster;
  const std::string topic = cluster.new_topic(1);
  cluster.write(topic, {.key = "x", .value = "s3cret"});
  heard<sg::bus_notice> notices;
  auto o = quick_bus(cluster.brokers(), topic);
  o.queues.on_notice = [&](const sg::bus_notice& n) {
    if (n.what == sg::bus_notice::kind::refused) notices.add(n);
  };
  sg::kafka_bus bus{o};
  listener heard;
  const auto subscribed = bus.subscribe("*", heard.handler());
  ASSERT_TRUE(eventually([&] { return bus.metrics().connected; }));
  cluster.write(topic, {.value = std::nullopt});
  bus.publish(transition("billing", 1));
  ASSERT_TRUE(eventually([&] { return heard.lines.size() == 1; }));
  EXPECT_EQ(bus.metrics().refused, 2u);
  ASSERT_EQ(notices.size(), 2u);
  EXPECT_THAT(notices.all()[0].text, testing::Not(testing::HasSubstr("s3cret")));
}

TEST(kafka_bus, loses_nothing_that_is_read_to_an_outage) {
  kafka_cluster cluster;
  if (cluster.real()) GTEST_SKIP() << "a real cluster cannot be brought down";
  const std::string topic = cluster.new_topic();
  sg::kafka_bus bus{quick_bus(cluster.brokers(), topic)};
  listener heard;
  const auto subscribed = bus.subscribe("*", heard.handler());
  bus.publish(transition("billing", 1));
  ASSERT_TRUE(eventually([&] { return heard.lines.size() == 1; }));
  cluster.down();
  ASSERT_TRUE(eventually([&] { return !bus.metrics().connected; }));
  bus.publish(transition("billing", 2));
  cluster.up();
  ASSERT_TRUE(eventually([&] { return heard.lines.size() == 2; }));
  EXPECT_EQ(bus.metrics().missed, 0u);
}

}  // namespace
