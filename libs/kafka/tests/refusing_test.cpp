// SPDX-License-Identifier: Apache-2.0
//
// Refusals that librdkafka keeps to itself: it goes on trying until the record times out, which looks like an outage.
#include "support.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <switchgear/adapter.hpp>

#include <algorithm>

using namespace kafka_test;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

namespace {

constexpr int no_permission_for_topic = 29, no_permission_for_cluster = 31;
constexpr int init_producer_id = 22;

struct kafka_refusals : testing::Test {
  void SetUp() override {
    if (cluster.real()) GTEST_SKIP() << "a real cluster refuses nothing on demand";
  }
  [[nodiscard]] sg::kafka_event_bus::config config() const {
    auto c = quick(cluster.brokers());
    c.delivery_timeout = 2s;
    return c;
  }
  [[nodiscard]] sg::kafka_bus_options options() {
    auto o = quick_bus(cluster.brokers(), topic);
    o.send_timeout = 500ms;
    o.breaker.failure_threshold = 1;
    o.queues.on_notice = [this](const sg::bus_notice& n) { notices.add(n.text); };
    return o;
  }
  std::string code_of_refusal(sg::kafka_event_bus& bus) const {
    try {
      bus.publish(topic, "k", "v");
    } catch (const sg::refused_error& e) {
      EXPECT_THAT(e.what(), Not(HasSubstr("s3cret")));
      return e.code();
    } catch (const std::exception& e) {
      return std::string("not refused: ") + e.what();
    }
    return "not refused";
  }

  heard<std::string> notices;
  kafka_cluster cluster;
  const std::string topic = cluster.new_topic(1);
};

TEST_F(kafka_refusals, of_a_topic_are_no_evidence) {
  cluster.set_topic_error(topic, no_permission_for_topic);
  sg::kafka_event_bus bus{config()};
  EXPECT_EQ(code_of_refusal(bus), "TOPIC_AUTHORIZATION_FAILED");
  EXPECT_EQ(bus.breaker().snapshot().metrics.failures, 0u);
}

TEST_F(kafka_refusals, of_the_producer_are_no_evidence_and_no_closing) {
  cluster.fail_next(init_producer_id, {no_permission_for_cluster});
  sg::kafka_event_bus bus{config()};
  EXPECT_EQ(code_of_refusal(bus), "CLUSTER_AUTHORIZATION_FAILED");
  EXPECT_EQ(bus.breaker().snapshot().metrics.failures, 0u);
  EXPECT_NO_THROW(bus.publish(topic, "k", "v"));  // by a new producer
}

TEST_F(kafka_refusals, of_credentials_are_no_evidence) {
  auto c = config();
  c.client_options = {{"security.protocol", "sasl_plaintext"},
                      {"sasl.mechanism", "PLAIN"},
                      {"sasl.username", "s3cret-user"},
                      {"sasl.password", "s3cret"}};
  sg::kafka_event_bus bus{c};
  EXPECT_EQ(code_of_refusal(bus), "_AUTHENTICATION");
  EXPECT_EQ(bus.breaker().snapshot().metrics.failures, 0u);
  EXPECT_THAT(bus.health().last_error, Not(HasSubstr("s3cret")));
}

TEST_F(kafka_refusals, of_its_topic_cost_a_bus_the_event_and_its_circuit_nothing) {
  cluster.set_topic_error(topic, no_permission_for_topic);
  sg::kafka_bus bus{options()};
  bus.publish(transition("billing", 1));
  ASSERT_TRUE(eventually([&] { return bus.metrics().dropped == 1; }));
  EXPECT_TRUE(bus.breaker().is_closed());
  EXPECT_TRUE(eventually([&] {
    const auto said = notices.all();
    return std::ranges::count(said, "an event was refused: TOPIC_AUTHORIZATION_FAILED") == 1;
  }));
}

TEST_F(kafka_refusals, of_its_producer_do_not_let_a_bus_try_in_circles) {
  cluster.fail_next(init_producer_id, {no_permission_for_cluster});
  auto o = options();
  o.send_timeout = 20s;  // the new producer takes its time to connect, which is no failure
  sg::kafka_bus bus{o};
  bus.publish(transition("billing", 1));
  ASSERT_TRUE(eventually([&] { return bus.metrics().dropped == 1; }));
  EXPECT_TRUE(bus.breaker().is_closed());
  bus.publish(transition("billing", 2));
  EXPECT_TRUE(eventually([&] { return bus.metrics().sent == 1; }));
}

TEST(kafka_client_options, that_would_keep_reports_of_delivery_away_are_refused) {
  for (const auto& [name, value] : sg::kafka_properties{{"delivery.report.only.error", "true"}, {"enabled_events", "1"}}) {
    auto c = quick("127.0.0.1:1");
    c.client_options = {{name, value}};
    EXPECT_THROW(sg::kafka_event_bus{c}, sg::config_error) << name;
    auto o = quick_bus("127.0.0.1:1", "topic");
    o.client_options = c.client_options;
    EXPECT_THROW(sg::kafka_bus{o}, sg::config_error) << name;
  }
}

}  // namespace
