// SPDX-License-Identifier: Apache-2.0
#include "support.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <thread>

using namespace kafka_test;

namespace {

TEST(kafka_event_bus, ends_many_subscriptions_in_the_time_of_one) {
  kafka_cluster cluster;
  if (cluster.real()) GTEST_SKIP() << "a real cluster cannot be made slow";
  const std::string topic = cluster.new_topic(1);
  auto c = quick(cluster.brokers());
  c.close_timeout = 1s;
  sg::kafka_event_bus bus{c};
  std::atomic<int> inside{0};
  std::vector<sg::subscription> all;
  for (int i = 0; i < 4; ++i) {
    all.push_back(bus.subscribe(
        topic,
        [&](const sg::kafka_message&) {
          ++inside;
          std::this_thread::sleep_for(500ms);  // a handler that takes its time
        },
        {.broadcast = true}));
  }
  ASSERT_TRUE(eventually([&] { return bus.health().listeners_ready == 4; }));
  for (int i = 0; i < 3; ++i) cluster.write(topic, {.key = "k", .value = "v"});
  ASSERT_TRUE(eventually([&] { return inside.load() >= 4; }));
  bus.close();
  // One at a time, each would have begun with the next record while those before it were waited for.
  EXPECT_LE(inside.load(), 8);
  EXPECT_EQ(bus.health().listeners, 0u);
}

TEST(kafka_bus, flush_waits_for_what_was_published_before_and_not_for_what_follows) {
  kafka_cluster cluster;
  sg::kafka_bus bus{quick_bus(cluster.brokers(), cluster.new_topic(1))};
  if (!cluster.real()) cluster.set_round_trip(20ms);
  bus.publish(transition("billing", 1));
  std::atomic<bool> done{false};
  std::thread others([&] {
    for (std::uint64_t i = 1; !done.load(); ++i) {
      bus.publish(transition("orders", i));
      std::this_thread::sleep_for(1ms);  // of other threads that publish now and then
    }
  });
  EXPECT_TRUE(bus.flush(15s));
  EXPECT_GE(bus.metrics().sent, 1u);
  done.store(true);
  others.join();
  EXPECT_TRUE(bus.flush(15s));
  const sg::bus_metrics m = bus.metrics();
  EXPECT_EQ(m.published, m.sent + m.dropped);
}

std::size_t entries(const char* folder) {
  const std::filesystem::directory_iterator all(folder);
  return static_cast<std::size_t>(std::distance(begin(all), end(all)));
}

TEST(kafka_event_bus, leaves_no_thread_and_no_file_open) {
  kafka_cluster cluster;
  const std::string topic = cluster.new_topic();
  auto c = quick(cluster.brokers());
  c.close_timeout = 0s;
  const auto once = [&](bool listens) {
    sg::kafka_event_bus bus{c};
    bus.start();
    sg::subscription listening;
    if (listens) listening = bus.subscribe(topic, [](const sg::kafka_message&) {}, {.broadcast = true});
    bus.close();
  };
  once(true);
  const std::size_t threads = entries("/proc/self/task"), files = entries("/proc/self/fd");
  for (int i = 0; i < 100; ++i) once(i % 10 == 0);
  // The brokers close their ends of the connections in their own time.
  EXPECT_TRUE(eventually([&] { return entries("/proc/self/fd") <= files + 2; })) << files << " " << entries("/proc/self/fd");
  EXPECT_TRUE(eventually([&] { return entries("/proc/self/task") <= threads; })) << threads << " " << entries("/proc/self/task");
}

}  // namespace
