// SPDX-License-Identifier: Apache-2.0
#include "support.hpp"

#include <mutex>
#include <optional>
#include <stdexcept>

namespace {

using namespace registries;
using testing::ElementsAre;
using testing::IsEmpty;

struct registry_observe : testing::Test {
  manual_clock clock;
  std::optional<sg::registry> circuits{std::in_place, quiet(), clock};
  std::mutex mutex;
  std::vector<std::string> heard;

  [[nodiscard]] sg::subscription listen() {
    return circuits->observe([this](const sg::event& e) {
      const std::lock_guard lock(mutex);
      heard.push_back(e.service + " " + std::string(to_string(e.kind)));
    });
  }
  std::vector<std::string> all() {
    sg::drain_events();
    const std::lock_guard lock(mutex);
    return heard;
  }
};

TEST_F(registry_observe, tells_the_transitions_of_present_and_future_breakers) {
  const auto a = circuits->get("a", small_config());
  const auto subscription = listen();
  a->trip();
  const auto b = circuits->get("b", small_config());
  b->force_open();
  EXPECT_THAT(all(), ElementsAre("a opened", "b forced_open"));
}

TEST_F(registry_observe, tells_no_calls) {
  const auto subscription = listen();
  const auto a = circuits->get("a");
  succeed_times(*a, 5);
  fail_times(*a, 1);
  EXPECT_THAT(all(), IsEmpty());
}

TEST_F(registry_observe, ends_with_the_subscription) {
  const auto a = circuits->get("a");
  auto subscription = listen();
  subscription.end();
  a->trip();
  circuits->get("b")->trip();
  EXPECT_THAT(all(), IsEmpty());
}

TEST_F(registry_observe, tells_several) {
  const auto a = circuits->get("a");
  auto one = listen();
  auto two = listen();
  a->trip();
  EXPECT_THAT(all(), ElementsAre("a opened", "a opened"));
  one.end();
  a->reset();
  EXPECT_THAT(all(), testing::SizeIs(3));
}

TEST_F(registry_observe, ends_for_a_breaker_that_is_removed) {
  const auto a = circuits->get("a");
  const auto subscription = listen();
  circuits->remove("a");
  a->trip();
  circuits->get("a")->reset();
  EXPECT_THAT(all(), ElementsAre("a reset"));
}

TEST_F(registry_observe, ends_with_the_registry) {
  const auto a = circuits->get("a");
  auto subscription = listen();
  circuits.reset();
  a->trip();
  subscription.end();
  EXPECT_THAT(all(), IsEmpty());
}

TEST_F(registry_observe, lets_handlers_use_the_registry_and_throw) {
  std::vector<std::string> open;
  const auto subscription = circuits->observe([&](const sg::event& e) {
    circuits->get("made by the handler");
    open = circuits->open_circuits();
    circuits->remove(e.service);
    throw std::runtime_error("dropped");
  });
  circuits->get("a")->trip();
  sg::drain_events();
  EXPECT_THAT(open, ElementsAre("a"));
  EXPECT_THAT(circuits->names(), ElementsAre("made by the handler"));
}

TEST_F(registry_observe, may_be_ended_by_its_own_handler) {
  sg::subscription subscription;
  int calls = 0;
  subscription = circuits->observe([&](const sg::event&) {
    ++calls;
    subscription.end();
  });
  circuits->get("a")->trip();
  circuits->get("b")->trip();
  sg::drain_events();
  EXPECT_EQ(calls, 1);
}

TEST_F(registry_observe, misses_nobody_who_is_made_meanwhile) {
  constexpr int count = 2000;
  std::thread maker([&] {
    for (int i = 0; i < count; ++i) circuits->get("early " + std::to_string(i));
  });
  const auto subscription = listen();
  maker.join();
  int expected = 0;
  circuits->for_each([&](sg::circuit_breaker& b) {
    b.trip();
    if (++expected % 500 == 0) sg::drain_events();
  });
  EXPECT_EQ(all().size(), static_cast<std::size_t>(count));
}

TEST_F(registry_observe, making_is_told_before_the_maker_gets_the_breaker_and_once) {
  std::vector<std::string> made;
  auto watching = circuits->observe_making([&](const sg::breaker_handle& b) {
    made.push_back(b.name());
    b->trip();
  });
  EXPECT_TRUE(circuits->get("a", small_config())->is_open());
  (void)circuits->get("a", small_config());
  EXPECT_THAT(made, ElementsAre("a"));
  watching.end();
  EXPECT_TRUE(circuits->get("b", small_config())->is_closed());
}

}  // namespace
