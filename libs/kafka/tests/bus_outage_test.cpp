// SPDX-License-Identifier: Apache-2.0
#include "support.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <switchgear/event_reader.hpp>
#include <switchgear/testing/manual_clock.hpp>

using namespace kafka_test;

namespace {

struct outage : testing::Test {
  void SetUp() override {
    if (cluster.real()) GTEST_SKIP() << "a real cluster cannot be brought down";
  }
  [[nodiscard]] sg::kafka_bus_options options() {
    auto o = quick_bus(cluster.brokers(), topic);
    o.send_timeout = 300ms;
    o.breaker.failure_threshold = 1;
    o.clock = &clock;
    o.queues.queue_capacity = 16;
    o.queues.on_notice = [this](const sg::bus_notice& n) { notices.add(std::string(to_string(n.what))); };
    return o;
  }
  [[nodiscard]] static bool adds_up(const sg::bus_metrics& m) { return m.published == m.sent + m.dropped; }

  heard<std::string> notices;
  kafka_cluster cluster;
  const std::string topic = cluster.new_topic(1);
  sg::testing::manual_clock clock;
};
using kafka_bus_outage = outage;

TEST_F(kafka_bus_outage, opens_the_circuit_and_in_the_end_the_last_transition_arrives) {
  cluster.down();
  sg::kafka_bus bus{options()};
  bus.publish(transition("billing", 1));
  ASSERT_TRUE(eventually([&] { return bus.breaker().is_open(); }));
  for (std::uint64_t i = 2; i <= 100; ++i) bus.publish(transition("billing", i));
  for (int i = 0; i < 50; ++i) bus.publish(failure_of("billing"));
  EXPECT_FALSE(bus.flush(50ms));
  EXPECT_EQ(bus.metrics().sent, 0u);

  cluster.up();
  ASSERT_TRUE(eventually([&] {
    clock.advance(30s);
    return bus.flush(100ms);
  }));
  EXPECT_TRUE(bus.breaker().is_closed());
  const sg::bus_metrics m = bus.metrics();
  EXPECT_EQ(m.published, 150u);
  EXPECT_GT(m.dropped, 0u);
  EXPECT_TRUE(adds_up(m)) << m.published << " " << m.sent << " " << m.dropped;
  const auto records = cluster.read(topic, m.sent);
  ASSERT_EQ(records.size(), m.sent);
  std::uint64_t last = 0;
  for (const auto& r : records) {
    const auto read = sg::read_event(*r.value);
    ASSERT_TRUE(read);
    if (!is_transition(read.value->kind)) continue;
    EXPECT_GT(read.value->sequence, last);
    last = read.value->sequence;
  }
  EXPECT_EQ(last, 100u);
}

TEST_F(kafka_bus_outage, hands_nothing_over_while_the_circuit_is_open) {
  auto o = options();
  o.send_timeout = 20s;
  sg::kafka_bus bus{o};
  bus.breaker().trip();
  bus.publish(transition("billing", 1));
  EXPECT_FALSE(bus.flush(300ms));
  EXPECT_EQ(bus.metrics().sent, 0u);
  clock.advance(30s);
  EXPECT_TRUE(bus.flush(20s));
  EXPECT_EQ(bus.metrics().sent, 1u);
}

TEST_F(kafka_bus_outage, is_announced_and_so_is_its_end) {
  auto o = options();
  o.send_timeout = 20s;
  sg::kafka_bus bus{o};
  bus.start();
  ASSERT_TRUE(eventually([&] { return bus.metrics().connected; }));
  cluster.down();
  ASSERT_TRUE(eventually([&] { return !bus.metrics().connected; }));
  cluster.up();
  ASSERT_TRUE(eventually([&] { return bus.metrics().connections == 2; }));
  EXPECT_TRUE(eventually([&] { return notices.size() >= 3; }));
  const auto said = notices.all();
  EXPECT_EQ((std::vector<std::string>{said.begin(), said.begin() + 3}),
            (std::vector<std::string>{"connected", "disconnected", "connected"}));
}

TEST_F(kafka_bus_outage, does_not_hold_up_closing_and_every_event_is_accounted_for) {
  cluster.down();
  auto o = options();
  o.send_timeout = 20s;
  o.close_timeout = 200ms;
  sg::kafka_bus bus{o};
  const auto heard = bus.subscribe("*", [](std::string_view, const sg::event&) {});
  for (std::uint64_t i = 1; i <= 20; ++i) bus.publish(transition("billing", i));
  bus.withdraw("billing", "instance-of-billing");
  const auto before = std::chrono::steady_clock::now();
  bus.close();
  EXPECT_LT(std::chrono::steady_clock::now() - before, 3s);
  EXPECT_EQ(bus.metrics().published, 20u);
  EXPECT_EQ(bus.metrics().dropped, 20u);
}

TEST_F(kafka_bus_outage, loses_nothing_to_errors_that_pass) {
  auto o = options();
  o.send_timeout = 20s;
  sg::kafka_bus bus{o};
  cluster.fail_next(0, {7, 6, 19});  // request timed out, not the leader, not enough replicas
  for (std::uint64_t i = 1; i <= 10; ++i) bus.publish(transition("billing", i));
  ASSERT_TRUE(bus.flush(30s));
  EXPECT_EQ(bus.metrics().sent, 10u);
  EXPECT_TRUE(bus.breaker().is_closed());
}

TEST_F(kafka_bus_outage, refusals_are_counted_and_held_against_nobody) {
  cluster.fail_next(0, {29});  // no permission
  auto o = options();
  o.send_timeout = 20s;
  sg::kafka_bus bus{o};
  bus.publish(transition("billing", 1));
  ASSERT_TRUE(eventually([&] { return bus.metrics().dropped == 1; }));
  EXPECT_TRUE(bus.breaker().is_closed());
  EXPECT_TRUE(adds_up(bus.metrics()));
}

}  // namespace
