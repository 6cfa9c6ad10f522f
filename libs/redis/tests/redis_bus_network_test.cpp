// SPDX-License-Identifier: Apache-2.0
#include "redis_bus_support.hpp"
#include "tcp_proxy.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <functional>
#include <iterator>
#include <map>
#include <ostream>
#include <string>
#include <thread>

namespace {

namespace sg = switchgear;
using namespace std::chrono_literals;
using namespace test_support;

std::ptrdiff_t entries_of(const char* folder) {
  return std::distance(std::filesystem::directory_iterator(folder), std::filesystem::directory_iterator());
}

using states = std::map<std::string, std::uint64_t>;
states last_of(const ear& heard) {
  states last;
  for (const sg::event& e : heard.heard()) {
    if (sg::is_transition(e.kind)) last[e.service] = e.sequence;
  }
  return last;
}

/// One way in which a server is lost, and how it comes back.
struct outage {
  const char* name;
  friend void PrintTo(const outage& o, std::ostream* out) { *out << o.name; }
  std::function<void(redis_server&, tcp_proxy&)> begin, end;
  bool ends_connections = true;
};

class redis_bus_outage : public testing::TestWithParam<outage> {
 protected:
  sg::redis_bus_options options() {
    auto o = quick(server_);
    o.server.port = proxy_.port();
    o.server.timeout = 300ms;
    o.server.connect_timeout = 300ms;
    o.close_timeout = 20s;
    o.queues.queue_capacity = 512;
    return o;
  }

  redis_server server_;
  tcp_proxy proxy_{(server_.start(), server_.port())};
};

/// What is lost is counted, what is not arrives, and afterwards all agree.
TEST_P(redis_bus_outage, is_survived_by_the_truth) {
  {
    sg::redis_bus once(options());  // what is started once for all: the thread of the clock
    ASSERT_TRUE(connected(once));
  }
  ASSERT_TRUE(eventually([&] { return proxy_.connections() == 0; }));
  const auto threads = entries_of("/proc/self/task"), descriptors = entries_of("/proc/self/fd");
  {
    ear heard, late_heard;
    sg::redis_bus sender(options()), member(options());
    const auto subscription = member.subscribe(sg::topics::all, heard.events(), {.present = true});
    ASSERT_TRUE(connected(sender) && connected(member));

    states truth;
    std::uint64_t published = 0;
    const auto publish = [&](int rounds) {
      for (int i = 0; i < rounds; ++i) {
        for (int service = 0; service < 10; ++service) {
          const std::string name = "service-" + std::to_string(service);
          sender.publish(transition(name, ++truth[name]));
          sender.publish(call(name));
          published += 2;
        }
      }
    };
    publish(5);
    GetParam().begin(server_, proxy_);
    publish(20);
    if (GetParam().ends_connections) {
      ASSERT_TRUE(eventually([&] { return !sender.metrics().connected && !member.metrics().connected; }));
    }
    const auto before = std::chrono::steady_clock::now();
    publish(40);
    EXPECT_LT(std::chrono::steady_clock::now() - before, 2s) << "publishing waits for nobody";
    GetParam().end(server_, proxy_);
    publish(5);

    ASSERT_TRUE(sender.flush(60s));
    const auto sent = sender.metrics();
    EXPECT_EQ(sent.published, published);
    EXPECT_TRUE(adds_up(sent)) << sent.sent << " sent, " << sent.dropped << " dropped";
    ASSERT_TRUE(eventually([&] {
      states known = last_of(heard);
      std::erase_if(known, [&](const auto& each) { return each.second != truth[each.first]; });
      return known == truth;
    }));
    sg::redis_bus late(options());
    const auto also = late.subscribe(sg::topics::state, late_heard.events(), {.present = true});
    ASSERT_TRUE(eventually([&] { return late_heard.count() == truth.size(); }));
    EXPECT_EQ(last_of(late_heard), truth);

    states order;
    for (const sg::event& e : heard.heard()) {
      if (!sg::is_transition(e.kind)) continue;
      EXPECT_GT(e.sequence, order[e.service]) << e.service;
      order[e.service] = e.sequence;
    }
    ASSERT_TRUE(member.flush(20s));
    const auto got = member.metrics();
    EXPECT_EQ(got.received, got.delivered + got.duplicates + got.undelivered);
  }
  EXPECT_TRUE(eventually([&] { return proxy_.connections() == 0; }));
  EXPECT_TRUE(eventually([&] { return entries_of("/proc/self/task") == threads; }));
  EXPECT_EQ(entries_of("/proc/self/fd"), descriptors);
}

INSTANTIATE_TEST_SUITE_P(
    every, redis_bus_outage,
    testing::Values(outage{"killed_and_started_empty", [](redis_server& s, tcp_proxy&) { s.kill(); },
                           [](redis_server& s, tcp_proxy&) { s.restart_empty(); }},
                    outage{"stopped", [](redis_server& s, tcp_proxy&) { s.stop(); },
                           [](redis_server& s, tcp_proxy&) { s.resume(); }},
                    outage{"cut", [](redis_server&, tcp_proxy& p) { p.cut(); }, [](redis_server&, tcp_proxy& p) { p.heal(); }},
                    outage{"cut_in_the_middle", [](redis_server&, tcp_proxy& p) { p.cut_after(700); },
                           [](redis_server&, tcp_proxy& p) { p.heal(); }},
                    outage{"swallowed", [](redis_server&, tcp_proxy& p) { p.black_hole(true); },
                           [](redis_server&, tcp_proxy& p) { p.heal(); }},
                    outage{"slow", [](redis_server&, tcp_proxy& p) { p.delay(30ms); },
                           [](redis_server&, tcp_proxy& p) { p.heal(); }, false}),
    [](const auto& each) { return std::string(each.param.name); });

class redis_bus_network : public testing::Test {
 protected:
  redis_bus_network() { server_.start(); }
  redis_server server_;
};

TEST_F(redis_bus_network, that_breaks_again_and_again_costs_nothing_and_doubles_nothing) {
  tcp_proxy proxy(server_.port());
  auto options = quick(server_);
  options.server.port = proxy.port();
  sg::redis_bus sender(options), member(options);
  ear heard;
  const auto subscription = member.subscribe(sg::topics::state, heard.events());
  ASSERT_TRUE(connected(sender) && connected(member));
  std::uint64_t last = 0;
  for (int round = 0; round < 8; ++round) {
    proxy.cut_after(100 + 777 * static_cast<std::size_t>(round));
    for (int i = 0; i < 50; ++i) sender.publish(transition("payments", ++last));
    ASSERT_TRUE(eventually([&] {
      sender.publish(transition("payments", ++last));
      return !sender.metrics().connected || !member.metrics().connected;
    }));
    proxy.heal();
    ASSERT_TRUE(sender.flush(60s));
    ASSERT_TRUE(eventually([&] { return member.metrics().connected && sender.metrics().connected; }));
  }
  ASSERT_TRUE(eventually([&] { return heard.last_sequence("payments") == last; }));
  const auto all = heard.heard();
  EXPECT_EQ(member.metrics().missed + sender.metrics().dropped, 2 * sender.metrics().dropped);
  EXPECT_EQ(all.size(), last - sender.metrics().dropped);
  for (std::size_t i = 1; i < all.size(); ++i) ASSERT_GT(all[i].sequence, all[i - 1].sequence);
  EXPECT_TRUE(adds_up(sender.metrics()));
}

TEST_F(redis_bus_network, that_swallows_everything_does_not_hold_up_close) {
  tcp_proxy proxy(server_.port());
  auto options = quick(server_);
  options.server.port = proxy.port();
  options.close_timeout = 100ms;
  sg::redis_bus bus(options);
  ear heard;
  const auto subscription = bus.subscribe(sg::topics::all, heard.events(), {.present = true});
  ASSERT_TRUE(connected(bus));
  proxy.black_hole(true);
  for (std::uint64_t i = 1; i <= 10; ++i) bus.publish(transition("payments", i));
  const auto before = std::chrono::steady_clock::now();
  bus.close();
  EXPECT_LT(std::chrono::steady_clock::now() - before, 4s);
  const auto m = bus.metrics();
  EXPECT_TRUE(adds_up(m));
  EXPECT_EQ(m.dropped, 10u);
}

/// Whatever handlers and notices do while connections come and go and the bus is closed under them.
TEST_F(redis_bus_network, may_end_while_all_use_the_bus) {
  for (int round = 0; round < 5; ++round) {
    sg::subscription own, other;
    std::atomic<int> notices{0};
    sg::redis_bus* used = nullptr;
    auto options = quick(server_);
    options.queues.on_notice = [&](const sg::bus_notice&) {
      ++notices;
      const auto brief = used->subscribe("*", [](std::string_view, const sg::event&) {});
      used->publish(call("notice"));
    };
    sg::redis_bus bus(options);
    used = &bus;
    other = bus.subscribe("*", [](std::string_view, const sg::event&) {}, {.present = true});
    std::atomic<bool> ready{false};
    own = bus.subscribe(sg::topics::state, [&](std::string_view, const sg::event& e) {
      while (!ready.load()) std::this_thread::yield();
      const auto brief = bus.subscribe("*", [](std::string_view, const sg::event&) {}, {.present = true});
      bus.publish(call("handler"));
      bus.withdraw(e.service, e.instance);
      if (e.sequence > 3) own.end();
      if (e.sequence > 2) other.end();
    });
    ready.store(true);
    std::atomic<bool> stop{false};
    std::thread flushing([&] {
      while (!stop.load()) (void)bus.flush(1ms);
    });
    std::thread publishing([&] {
      for (std::uint64_t i = 1; !stop.load(); ++i) bus.publish(transition("payments", i));
    });
    ASSERT_TRUE(connected(bus));
    std::thread closing([&] { bus.close(); });
    bus.close();
    stop.store(true);
    for (std::thread* t : {&flushing, &publishing, &closing}) t->join();
    EXPECT_GE(notices.load(), 1);
    const auto m = bus.metrics();
    EXPECT_TRUE(adds_up(m)) << m.published << " " << m.sent << " " << m.dropped;
    EXPECT_EQ(m.received, m.delivered + m.duplicates + m.undelivered);
  }
}

}  // namespace
