// SPDX-License-Identifier: Apache-2.0
#include "support.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <switchgear/adapter.hpp>

#include <thread>

using namespace kafka_test;
using testing::HasSubstr;

namespace {

TEST(kafka_event_bus, publishes_key_value_headers_and_correlation_id) {
  kafka_cluster cluster;
  const std::string topic = cluster.new_topic();
  sg::kafka_event_bus bus{quick(cluster.brokers())};
  const std::string key = "k1", value = "v1", id = "correlation-7";

  bus.publish(topic, key, value, {.correlation_id = id, .headers = {{"kind", "test"}}});

  const auto records = cluster.read(topic, 1);
  ASSERT_EQ(records.size(), 1u);
  EXPECT_EQ(records[0].key, key);
  EXPECT_EQ(records[0].value, value);
  EXPECT_EQ(records[0].header_value("kind"), "test");
  EXPECT_EQ(records[0].header_value("correlation_id"), id);
  EXPECT_EQ(bus.breaker().snapshot().metrics.successes, 1u);
}

TEST(kafka_event_bus, takes_the_correlation_id_of_a_header_or_makes_one) {
  kafka_cluster cluster;
  const std::string topic = cluster.new_topic(1);
  sg::kafka_event_bus bus{quick(cluster.brokers())};

  bus.publish(topic, "k", "v", {.headers = {{"correlation_id", "mine"}}});
  bus.publish(topic, "k", "v", {.headers = {{"x-correlation-id", "theirs"}}});
  bus.publish(topic, "k", "v");

  const auto records = cluster.read(topic, 3);
  ASSERT_EQ(records.size(), 3u);
  EXPECT_EQ(records[0].header_value("correlation_id"), "mine");
  EXPECT_EQ(records[0].headers.size(), 1u);
  EXPECT_EQ(records[1].header_value("correlation_id"), "theirs");
  EXPECT_EQ(records[2].header_value("correlation_id").size(), 36u);
}

TEST(kafka_event_bus, tells_no_key_and_no_value_from_empty_ones) {
  kafka_cluster cluster;
  const std::string topic = cluster.new_topic(1);
  sg::kafka_event_bus bus{quick(cluster.brokers())};

  bus.publish(topic, std::nullopt, "");
  bus.publish(topic, "", std::nullopt);

  const auto records = cluster.read(topic, 2);
  ASSERT_EQ(records.size(), 2u);
  EXPECT_EQ(records[0].key, std::nullopt);
  EXPECT_EQ(records[0].value, "");
  EXPECT_EQ(records[1].key, "");
  EXPECT_EQ(records[1].value, std::nullopt);
}

TEST(kafka_event_bus, publishes_from_many_threads_at_a_time) {
  kafka_cluster cluster;
  const std::string topic = cluster.new_topic();
  sg::kafka_event_bus bus{quick(cluster.brokers())};
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 10; ++i) bus.publish(topic, "k", "v");
    });
  }
  for (auto& t : threads) t.join();
  EXPECT_EQ(cluster.read(topic, 80).size(), 80u);
  EXPECT_EQ(bus.breaker().snapshot().metrics.successes, 80u);
}

sg::refused_error refusal(sg::kafka_event_bus& bus, const std::string& topic, const std::string& value) {
  try {
    bus.publish(topic, "key", value, {.correlation_id = "id-1"});
  } catch (const sg::refused_error& e) {
    return e;
  }
  ADD_FAILURE() << "it was not refused";
  return {"", {}, ""};
}

TEST(kafka_event_bus, holds_an_unknown_topic_against_nobody) {
  kafka_cluster cluster;
  if (cluster.real()) GTEST_SKIP() << "a real cluster makes topics as they are asked for";
  const std::string topic = cluster.new_topic();
  cluster.set_topic_error(topic, 3);
  auto c = quick(cluster.brokers());
  c.delivery_timeout = 8s;  // a quarter of it is given to a topic that is only just being made
  sg::kafka_event_bus bus{c};

  const sg::refused_error e = refusal(bus, topic, "v");
  EXPECT_THAT(e.code(), HasSubstr("UNKNOWN_TOPIC"));
  EXPECT_EQ(e.context().transport, "kafka");
  EXPECT_EQ(e.context().operation, "publish");
  EXPECT_EQ(e.context().target, "kafka.test");
  EXPECT_EQ(e.correlation_id(), "id-1");
  EXPECT_EQ(bus.breaker().snapshot().metrics.failures, 0u);
  EXPECT_EQ(bus.breaker().snapshot().metrics.ignored, 1u);
}

TEST(kafka_event_bus, refuses_what_no_broker_takes_without_showing_it) {
  kafka_cluster cluster;
  const std::string topic = cluster.new_topic();
  sg::kafka_event_bus bus{quick(cluster.brokers())};

  EXPECT_EQ(refusal(bus, "not a topic", "s3cret").code(), "TOPIC_EXCEPTION");
  const sg::refused_error large = refusal(bus, topic, std::string(2'000'000, 's'));
  EXPECT_EQ(large.code(), "MSG_SIZE_TOO_LARGE");
  EXPECT_LT(std::string(large.what()).size(), 200u);
  EXPECT_EQ(bus.breaker().snapshot().metrics.failures, 0u);
}

TEST(kafka_event_bus, ends_waiting_when_the_caller_gives_up) {
  kafka_cluster cluster;
  if (cluster.real()) GTEST_SKIP() << "a real cluster cannot be made slow";
  const std::string topic = cluster.new_topic();
  sg::kafka_event_bus bus{quick(cluster.brokers())};
  bus.publish(topic, "k", "v");
  cluster.set_round_trip(15s);
  std::stop_source stop;
  std::thread later([&] {
    (void)eventually([&] { return bus.health().queued_messages > 0; });
    stop.request_stop();
  });
  EXPECT_THROW(bus.publish(topic, "k", "v", {.stop = stop.get_token()}), sg::cancelled_error);
  later.join();
  EXPECT_EQ(bus.breaker().snapshot().metrics.failures, 0u);
  cluster.set_round_trip(0ms);
}

TEST(kafka_event_bus, fails_those_that_wait_when_it_is_closed) {
  kafka_cluster cluster;
  if (cluster.real()) GTEST_SKIP() << "a real cluster cannot be brought down";
  cluster.down();
  auto c = quick(cluster.brokers());
  c.close_timeout = 50ms;
  sg::kafka_event_bus bus{c};
  std::thread closing([&] {
    (void)eventually([&] { return bus.health().queued_messages > 0; });
    bus.close();
  });
  EXPECT_THROW(bus.publish("topic", "k", "v"), sg::cancelled_error);
  closing.join();
  EXPECT_THROW(bus.publish("topic", "k", "v"), sg::cancelled_error);
  EXPECT_EQ(bus.breaker().snapshot().metrics.failures, 0u);
}

}  // namespace
