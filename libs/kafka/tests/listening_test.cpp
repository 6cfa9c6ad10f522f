// SPDX-License-Identifier: Apache-2.0
#include "support.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <stdexcept>

using namespace kafka_test;
using testing::ElementsAre;

namespace {

struct values : heard<std::string> {
  sg::kafka_event_bus::handler handler() {
    return [this](const sg::kafka_message& m) { add(m.value.value_or("-")); };
  }
};

TEST(kafka_event_bus, tells_a_broadcast_listener_all_that_is_written_from_now_on) {
  kafka_cluster cluster;
  const std::string topic = cluster.new_topic();
  sg::kafka_event_bus bus{quick(cluster.brokers())};
  bus.publish(topic, "k", "before");
  heard<sg::kafka_message> one, two;
  const auto first = bus.subscribe(topic, [&](const sg::kafka_message& m) { one.add(m); }, {.broadcast = true});
  const auto second = bus.subscribe(topic, [&](const sg::kafka_message& m) { two.add(m); }, {.broadcast = true});
  ASSERT_TRUE(eventually([&] { return bus.health().listeners_ready == 2; }));

  bus.publish(topic, "k", "v", {.correlation_id = "id", .headers = {{"a", "b"}}});

  ASSERT_TRUE(eventually([&] { return one.size() == 1 && two.size() == 1; }));
  const sg::kafka_message m = one.all()[0];
  EXPECT_EQ(m.topic, topic);
  EXPECT_EQ(m.key, "k");
  EXPECT_EQ(m.value, "v");
  EXPECT_EQ(m.correlation_id, "id");
  EXPECT_EQ(m.headers[0], (std::pair<std::string, std::string>("a", "b")));
  EXPECT_GT(m.time, std::chrono::system_clock::now() - 1h);
}

TEST(kafka_event_bus, hears_a_topic_that_is_made_later) {
  kafka_cluster cluster;
  const std::string topic = cluster.unused_name();
  sg::kafka_event_bus bus{quick(cluster.brokers())};
  values heard;
  const auto listening = bus.subscribe(topic, heard.handler(), {.broadcast = true});
  ASSERT_TRUE(eventually([&] { return bus.health().listeners_ready == 1; }));
  cluster.write(topic, {.key = "k", .value = "first"});
  EXPECT_TRUE(eventually([&] { return heard.all() == std::vector<std::string>{"first"}; }));
}

TEST(kafka_event_bus, goes_on_after_a_handler_that_throws) {
  kafka_cluster cluster;
  const std::string topic = cluster.new_topic(1);
  sg::kafka_event_bus bus{quick(cluster.brokers())};
  values heard;
  const auto listening = bus.subscribe(
      topic,
      [&](const sg::kafka_message& m) {
        if (m.value == "bad") throw std::runtime_error("bad");
        heard.add(*m.value);
      },
      {.broadcast = true});
  ASSERT_TRUE(eventually([&] { return bus.health().listeners_ready == 1; }));
  bus.publish(topic, "k", "bad");
  bus.publish(topic, "k", "good");
  EXPECT_TRUE(eventually([&] { return heard.all() == std::vector<std::string>{"good"}; }));
  EXPECT_EQ(bus.health().handler_errors, 1u);
  EXPECT_EQ(bus.health().messages, 2u);
}

TEST(kafka_event_bus, lets_a_handler_end_its_own_subscription) {
  kafka_cluster cluster;
  const std::string topic = cluster.new_topic(1);
  sg::kafka_event_bus bus{quick(cluster.brokers())};
  values heard;
  sg::subscription listening;
  std::mutex made;
  {
    const std::lock_guard lock(made);
    listening = bus.subscribe(
        topic,
        [&](const sg::kafka_message& m) {
          const std::lock_guard lock(made);
          heard.add(*m.value);
          listening.end();
        },
        {.broadcast = true});
  }
  ASSERT_TRUE(eventually([&] { return bus.health().listeners_ready == 1; }));
  bus.publish(topic, "k", "1");
  bus.publish(topic, "k", "2");
  ASSERT_TRUE(eventually([&] { return bus.health().listeners == 0; }));
  bus.close();
  EXPECT_THAT(heard.all(), ElementsAre("1"));
}

TEST(kafka_event_bus, refuses_to_listen_to_what_can_be_no_topic) {
  sg::kafka_event_bus bus{quick("127.0.0.1:1")};
  EXPECT_THROW((void)bus.subscribe("not a topic", [](const sg::kafka_message&) {}), sg::config_error);
}

}  // namespace
