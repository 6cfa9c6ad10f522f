// SPDX-License-Identifier: Apache-2.0
#include <switchgear/policy_event.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <stdexcept>
#include <string>
#include <vector>

namespace {

namespace sg = switchgear;
using testing::ElementsAre;

struct voice : sg::detail::policy_state {
  explicit voice(std::string name) : policy_state("voice", std::move(name)) {}
  void say(std::string what) { tell({.kind = sg::policy_event_kind::warning, .reason = std::move(what)}); }
};

TEST(policy_events, reach_the_observers_of_one_policy_in_order) {
  voice mine("mine"), other("other");
  std::vector<std::string> heard;
  const auto subscription = mine.observe([&](const sg::policy_event& e) { heard.push_back(e.name + " " + e.reason); });
  mine.say("one");
  other.say("not for me");
  mine.say("two");
  sg::drain_events();
  EXPECT_THAT(heard, ElementsAre("mine one", "mine two"));
}

TEST(policy_events, reach_whoever_observes_all_policies) {
  voice a("a"), b("b");
  std::vector<std::string> heard;
  const auto subscription = sg::observe_policies([&](const sg::policy_event& e) { heard.push_back(e.name + " " + e.reason); });
  a.say("one");
  b.say("two");
  sg::drain_events();
  EXPECT_THAT(heard, ElementsAre("a one", "b two"));
}

TEST(policy_events, are_not_made_while_nobody_listens) {
  voice mine("mine");
  EXPECT_FALSE(mine.is_observed());
  {
    const auto subscription = mine.observe([](const sg::policy_event&) {});
    EXPECT_TRUE(mine.is_observed());
  }
  EXPECT_FALSE(mine.is_observed());
}

TEST(policy_events, do_not_reach_a_subscription_that_has_ended) {
  voice mine("mine");
  int heard = 0;
  auto subscription = mine.observe([&](const sg::policy_event&) { ++heard; });
  mine.say("one");
  sg::drain_events();
  subscription.end();
  mine.say("two");
  sg::drain_events();
  EXPECT_EQ(heard, 1);
}

TEST(policy_events, go_on_after_a_handler_that_throws) {
  voice mine("mine");
  int heard = 0;
  const auto bad = mine.observe([](const sg::policy_event&) { throw std::runtime_error("bad handler"); });
  const auto good = mine.observe([&](const sg::policy_event&) { ++heard; });
  mine.say("one");
  mine.say("two");
  sg::drain_events();
  EXPECT_EQ(heard, 2);
}

TEST(policy_events, let_a_handler_end_its_own_subscription) {
  voice mine("mine");
  int heard = 0;
  sg::subscription subscription;
  subscription = mine.observe([&](const sg::policy_event&) {
    ++heard;
    subscription.end();
  });
  mine.say("one");
  mine.say("two");
  sg::drain_events();
  EXPECT_EQ(heard, 1);
}

TEST(policy_events, survive_the_policy_they_tell_of) {
  std::vector<std::string> heard;
  const auto subscription = sg::observe_policies([&](const sg::policy_event& e) { heard.push_back(e.reason); });
  { voice("short-lived").say("gone"); }
  sg::drain_events();
  EXPECT_THAT(heard, ElementsAre("gone"));
}

TEST(policy_events, have_a_line_for_the_log) {
  using kind = sg::policy_event_kind;
  EXPECT_EQ(sg::log_line({.kind = kind::timed_out, .policy = "timeout", .name = "timeout"}), "timeout: timed_out");
  EXPECT_EQ(sg::log_line({.kind = kind::rejected, .policy = "bulkhead", .name = "db", .reason = "10 calls in flight"}),
            "bulkhead db: rejected: 10 calls in flight");
}

}  // namespace
