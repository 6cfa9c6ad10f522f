// SPDX-License-Identifier: Apache-2.0
#include "support.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <switchgear/adapter.hpp>
#include <switchgear/testing/manual_clock.hpp>
#include <switchgear/testing/skipping_clock.hpp>

#include <atomic>
#include <thread>

using namespace kafka_test;
using testing::HasSubstr;
using testing::Not;

namespace {

/// A bus whose brokers are away.
struct outage : testing::Test {
  void SetUp() override {
    if (cluster.real()) GTEST_SKIP() << "a real cluster cannot be brought down";
    cluster.down();
  }
  [[nodiscard]] sg::kafka_event_bus::config config() {
    auto c = quick(cluster.brokers());
    c.delivery_timeout = 300ms;
    c.close_timeout = 100ms;
    c.clock = &clock;
    return c;
  }
  kafka_cluster cluster;
  const std::string topic = cluster.new_topic();
  sg::testing::manual_clock clock;
};

using kafka_event_bus_outage = outage;

TEST_F(kafka_event_bus_outage, counts_ten_failures_at_a_time_and_opens) {
  auto c = config();
  c.delivery_timeout = 1s;  // so that all ten are on their way before the first has failed
  sg::kafka_event_bus bus{c};
  bus.start();
  std::atomic<int> failed{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 10; ++i) {
    threads.emplace_back([&] {
      try {
        bus.publish(topic, "k", "v");
      } catch (const sg::connection_error&) {
        ++failed;
      }
    });
  }
  for (auto& t : threads) t.join();
  EXPECT_EQ(failed.load(), 10);
  EXPECT_TRUE(bus.breaker().is_open());
  EXPECT_EQ(bus.breaker().snapshot().metrics.failures, 10u);
}

TEST_F(kafka_event_bus_outage, says_for_whom_a_call_was_rejected) {
  sg::kafka_event_bus bus{config()};
  for (int i = 0; i < 5; ++i) EXPECT_THROW(bus.publish(topic, "k", "v"), sg::connection_error);
  try {
    bus.publish(topic, "k", "v", {.correlation_id = "4711"});
    FAIL() << "not rejected";
  } catch (const sg::circuit_open_error& e) {
    EXPECT_EQ(e.correlation_id(), "4711");
    EXPECT_EQ(e.context().transport, "kafka");
    EXPECT_EQ(e.context().operation, "publish");
    EXPECT_EQ(e.context().target, "kafka.test");
    EXPECT_EQ(e.failure_count(), 5u);
    EXPECT_EQ(e.retry_after(), 30s);
  }
  EXPECT_THROW(bus.publish(topic, "k", "v", {.headers = {{"correlation_id", "of the message"}}}), sg::circuit_open_error);
}

TEST_F(kafka_event_bus_outage, wraps_what_librdkafka_says_and_hides_what_is_written) {
  auto c = config();
  c.client_options = {{"security.protocol", "sasl_plaintext"},
                      {"sasl.mechanism", "PLAIN"},
                      {"sasl.username", "s3cret-user"},
                      {"sasl.password", "s3cret"}};
  sg::kafka_event_bus bus{c};
  try {
    bus.publish(topic, "s3cret-key", "s3cret-value", {.correlation_id = "id"});
    FAIL() << "not failed";
  } catch (const sg::connection_error& e) {
    EXPECT_EQ(e.correlation_id(), "id");
    EXPECT_EQ(e.context().target, "kafka.test");
    EXPECT_THAT(e.what(), HasSubstr("Failed to publish to " + topic));
    EXPECT_THAT(e.what(), Not(HasSubstr("s3cret")));
    EXPECT_THROW(std::rethrow_if_nested(e), sg::kafka_error);
  }
  EXPECT_THAT(bus.health().last_error, Not(HasSubstr("s3cret")));
}

TEST_F(kafka_event_bus_outage, repeats_within_one_call_of_the_breaker) {
  sg::testing::skipping_clock skipping;
  auto c = config();
  c.clock = &skipping;
  c.retry.max_attempts = 3;
  sg::kafka_event_bus bus{c};
  EXPECT_THROW(bus.publish(topic, "k", "v"), sg::connection_error);
  EXPECT_EQ(skipping.waits().size(), 2u);
  EXPECT_EQ(bus.breaker().snapshot().metrics.failures, 1u);
}

TEST_F(kafka_event_bus_outage, is_over_when_a_probe_gets_through) {
  auto c = config();
  c.circuit_breaker_threshold = 1;
  sg::kafka_event_bus bus{c};
  EXPECT_THROW(bus.publish(topic, "k", "v"), sg::connection_error);
  EXPECT_TRUE(bus.breaker().is_open());
  cluster.up();
  EXPECT_THROW(bus.publish(topic, "k", "v"), sg::circuit_open_error);
  // The first probes may come before librdkafka has found the way back.
  EXPECT_TRUE(eventually([&] {
    clock.advance(30s);
    try {
      bus.publish(topic, "k", "v");
      return true;
    } catch (const sg::connection_error&) {
      return false;
    }
  }));
  EXPECT_TRUE(bus.breaker().is_closed());
}

TEST_F(kafka_event_bus_outage, shows_in_the_health_report) {
  cluster.up();
  auto c = config();
  c.delivery_timeout = 10s;
  c.circuit_breaker_threshold = 1;
  sg::kafka_event_bus bus{c};
  EXPECT_FALSE(bus.health().started);
  bus.publish(topic, "k", "v");
  EXPECT_TRUE(eventually([&] { return bus.health().brokers_connected == 1; }));
  EXPECT_TRUE(bus.health().healthy);
  EXPECT_EQ(bus.health().queued_messages, 0u);

  cluster.down();
  EXPECT_TRUE(eventually([&] { return bus.health().brokers_connected == 0 && !bus.health().healthy; }));
  EXPECT_NE(bus.health().last_error, "");
  cluster.up();
  EXPECT_TRUE(eventually([&] { return bus.health().healthy; }));
  bus.breaker().trip();
  EXPECT_FALSE(bus.health().healthy);
  EXPECT_EQ(bus.health().circuit, sg::state::open);
}

TEST_F(kafka_event_bus_outage, does_not_hold_up_closing) {
  sg::kafka_event_bus bus{config()};
  const auto listening = bus.subscribe(topic, [](const sg::kafka_message&) {});
  const auto broadcast = bus.subscribe(topic, [](const sg::kafka_message&) {}, {.broadcast = true});
  const auto before = std::chrono::steady_clock::now();
  bus.close();
  EXPECT_LT(std::chrono::steady_clock::now() - before, 3s);
}

}  // namespace
