// SPDX-License-Identifier: Apache-2.0
#include <switchgear/local_bus.hpp>
#include <switchgear/registry.hpp>

#include <gmock/gmock.h>

#include <mutex>
#include <thread>

namespace {

namespace sg = switchgear;
using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;

/// What a subscriber heard, one short line each.
struct heard {
  explicit heard(sg::event_bus& on, sg::subscribe_options how = {})
      : bus(on), subscription(bus.subscribe(
                     sg::topics::all,
                     [this](std::string_view topic, const sg::event& e) {
                       lines_.push_back(std::string(topic.substr(16)) + (e.present ? " is " : " ") + std::string(to_string(e.kind)));
                     },
                     how)) {}
  std::vector<std::string> lines() {
    sg::drain_events();
    EXPECT_TRUE(bus.flush(20s));
    return std::exchange(lines_, {});
  }
  sg::event_bus& bus;
  std::vector<std::string> lines_;
  sg::subscription subscription;
};

struct registry_on_a_bus : testing::Test {
  sg::local_bus bus;
  sg::registry circuits{{.environment = sg::variables{}, .bus = &bus}};
};

TEST_F(registry_on_a_bus, publishes_the_transitions_of_all_its_breakers) {
  heard h(bus);
  circuits.get("payments")->trip();
  circuits.get("search")->trip();
  EXPECT_THAT(h.lines(), ElementsAre("state.payments opened", "state.search opened"));
}

TEST_F(registry_on_a_bus, keeps_calls_quick_and_to_itself) {
  heard h(bus);
  circuits.get("payments")->call([] {});
  EXPECT_THAT(h.lines(), IsEmpty());
}

TEST_F(registry_on_a_bus, tells_late_comers_of_breakers_without_a_past_too) {
  circuits.get("payments");
  circuits.get("search")->trip();
  sg::drain_events();
  heard h(bus, {.present = true});
  EXPECT_THAT(h.lines(), testing::UnorderedElementsAre("state.payments is closed", "state.search is opened"));
}

TEST_F(registry_on_a_bus, introduces_new_breakers_to_those_who_asked_for_the_present) {
  heard h(bus, {.present = true});
  circuits.get("payments");
  EXPECT_THAT(h.lines(), ElementsAre("state.payments is closed"));
}

TEST_F(registry_on_a_bus, withdraws_what_it_forgets) {
  circuits.get("payments")->trip();
  sg::drain_events();
  circuits.remove("payments");
  heard h(bus, {.present = true});
  EXPECT_THAT(h.lines(), IsEmpty());
}

TEST_F(registry_on_a_bus, tells_two_breakers_of_one_name_apart) {
  heard h(bus);
  circuits.get("payments")->trip();
  sg::drain_events();
  circuits.remove("payments");
  circuits.get("payments")->trip();  // its sequence begins again
  EXPECT_THAT(h.lines(), ElementsAre("state.payments opened", "state.payments opened"));
  EXPECT_EQ(bus.metrics().duplicates, 0u);
}

TEST_F(registry_on_a_bus, leaves_none_known_that_is_gone_however_quickly_they_come_and_go) {
  const auto come_and_go = [this] {
    for (int i = 0; i < 3000; ++i) {
      circuits.get("payments");
      circuits.remove("payments");
    }
  };
  std::thread one(come_and_go), other(come_and_go);
  one.join();
  other.join();
  EXPECT_TRUE(bus.flush(1min));
  EXPECT_EQ(bus.metrics().circuits, circuits.size());
}

TEST(registry_bus, hears_of_calls_when_that_is_wanted) {
  sg::local_bus bus;
  heard h(bus);
  sg::registry circuits{{.environment = sg::variables{}, .bus = &bus, .bus_events = sg::event_filter::everything}};
  circuits.get("payments")->call([] {});
  EXPECT_THAT(h.lines(), ElementsAre("call.payments success"));
}

TEST(registry_bus, may_end_before_what_was_published_is_delivered) {
  sg::local_bus bus;
  heard h(bus);
  {
    sg::registry circuits{{.environment = sg::variables{}, .bus = &bus}};
    circuits.get("payments")->trip();
    sg::drain_events();
  }
  EXPECT_THAT(h.lines(), ElementsAre("state.payments opened"));
  heard late(bus, {.present = true});
  EXPECT_THAT(late.lines(), IsEmpty());
}

}  // namespace
