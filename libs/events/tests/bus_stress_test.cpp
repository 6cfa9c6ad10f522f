// SPDX-License-Identifier: Apache-2.0
// What holds while several threads publish, come and go.
#include "event_samples.hpp"

#include <switchgear/local_bus.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <map>
#include <thread>

namespace {

namespace sg = switchgear;
using namespace event_samples;
using namespace std::chrono_literals;

constexpr std::uint64_t each = 1000;

void publish_all(sg::event_bus& bus, const std::string& name) {
  bus.publish(present(name, 0));
  for (std::uint64_t i = 1; i <= each; ++i) {
    bus.publish(transition(name, i));
    bus.publish(call(name, i));
  }
}

TEST(bus_stress, tells_each_circuit_in_order_and_its_last_transition_always) {
  for (const std::size_t capacity : {std::size_t{16}, std::size_t{8192}}) {
    sg::local_bus bus({.queue_capacity = capacity});
    std::map<std::string, std::uint64_t> last;
    bool in_order = true;
    const auto all = bus.subscribe(
        sg::topics::state,
        [&](std::string_view, const sg::event& e) {
          std::uint64_t& before = last[e.service];
          if (!e.present && e.sequence <= before) in_order = false;
          before = e.sequence;
        },
        {.present = true});
    std::vector<std::thread> threads;
    for (const std::string name : {"a", "b", "c", "d"}) threads.emplace_back([&bus, name] { publish_all(bus, name); });
    for (std::thread& t : threads) t.join();
    ASSERT_TRUE(bus.flush(1min));
    EXPECT_TRUE(in_order);
    EXPECT_EQ(last, (std::map<std::string, std::uint64_t>{{"a", each}, {"b", each}, {"c", each}, {"d", each}}));
    const auto m = bus.metrics();
    EXPECT_EQ(m.published, 4 * (2 * each + 1));
    EXPECT_EQ(m.sent + m.dropped, m.published);
    EXPECT_EQ(m.delivered + m.duplicates + m.undelivered, m.received);
    EXPECT_EQ(m.circuits, 4u);
  }
}

TEST(bus_stress, tells_whoever_comes_in_between_the_present_and_then_every_change) {
  sg::local_bus bus({.queue_capacity = 8192});
  std::atomic<bool> done{false};
  std::thread publishing([&] {
    publish_all(bus, "a");
    done = true;
  });
  bool gap = false;
  do {
    std::vector<std::uint64_t> seen;
    {
      const auto brief = bus.subscribe(
          sg::topics::state, [&](std::string_view, const sg::event& e) { seen.push_back(e.sequence); }, {.present = true});
      ASSERT_TRUE(bus.flush(1min));
    }
    for (std::size_t i = 1; i < seen.size(); ++i) gap |= seen[i] != seen[i - 1] + 1;
  } while (!done);
  publishing.join();
  EXPECT_FALSE(gap);
}

TEST(bus_stress, is_closed_while_others_subscribe_publish_and_flush) {
  for (int round = 0; round < 20; ++round) {
    sg::local_bus bus({.queue_capacity = 16});
    std::atomic<bool> stop{false};
    std::vector<std::thread> threads;
    threads.emplace_back([&] {
      for (std::uint64_t i = 1; !stop; ++i) bus.publish(transition("a", i));
    });
    threads.emplace_back([&] {
      while (!stop) {
        const auto brief = bus.subscribe("*", [](std::string_view, const sg::event&) {}, {.present = true});
      }
    });
    threads.emplace_back([&] {
      while (!stop) (void)bus.flush(1ms);
    });
    std::this_thread::yield();
    bus.close();
    stop = true;
    for (std::thread& t : threads) t.join();
    const auto m = bus.metrics();
    EXPECT_EQ(m.delivered + m.duplicates + m.undelivered, m.received);
  }
}

}  // namespace
