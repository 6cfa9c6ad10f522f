// SPDX-License-Identifier: Apache-2.0
#include "event_samples.hpp"

#include <switchgear/detail/dispatcher.hpp>
#include <switchgear/local_bus.hpp>

#include <gtest/gtest.h>

namespace {

namespace sg = switchgear;
using namespace event_samples;
using namespace std::chrono_literals;
using texts = std::vector<std::string>;

struct present_states : testing::Test {
  texts heard, plain;
  sg::local_bus bus;

  static sg::event_bus::handler into(texts& where) {
    return [&where](std::string_view, const sg::event& e) {
      where.push_back(e.service + std::to_string(e.sequence) + (e.present ? "p" : ""));
    };
  }
  void flush() { ASSERT_TRUE(bus.flush(1min)); }
};

TEST_F(present_states, come_first_to_one_who_came_late) {
  bus.publish(present("a", 0));
  bus.publish(transition("b", 4));
  const auto late = bus.subscribe("*", into(heard), {.present = true});
  bus.publish(transition("a", 1));
  flush();
  ASSERT_EQ(heard.size(), 3u);
  EXPECT_THAT((texts{heard[0], heard[1]}), testing::UnorderedElementsAre("a0p", "b4p"));
  EXPECT_EQ(heard[2], "a1");
  EXPECT_EQ(bus.metrics().circuits, 2u);
}

TEST_F(present_states, are_told_of_those_only_that_match) {
  bus.publish(present("a", 0));
  bus.publish(present("b", 0));
  const auto late = bus.subscribe("*.b", into(heard), {.present = true});
  flush();
  EXPECT_EQ(heard, texts{"b0p"});
}

TEST_F(present_states, of_circuits_that_join_later_are_told_to_those_who_asked_alone) {
  const auto asked = bus.subscribe("*", into(heard), {.present = true});
  const auto not_asked = bus.subscribe("*", into(plain));
  bus.publish(present("a", 2));
  bus.publish(transition("a", 3));
  flush();
  EXPECT_EQ(heard, (texts{"a2p", "a3"}));
  EXPECT_EQ(plain, texts{"a3"});
}

TEST_F(present_states, that_are_no_news_are_not_told) {
  const auto asked = bus.subscribe("*", into(heard), {.present = true});
  bus.publish(transition("a", 3));
  bus.publish(present("a", 3));
  bus.publish(present("a", 2));
  flush();
  EXPECT_EQ(heard, texts{"a3"});
  EXPECT_EQ(bus.metrics().duplicates, 2u);
}

TEST_F(present_states, do_not_hide_the_transitions_they_overtook) {
  const auto asked = bus.subscribe("*", into(heard), {.present = true});
  const auto not_asked = bus.subscribe("*", into(plain));
  bus.publish(transition("a", 1));
  bus.publish(present("a", 3));
  for (std::uint64_t i = 2; i <= 4; ++i) bus.publish(transition("a", i));
  bus.publish(transition("a", 3));
  bus.publish(present("b", 7));
  bus.publish(transition("b", 7));
  bus.publish(transition("b", 7));
  flush();
  EXPECT_EQ(heard, (texts{"a1", "a3p", "a4", "b7p"}));
  EXPECT_EQ(plain, (texts{"a1", "a2", "a3", "a4", "b7"}));
  EXPECT_EQ(bus.metrics().duplicates, 2u);
}

TEST_F(present_states, are_those_of_the_latest_moment_though_older_transitions_come_in) {
  bus.publish(present("a", 3));
  bus.publish(transition("a", 2));
  const auto late = bus.subscribe("*", into(heard), {.present = true});
  flush();
  EXPECT_EQ(heard, texts{"a3p"});
}

TEST_F(present_states, tell_of_each_breaker_of_one_name) {
  sg::event other = present("a", 9);
  other.instance = "another";
  bus.publish(present("a", 2));
  bus.publish(other);
  const auto asked = bus.subscribe("*", into(heard), {.present = true});
  flush();
  EXPECT_THAT(heard, testing::UnorderedElementsAre("a2p", "a9p"));
}

TEST_F(present_states, of_a_withdrawn_circuit_are_not_told) {
  const sg::event e = present("a", 2);
  bus.publish(e);
  bus.withdraw(e.service, e.instance);
  const auto late = bus.subscribe("*", into(heard), {.present = true});
  flush();
  EXPECT_EQ(heard, texts{});
  EXPECT_EQ(bus.metrics().circuits, 0u);
  bus.publish(present("a", 0));  // it may begin again
  flush();
  EXPECT_EQ(heard, texts{"a0p"});
}

TEST_F(present_states, never_hold_events_of_calls) {
  bus.publish(call("a", 2));
  const auto late = bus.subscribe("*", into(heard), {.present = true});
  flush();
  EXPECT_EQ(heard, texts{});
}

TEST(dispatcher, keeps_present_states_back_until_all_are_known) {
  auto told = std::make_shared<sg::detail::dispatcher>(sg::event_bus_options{},
                                                       std::make_shared<sg::detail::notice_board>(nullptr), false);
  told->start();
  texts heard, plain;
  const auto asked = told->subscribe("*", present_states::into(heard), {.present = true});
  const auto not_asked = told->subscribe("*", present_states::into(plain), {});
  told->deliver(present("a", 1));
  told->deliver(transition("a", 2));
  ASSERT_TRUE(told->flush(1min));
  EXPECT_EQ(heard, texts{});
  EXPECT_EQ(plain, texts{"a2"});
  told->complete();
  told->deliver(transition("a", 3));
  ASSERT_TRUE(told->flush(1min));
  EXPECT_EQ(heard, (texts{"a2p", "a3"}));
  told->complete();
  ASSERT_TRUE(told->flush(1min));
  EXPECT_EQ(heard.size(), 2u);
  told->close();
}

TEST(dispatcher, tells_when_subscriptions_change_until_it_is_closed) {
  auto told = std::make_shared<sg::detail::dispatcher>(sg::event_bus_options{},
                                                       std::make_shared<sg::detail::notice_board>(nullptr), true);
  int changes = 0;
  told->on_change([&] { ++changes; });
  auto one = told->subscribe("*", [](std::string_view, const sg::event&) {}, {});
  auto two = told->subscribe("*", [](std::string_view, const sg::event&) {}, {.present = true});
  EXPECT_EQ(changes, 2);
  EXPECT_TRUE(told->wants_present());
  two.end();
  EXPECT_FALSE(told->wants_present());
  EXPECT_EQ(changes, 3);
  told->close();
  one.end();
  EXPECT_EQ(changes, 3);
  EXPECT_FALSE(told->has_subscribers());
}

TEST(dispatcher, knows_which_topics_can_be_wanted) {
  auto told = std::make_shared<sg::detail::dispatcher>(sg::event_bus_options{},
                                                       std::make_shared<sg::detail::notice_board>(nullptr), true);
  constexpr std::string_view states = "circuit_breaker.state.", calls = "circuit_breaker.call.";
  const auto wanted = [&](std::string_view pattern) {
    const auto one = told->subscribe(pattern, [](std::string_view, const sg::event&) {}, {});
    return std::pair(told->wants(states), told->wants(calls));
  };
  EXPECT_EQ(wanted(sg::topics::state), std::pair(true, false));
  EXPECT_EQ(wanted(sg::topics::all), std::pair(true, true));
  EXPECT_EQ(wanted("*"), std::pair(true, true));
  EXPECT_EQ(wanted("circuit_breaker.call.payments"), std::pair(false, true));
  EXPECT_EQ(wanted("circuit_breaker.state.pay*"), std::pair(true, false));
  EXPECT_EQ(wanted("other.*"), std::pair(false, false));
}

}  // namespace
