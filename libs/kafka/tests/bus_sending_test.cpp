// SPDX-License-Identifier: Apache-2.0
#include "support.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <switchgear/event_reader.hpp>
#include <switchgear/publish_to.hpp>

#include <thread>

using namespace kafka_test;
using testing::HasSubstr;

namespace {

TEST(kafka_bus, sends_cloud_events_keyed_by_circuit) {
  kafka_cluster cluster;
  const std::string topic = cluster.new_topic();
  sg::kafka_bus bus{quick_bus(cluster.brokers(), topic)};
  sg::event e = transition("billing", 3);
  e.correlation_id = "c-1";
  bus.publish(e);
  ASSERT_TRUE(bus.flush(20s));

  const auto records = cluster.read(topic, 1);
  ASSERT_EQ(records.size(), 1u);
  EXPECT_EQ(records[0].key, "instance-of-billing\nbilling");
  EXPECT_EQ(records[0].header_value("content-type"), "application/cloudevents+json");
  EXPECT_EQ(records[0].header_value("correlation_id"), "c-1");
  EXPECT_EQ(records[0].header_value("switchgear-present"), "");
  const auto read = sg::read_event(*records[0].value);
  ASSERT_TRUE(read) << read.error;
  EXPECT_EQ(read.value->service, "billing");
  EXPECT_EQ(read.value->sequence, 3u);
  EXPECT_EQ(bus.metrics().published, 1u);
  EXPECT_EQ(bus.metrics().sent, 1u);
}

TEST(kafka_bus, marks_present_states_and_writes_a_tombstone_for_a_circuit_that_is_no_more) {
  kafka_cluster cluster;
  const std::string topic = cluster.new_topic(1);
  sg::kafka_bus bus{quick_bus(cluster.brokers(), topic)};
  sg::event e = transition("billing", 3);
  e.present = true;
  bus.publish(e);
  bus.withdraw("billing", "instance-of-billing");
  ASSERT_TRUE(bus.flush(20s));

  const auto records = cluster.read(topic, 2);
  ASSERT_EQ(records.size(), 2u);
  EXPECT_EQ(records[0].header_value("switchgear-present"), "1");
  EXPECT_EQ(records[1].key, records[0].key);
  EXPECT_EQ(records[1].value, std::nullopt);
  EXPECT_EQ(bus.metrics().published, 1u);
}

TEST(kafka_bus, carries_a_breaker) {
  kafka_cluster cluster;
  const std::string topic = cluster.new_topic(1);
  sg::kafka_bus bus{quick_bus(cluster.brokers(), topic)};
  sg::circuit_breaker billing{"billing"};
  {
    const auto published = sg::publish_to(bus, billing);
    billing.trip("by hand");
    sg::drain_events();
  }
  ASSERT_TRUE(bus.flush(20s));
  const auto records = cluster.read(topic, 3);
  ASSERT_EQ(records.size(), 3u);
  EXPECT_THAT(*records[1].value, HasSubstr("switchgear.circuit.opened"));
  EXPECT_EQ(records[2].value, std::nullopt);
}

TEST(kafka_bus, keeps_the_order_of_a_circuit_whoever_publishes) {
  kafka_cluster cluster;
  const std::string topic = cluster.new_topic();
  sg::kafka_bus bus{quick_bus(cluster.brokers(), topic)};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (std::uint64_t i = 1; i <= 200; ++i) bus.publish(transition("s" + std::to_string(t), i));
    });
  }
  for (auto& t : threads) t.join();
  ASSERT_TRUE(bus.flush(30s));
  const auto records = cluster.read(topic, 800);
  ASSERT_EQ(records.size(), 800u);
  std::map<std::string, std::uint64_t> last;
  for (const auto& r : records) {
    const auto read = sg::read_event(*r.value);
    ASSERT_TRUE(read);
    EXPECT_EQ(read.value->sequence, ++last[*r.key]);
  }
  EXPECT_EQ(bus.metrics().sent, 800u);
}

TEST(kafka_bus, drops_what_is_published_after_closing) {
  kafka_cluster cluster;
  sg::kafka_bus bus{quick_bus(cluster.brokers(), cluster.new_topic())};
  bus.publish(transition("a", 1));
  bus.close();
  bus.publish(transition("a", 2));
  bus.withdraw("a", "i");
  const auto nothing = bus.subscribe("*", [](std::string_view, const sg::event&) {});
  EXPECT_EQ(bus.metrics().published, 2u);
  EXPECT_EQ(bus.metrics().sent, 1u);
  EXPECT_EQ(bus.metrics().dropped, 1u);
}

TEST(kafka_bus, needs_no_broker_to_be_made_and_closed) {
  const sg::kafka_bus bus{quick_bus("127.0.0.1:1", "circuits")};
  EXPECT_FALSE(bus.metrics().connected);
  EXPECT_EQ(bus.breaker().name(), "kafka.circuits");
}

}  // namespace
