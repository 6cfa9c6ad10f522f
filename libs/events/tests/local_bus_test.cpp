// SPDX-License-Identifier: Apache-2.0
#include "event_samples.hpp"

#include <switchgear/errors.hpp>
#include <switchgear/local_bus.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <memory>
#include <stdexcept>
#include <thread>

namespace {

namespace sg = switchgear;
using namespace event_samples;
using namespace std::chrono_literals;
using texts = std::vector<std::string>;

/// Stops the thread that calls it until it is opened.
class gate {
 public:
  void open() { opening_.set_value(); }
  void pass() {
    reached_.store(true);
    reached_.notify_all();
    open_.wait();
  }
  void wait_for_somebody() { reached_.wait(false); }

 private:
  std::promise<void> opening_;
  std::shared_future<void> open_{opening_.get_future()};
  std::atomic<bool> reached_{false};
};

struct local_bus : testing::Test {
  texts heard;
  std::vector<sg::bus_notice> notices;
  sg::local_bus bus{{.queue_capacity = 16, .on_notice = [this](const sg::bus_notice& n) { notices.push_back(n); }}};

  sg::event_bus::handler note(std::string name = {}) {
    return [this, name](std::string_view, const sg::event& e) {
      heard.push_back(name + e.service + std::to_string(e.sequence) + (e.present ? "p" : ""));
    };
  }
  void flush() { ASSERT_TRUE(bus.flush(1min)); }
};

TEST_F(local_bus, matches_topics_with_patterns) {
  struct row {
    std::string pattern;
    texts topics;
  };
  const texts all{"circuit_breaker.state.pay.one", "circuit_breaker.call.pay.one", "circuit_breaker.state.stock"};
  std::vector<std::pair<row, texts>> rows;
  rows.push_back({{"circuit_breaker.state.*", {all[0], all[2]}}, {}});
  rows.push_back({{"circuit_breaker.*", all}, {}});
  rows.push_back({{"*.pay.*", {all[0], all[1]}}, {}});
  rows.push_back({{"circuit_breaker.state.stock", {all[2]}}, {}});
  rows.push_back({{"circuit_breaker.state", {}}, {}});
  rows.push_back({{"", {}}, {}});
  std::vector<sg::subscription> subscriptions;
  for (auto& [expected, got] : rows) {
    subscriptions.push_back(bus.subscribe(expected.pattern, [&got = got](std::string_view topic, const sg::event&) {
      got.emplace_back(topic);
    }));
  }
  bus.publish(transition("pay.one", 1));
  bus.publish(call("pay.one", 1));
  bus.publish(transition("stock", 1));
  flush();
  for (const auto& [expected, got] : rows) EXPECT_EQ(got, expected.topics) << expected.pattern;
}

TEST_F(local_bus, tells_each_circuit_in_order) {
  const auto one = bus.subscribe("*", note());
  for (std::uint64_t i = 1; i <= 3; ++i) {
    bus.publish(transition("a", i));
    bus.publish(call("a", i));
  }
  flush();
  EXPECT_EQ(heard, (texts{"a1", "a1", "a2", "a2", "a3", "a3"}));
}

TEST_F(local_bus, gives_an_event_an_id_and_a_time) {
  sg::event got;
  const auto one = bus.subscribe("*", [&](std::string_view, const sg::event& e) { got = e; });
  sg::event bare = transition("a", 1);
  bare.id.clear();
  bare.time = {};
  bus.publish(bare);
  flush();
  EXPECT_EQ(got.id.size(), 36u);
  EXPECT_GT(got.time, std::chrono::system_clock::now() - 1h);
}

TEST_F(local_bus, tells_nothing_that_was_published_before_subscribing) {
  gate closed;
  const auto slow = bus.subscribe("*slow*", [&](std::string_view, const sg::event&) { closed.pass(); });
  bus.publish(call("slow", 0));
  closed.wait_for_somebody();
  bus.publish(transition("a", 1));
  const auto late = bus.subscribe("*", note());
  bus.publish(transition("a", 2));
  closed.open();
  flush();
  EXPECT_EQ(heard, texts{"a2"});
}

TEST_F(local_bus, tells_the_others_when_a_handler_throws) {
  const auto bad = bus.subscribe("circuit*", [](std::string_view, const sg::event&) { throw std::runtime_error("so\nsorry"); });
  const auto worse = bus.subscribe("circuit*", [](std::string_view, const sg::event&) { throw 7; });
  const auto good = bus.subscribe("*", note());
  bus.publish(transition("a", 1));
  flush();
  EXPECT_EQ(heard, texts{"a1"});
  EXPECT_EQ(bus.metrics().handler_errors, 2u);
  ASSERT_EQ(notices.size(), 2u);
  EXPECT_EQ(notices[0].what, sg::bus_notice::kind::handler_failed);
  EXPECT_EQ(notices[0].text, "a handler for circuit* threw: so sorry");
  EXPECT_EQ(notices[1].text, "a handler for circuit* threw");
}

TEST_F(local_bus, lets_a_handler_subscribe_and_publish) {
  sg::subscription inner;
  const auto outer = bus.subscribe("*a", [&](std::string_view, const sg::event& e) {
    if (e.sequence != 1) return;
    inner = bus.subscribe("*", note("inner "));
    bus.publish(transition("b", 1));
  });
  bus.publish(transition("a", 1));
  bus.publish(transition("a", 2));
  flush();
  flush();  // what the handler itself published
  EXPECT_THAT(heard, testing::Contains("inner b1"));
  EXPECT_THAT(heard, testing::Not(testing::Contains("inner a1")));
}

TEST_F(local_bus, lets_a_handler_unsubscribe_itself_and_others) {
  sg::subscription first, second;
  first = bus.subscribe("*", [&](std::string_view topic, const sg::event& e) {
    note("first ")(topic, e);
    first.end();
    second.end();
  });
  second = bus.subscribe("*", note("second "));
  bus.publish(transition("a", 1));
  bus.publish(transition("a", 2));
  flush();
  EXPECT_EQ(heard, texts{"first a1"});
}

TEST_F(local_bus, waits_for_a_running_handler_when_a_subscription_ends) {
  gate inside;
  std::atomic<bool> over{false};
  auto one = bus.subscribe("*", [&](std::string_view, const sg::event&) {
    inside.pass();
    over = true;
  });
  bus.publish(transition("a", 1));
  inside.wait_for_somebody();
  auto ending = std::async(std::launch::async, [&] {
    one.end();
    return over.load();
  });
  inside.open();
  EXPECT_TRUE(ending.get());
}

TEST_F(local_bus, drops_calls_for_a_slow_handler_but_not_the_last_transition) {
  gate closed;
  texts at_last;
  const auto slow = bus.subscribe("*", [&](std::string_view, const sg::event& e) {
    closed.pass();
    at_last.push_back(e.service + std::to_string(e.sequence));
  });
  bus.publish(call("x", 0));
  closed.wait_for_somebody();
  for (int i = 0; i < 20; ++i) bus.publish(call("x", 0));
  for (std::uint64_t i = 1; i <= 5; ++i) bus.publish(transition("a", i));
  const auto m = bus.metrics();
  EXPECT_EQ(m.published, 26u);
  EXPECT_EQ(m.dropped, 8u);
  EXPECT_EQ(m.undelivered, 8u);
  closed.open();
  flush();
  EXPECT_EQ(at_last.size(), 18u);
  EXPECT_EQ(at_last.back(), "a5");
  ASSERT_EQ(notices.size(), 1u);
  EXPECT_EQ(notices[0].what, sg::bus_notice::kind::dropped);
  EXPECT_EQ(notices[0].count, 8u);
  const auto end = bus.metrics();
  EXPECT_EQ(end.sent + end.dropped, end.published);
}

TEST_F(local_bus, counts_gaps_and_duplicates) {
  const auto one = bus.subscribe("*", note());
  bus.publish(transition("a", 3));
  bus.publish(transition("a", 3));
  bus.publish(transition("a", 2));
  bus.publish(transition("a", 6));
  bus.publish(transition("a", 7));
  flush();
  EXPECT_EQ(heard, (texts{"a3", "a6", "a7"}));
  const auto m = bus.metrics();
  EXPECT_EQ(m.duplicates, 2u);
  EXPECT_EQ(m.missed, 2u);
  EXPECT_EQ(m.delivered, 3u);
  EXPECT_EQ(m.received, 5u);
  ASSERT_EQ(notices.size(), 1u);
  EXPECT_EQ(notices[0].what, sg::bus_notice::kind::missed);
  EXPECT_EQ(notices[0].count, 2u);
}

TEST_F(local_bus, delivers_what_waits_when_it_is_closed_and_drops_the_rest) {
  const auto one = bus.subscribe("*", note());
  for (std::uint64_t i = 1; i <= 10; ++i) bus.publish(transition("a", i));
  bus.close();
  EXPECT_EQ(heard.size(), 10u);
  bus.publish(transition("a", 11));
  const auto two = bus.subscribe("*", note());
  EXPECT_TRUE(bus.flush(0s));
  bus.close();
  EXPECT_EQ(heard.size(), 10u);
  EXPECT_EQ(bus.metrics().dropped, 1u);
}

TEST_F(local_bus, has_nothing_to_flush_when_it_was_closed_before_it_began) {
  bus.withdraw("a", "one");
  bus.close();
  EXPECT_TRUE(bus.flush(0s));
}

TEST_F(local_bus, is_closed_for_all_who_close_it_once_what_waits_is_delivered) {
  gate g;
  std::atomic<int> told{0};
  const auto slow = bus.subscribe("*", [&](std::string_view, const sg::event&) {
    if (told++ == 0) g.pass();
  });
  for (std::uint64_t i = 1; i <= 10; ++i) bus.publish(transition("a", i));
  g.wait_for_somebody();
  for (std::uint64_t i = 11; i <= 20; ++i) bus.publish(transition("a", i));
  const auto close = [&] {
    bus.close();
    return told.load();
  };
  auto one = std::async(std::launch::async, close), two = std::async(std::launch::async, close);
  EXPECT_EQ(two.wait_for(20ms), std::future_status::timeout);
  g.open();
  EXPECT_EQ(one.get() + two.get(), 40);
  EXPECT_EQ(bus.metrics().undelivered, 0u);
}

TEST(local_bus_alone, may_be_gone_before_its_subscriptions_and_its_handlers_with_them) {
  auto owned = std::make_shared<int>(1);
  sg::subscription one, two;
  {
    sg::local_bus bus;
    one = bus.subscribe("*", [owned](std::string_view, const sg::event&) {});
    two = bus.subscribe("*", [owned](std::string_view, const sg::event&) {}, {.present = true});
    bus.publish(transition("a", 1));
  }
  one.end();
  two.end();
  EXPECT_EQ(owned.use_count(), 1);
}

TEST(local_bus_alone, refuses_an_impossible_queue) {
  for (const std::size_t capacity : {std::size_t{0}, std::size_t{15}, std::size_t{1'048'577}}) {
    EXPECT_THROW(sg::local_bus({.queue_capacity = capacity}), sg::config_error) << capacity;
  }
}

TEST(local_bus_alone, refuses_an_impossible_member) {
  for (const sg::event_bus_options& o :
       {sg::event_bus_options{.keep_present = -1s, .member = "x"}, {.keep_present = 24h * 31, .member = "x"},
        {.keep_present = 1s}, {.member = "two words"}, {.member = std::string(65, 'x')}}) {
    EXPECT_THROW(sg::local_bus{o}, sg::config_error) << o.member << " " << o.keep_present.count();
  }
  const sg::local_bus good({.keep_present = 24h * 30, .member = "File-1.of_two"});
}

TEST(local_bus_alone, is_connected_and_costs_no_thread_before_it_is_used) {
  sg::local_bus bus;
  EXPECT_TRUE(bus.metrics().connected);
  EXPECT_EQ(bus.metrics().published, 0u);
}

TEST(local_bus_alone, hears_notices_that_throw_or_use_the_bus) {
  sg::local_bus* used = nullptr;
  int told = 0;
  sg::local_bus bus({.on_notice = [&](const sg::bus_notice&) {
    ++told;
    const auto brief = used->subscribe("*", [](std::string_view, const sg::event&) {});
    throw std::runtime_error("no log today");
  }});
  used = &bus;
  const auto bad = bus.subscribe("*", [](std::string_view, const sg::event&) { throw 1; });
  bus.publish(transition("a", 1));
  bus.publish(transition("a", 2));
  ASSERT_TRUE(bus.flush(1min));
  EXPECT_EQ(told, 2);
}

TEST(bus_notice, has_kinds_with_names) {
  EXPECT_EQ(to_string(sg::bus_notice::kind::connected), "connected");
  EXPECT_EQ(to_string(sg::bus_notice::kind::handler_failed), "handler_failed");
}

TEST(default_bus, is_one_for_all) {
  int heard = 0;
  const auto subscription = sg::default_bus().subscribe(sg::topics::all, [&](std::string_view, const sg::event&) { ++heard; });
  sg::event e;
  e.kind = sg::event_kind::opened;
  e.service = "payments";
  sg::default_bus().publish(e);
  ASSERT_TRUE(sg::default_bus().flush(20s));
  EXPECT_EQ(heard, 1);
  EXPECT_EQ(&sg::default_bus(), &sg::default_bus());
}

}  // namespace
