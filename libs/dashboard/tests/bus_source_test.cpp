// SPDX-License-Identifier: Apache-2.0
#include "dashboard_support.hpp"

#include <switchgear/bus_source.hpp>
#include <switchgear/local_bus.hpp>
#include <switchgear/publish_to.hpp>
#include <switchgear/testing/event_recorder.hpp>

#include <thread>

namespace {

using namespace dashboards;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

sg::event event_of(std::string name, sg::event_kind kind, std::uint64_t generation, std::string instance = "i") {
  sg::event e;
  e.kind = kind;
  e.service = std::move(name);
  e.instance = std::move(instance);
  e.source = "switchgear://host/1";
  e.generation = e.sequence = generation;
  return e;
}

sg::event opened(std::string name, std::uint64_t generation, std::string instance = "i") {
  sg::event e = event_of(std::move(name), sg::event_kind::opened, generation, std::move(instance));
  e.state = sg::state::open;
  e.reason = "5 consecutive failures";
  e.retry_after = 30s;
  return e;
}

sg::event present(std::string name, std::uint64_t generation, std::string instance = "i") {
  sg::event e = event_of(std::move(name), sg::event_kind::closed, generation, std::move(instance));
  e.present = true;
  return e;
}

struct a_bus_source : testing::Test {
  sg::local_bus bus;
  sg::bus_source source{bus};

  std::vector<sg::circuit_reading> read(sg::bus_source& from) {
    EXPECT_TRUE(bus.flush(1min));
    auto all = from.read();
    std::ranges::sort(all, {}, [](const auto& r) { return std::pair(r.now.name, r.instance); });
    return all;
  }
  std::vector<sg::circuit_reading> read() { return read(source); }
  texts names() {
    texts out;
    for (const auto& r : read()) out.push_back(r.now.name + "/" + r.instance);
    return out;
  }
};

TEST_F(a_bus_source, knows_how_circuits_are_that_were_told_before_it_came) {
  bus.publish(opened("a", 3));
  bus.flush(1min);
  sg::bus_source late{bus};
  const auto all = read(late);
  ASSERT_EQ(all.size(), 1u);
  EXPECT_EQ(all[0].now.state, sg::state::open);
  EXPECT_EQ(all[0].now.generation, 3u);
  EXPECT_EQ(all[0].reason, "5 consecutive failures");
  EXPECT_EQ(all[0].source, "switchgear://host/1");
  EXPECT_GT(all[0].now.retry_after.value_or(0s), 0s);
  EXPECT_FALSE(all[0].counted);
  EXPECT_NE(all[0].not_operable, "");
}

TEST_F(a_bus_source, tells_circuits_of_one_name_apart) {
  bus.publish(present("a", 1, "1"));
  bus.publish(opened("a", 2, "2"));
  bus.publish(present("a", 1, ""));
  EXPECT_THAT(names(), ElementsAre("a/1", "a/2", "a/switchgear://host/1"));
}

TEST_F(a_bus_source, keeps_the_last_hundred_transitions) {
  for (std::uint64_t i = 1; i <= 150; ++i) bus.publish(opened("a", i));
  EXPECT_TRUE(bus.flush(1min));
  const auto more = source.detail("a", "i");
  ASSERT_TRUE(more);
  ASSERT_EQ(more->changes.size(), 100u);
  EXPECT_EQ(more->changes.back().generation, 150u);
  EXPECT_TRUE(source.detail("a", ""));
  EXPECT_FALSE(source.detail("b", ""));
}

TEST_F(a_bus_source, counts_calls_of_those_who_tell_of_all_of_them) {
  sg::registry circuits{{.environment = sg::variables{}, .bus = &bus, .bus_events = sg::event_filter::everything}};
  const auto a = circuits.get("a", sg::config{.failure_threshold = 3});
  sg::testing::succeed_times(*a, 4);
  sg::testing::fail_times(*a, 3);
  for (int i = 0; i < 2; ++i) (void)a->try_acquire();
  sg::drain_events();
  const auto all = read();
  ASSERT_EQ(all.size(), 1u);
  EXPECT_TRUE(all[0].counted);
  EXPECT_EQ(all[0].now.metrics.successes, 4u);
  EXPECT_EQ(all[0].now.metrics.failures, 3u);
  EXPECT_EQ(all[0].now.metrics.rejections, 2u);
  EXPECT_EQ(all[0].now.metrics.transitions, 1u);
  EXPECT_EQ(all[0].now.state, sg::state::open);
}

TEST_F(a_bus_source, does_not_count_where_failures_alone_are_told) {
  bus.publish(present("a", 0));
  bus.publish(event_of("a", sg::event_kind::failure, 0));
  const auto a = read()[0];
  EXPECT_FALSE(a.counted);
  EXPECT_EQ(a.now.window.calls, 0u);  // not a window in which everything fails
  EXPECT_EQ(a.now.consecutive_failures, 0u);
  EXPECT_EQ(a.now.metrics.failures, 0u);
}

TEST_F(a_bus_source, takes_no_harm_from_times_and_texts_beyond_all_measure) {
  using wall = std::chrono::system_clock::time_point;
  sg::event early = opened("a", 1), late = opened("b", 1);
  early.time = wall::min();
  late.time = wall::max();
  early.last_failure = wall::max();
  early.retry_after = late.retry_after = std::chrono::nanoseconds::max();
  early.reason = std::string(999, 'x') + "\xe2\x82\xac and so on";
  bus.publish(early);
  bus.publish(late);
  const auto all = read();
  ASSERT_EQ(all.size(), 2u);
  for (const auto& r : all) {
    EXPECT_GE(r.now.time_in_state, 0s);
    EXPECT_GT(r.now.retry_after.value_or(0s), 0s);
  }
  EXPECT_EQ(all[0].reason, std::string(999, 'x'));  // cut between two characters
}

TEST_F(a_bus_source, forgets_circuits_that_are_withdrawn) {
  bus.publish(present("a", 1));
  bus.publish(opened("b", 1));
  EXPECT_THAT(names(), ElementsAre("a/i", "b/i"));
  bus.withdraw("a", "i");
  EXPECT_TRUE(bus.flush(1min));
  names();  // notices that the bus knows fewer, and asks
  EXPECT_THAT(names(), ElementsAre("b/i"));
  EXPECT_EQ(source.read()[0].now.state, sg::state::open);
  bus.publish(event_of("a", sg::event_kind::success, 1));
  EXPECT_THAT(names(), ElementsAre("b/i"));  // a call that was on its way brings nothing back
  bus.withdraw("b", "i");
  EXPECT_TRUE(bus.flush(1min));
  EXPECT_THAT(names(), IsEmpty());
  bus.publish(present("a", 0));
  EXPECT_THAT(names(), ElementsAre("a/i"));  // it may begin again
}

TEST_F(a_bus_source, forgets_the_circuits_of_a_registry_that_ends) {
  auto circuits = std::make_unique<sg::registry>(sg::registry_options{.environment = sg::variables{}, .bus = &bus});
  circuits->get("a");
  EXPECT_EQ(read().size(), 1u);
  circuits.reset();
  EXPECT_TRUE(bus.flush(1min));
  EXPECT_THAT(names(), IsEmpty());
}

TEST_F(a_bus_source, leaves_out_what_is_beyond_its_bound_and_says_so) {
  sg::bus_source small{bus, 2};
  for (const char* name : {"a", "b", "c"}) bus.publish(present(name, 1));
  EXPECT_EQ(read(small).size(), 2u);
  EXPECT_THAT(small.problems(), ElementsAre(HasSubstr("not shown: 1")));
  EXPECT_THAT(source.problems(), IsEmpty());
}

TEST_F(a_bus_source, hears_transitions_and_failures_only) {
  sg::testing::event_recorder heard{source};
  bus.publish(opened("a", 1));
  for (const auto kind : {sg::event_kind::success, sg::event_kind::failure, sg::event_kind::rejected}) {
    bus.publish(event_of("a", kind, 1));
  }
  EXPECT_TRUE(bus.flush(1min));
  EXPECT_THAT(heard.kinds(), ElementsAre(sg::event_kind::opened, sg::event_kind::failure));
}

TEST_F(a_bus_source, takes_no_orders) {
  const sg::circuit_action trip{
      .what = sg::circuit_action::kind::trip, .name = "a", .instance = {}, .owner = {}, .reason = {}, .ttl = {}};
  EXPECT_EQ(source.act(trip).what, sg::action_outcome::kind::refused);
}

TEST_F(a_bus_source, stays_whole_while_circuits_come_and_go_and_are_read) {
  std::jthread coming([this] {
    for (std::uint64_t i = 0; i < 500; ++i) {
      bus.publish(present("a", 0, std::to_string(i)));
      if (i >= 10) bus.withdraw("a", std::to_string(i - 10));
    }
  });
  for (int i = 0; i < 100; ++i) (void)source.read();
  coming.join();
  EXPECT_TRUE(bus.flush(1min));
  for (int i = 0; i < 4; ++i) names();
  EXPECT_EQ(names().size(), 10u);
}

}  // namespace
