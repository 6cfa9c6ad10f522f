// SPDX-License-Identifier: Apache-2.0
//
// One test, because the mock cluster takes three seconds to form a group, and so both kinds can do that at the same time.
#include "support.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

using namespace kafka_test;
using testing::ElementsAre;

namespace {

TEST(kafka_groups, share_what_is_told_and_go_on_where_they_were_when_they_come_back) {
  kafka_cluster cluster;
  const std::string topic = cluster.new_topic(1), circuits = cluster.new_topic(2), group = cluster.unused_name();
  auto c = quick(cluster.brokers());
  c.client_options = quick_group();
  auto o = quick_bus(cluster.brokers(), circuits);
  o.group = cluster.unused_name();
  o.client_options = quick_group();
  heard<std::string> values, lines;
  const auto hear = [&](const sg::kafka_message& m) { values.add(*m.value); };
  const auto hear_event = [&](std::string_view, const sg::event& e) { lines.add(line(e)); };

  {
    sg::kafka_event_bus bus{c};
    sg::kafka_bus one{o}, two{o};
    for (const char* value : {"1", "2", "3"}) bus.publish(topic, "k", value);
    const auto listening = bus.subscribe(topic, hear, {.group = group});
    const auto first = one.subscribe("*", hear_event);
    const auto second = two.subscribe("*", hear_event);
    ASSERT_TRUE(eventually([&] { return one.metrics().connected && two.metrics().connected; }, 60s));
    for (std::uint64_t i = 0; i < 8; ++i) one.publish(transition("s" + std::to_string(i), 1));
    ASSERT_TRUE(eventually([&] { return lines.size() >= 8 && values.size() >= 3; }, 60s));
    EXPECT_EQ(one.metrics().received + two.metrics().received, 8u);
    EXPECT_EQ(bus.health().listeners_ready, 1u);
    bus.close();
  }

  sg::kafka_event_bus bus{c};
  sg::kafka_bus back{o};
  bus.publish(topic, "k", "4");
  back.publish(transition("s0", 2));
  const auto again = bus.subscribe(topic, hear, {.group = group});
  const auto third = back.subscribe("*", hear_event);
  ASSERT_TRUE(eventually([&] { return values.size() >= 4 && lines.size() >= 9; }, 60s));
  EXPECT_THAT(values.all(), ElementsAre("1", "2", "3", "4"));
  // Two of its members have left one right after the other, so some of it may be told again.
  ASSERT_TRUE(eventually([&] { return lines.all().back() == "s0#2"; }));
}

}  // namespace
