// SPDX-License-Identifier: Apache-2.0
#include <switchgear/local_bus.hpp>
#include <switchgear/publish_to.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

namespace {

namespace sg = switchgear;
using namespace std::chrono_literals;
using texts = std::vector<std::string>;

struct publish_to : testing::Test {
  sg::local_bus bus;
  sg::circuit_breaker payments{"payments"};
  texts heard;

  sg::subscription listen(sg::subscribe_options how = {}) {
    return bus.subscribe(
        sg::topics::all,
        [this](std::string_view topic, const sg::event& e) {
          heard.push_back(std::string(topic) + " " + (e.present ? "is " : "") + std::string(to_string(e.kind)) + " " +
                          std::to_string(e.sequence));
        },
        how);
  }
  void flush() {
    sg::drain_events();
    ASSERT_TRUE(bus.flush(1min));
  }
};

TEST_F(publish_to, tells_of_transitions) {
  const auto listening = listen();
  const auto published = sg::publish_to(bus, payments);
  payments.trip("by hand");
  payments.reset();
  flush();
  EXPECT_EQ(heard, (texts{"circuit_breaker.state.payments opened 1", "circuit_breaker.state.payments reset 2"}));
}

TEST_F(publish_to, tells_of_calls_when_asked_to) {
  const auto listening = listen();
  const auto published = sg::publish_to(bus, payments, sg::event_filter::everything);
  payments.call([] {});
  flush();
  EXPECT_EQ(heard, texts{"circuit_breaker.call.payments success 0"});
}

TEST_F(publish_to, tells_how_the_circuit_is) {
  payments.trip("by hand");
  const auto published = sg::publish_to(bus, payments);
  const auto listening = listen({.present = true});
  payments.reset();
  flush();
  EXPECT_EQ(heard, (texts{"circuit_breaker.state.payments is opened 1", "circuit_breaker.state.payments reset 2"}));
}

TEST_F(publish_to, introduces_a_circuit_that_joins_later) {
  const auto listening = listen({.present = true});
  const auto published = sg::publish_to(bus, payments);
  flush();
  EXPECT_EQ(heard, texts{"circuit_breaker.state.payments is closed 0"});
}

TEST_F(publish_to, withdraws_the_circuit_at_the_end) {
  {
    const auto published = sg::publish_to(bus, payments);
    flush();
    EXPECT_EQ(bus.metrics().circuits, 1u);
  }
  payments.trip();
  flush();
  EXPECT_EQ(bus.metrics().circuits, 0u);
  const auto listening = listen({.present = true});
  flush();
  EXPECT_EQ(heard, texts{});
}

TEST_F(publish_to, leaves_no_gap_and_tells_nothing_twice_while_the_circuit_changes) {
  std::atomic<bool> stop{false};
  std::thread changing([&] {
    while (!stop) {
      payments.trip();
      payments.reset();
      sg::drain_events();  // so that none is dropped before it reaches a bus
    }
  });
  for (int round = 0; round < 100; ++round) {
    std::vector<std::uint64_t> told, plain;
    sg::local_bus own{{.queue_capacity = 65'536}};
    bool introduced = true;
    {
      const auto all = own.subscribe(
          "*",
          [&](std::string_view, const sg::event& e) {
            introduced &= e.present == told.empty();
            told.push_back(e.sequence);
          },
          {.present = true});
      const auto changes = own.subscribe("*", [&](std::string_view, const sg::event& e) { plain.push_back(e.sequence); });
      const auto published = sg::publish_to(own, payments);
      std::this_thread::yield();
      EXPECT_TRUE(own.flush(1min));
    }
    own.close();
    EXPECT_TRUE(introduced) << "first how it is, then what changes";
    EXPECT_FALSE(told.empty());
    for (std::size_t i = 1; i < told.size(); ++i) EXPECT_EQ(told[i], told[0] + i);
    for (std::size_t i = 0; i < plain.size(); ++i) EXPECT_EQ(plain[i], told[0] + 1 + i);
    EXPECT_EQ(own.metrics().missed, 0u);
    EXPECT_EQ(own.metrics().duplicates, 0u);
  }
  stop = true;
  changing.join();
}

TEST_F(publish_to, lets_no_transition_after_it_be_taken_for_a_duplicate) {
  for (int round = 0; round < 200; ++round) {
    sg::local_bus own;
    sg::circuit_breaker stock{"stock"};
    int transitions = 0;
    const auto listening = own.subscribe(sg::topics::state, [&](std::string_view, const sg::event&) { ++transitions; });
    const auto published = sg::publish_to(own, stock);
    stock.trip();
    sg::drain_events();
    ASSERT_TRUE(own.flush(1min));
    ASSERT_EQ(transitions, 1);
    EXPECT_EQ(own.metrics().missed, 0u);
  }
}

TEST(present_event, is_that_of_the_last_transition) {
  sg::circuit_breaker payments{"payments", {.shadow = true}};
  payments.trip("by hand");
  const sg::event e = sg::present_event(payments);
  EXPECT_TRUE(e.present);
  EXPECT_TRUE(e.shadow);
  EXPECT_EQ(e.kind, sg::event_kind::opened);
  EXPECT_EQ(e.state, sg::state::open);
  EXPECT_EQ(e.previous_state, sg::state::closed);
  EXPECT_EQ(e.sequence, 1u);
  EXPECT_EQ(e.generation, 1u);
  EXPECT_THAT(e.reason, testing::HasSubstr("by hand"));
}

TEST(present_event, of_a_new_breaker_is_closed) {
  const sg::circuit_breaker payments{"payments"};
  const sg::event e = sg::present_event(payments);
  EXPECT_EQ(e.kind, sg::event_kind::closed);
  EXPECT_EQ(e.sequence, 0u);
  EXPECT_EQ(e.service, "payments");
}

}  // namespace
