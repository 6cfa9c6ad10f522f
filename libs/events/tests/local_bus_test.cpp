// SPDX-License-Identifier: Apache-2.0
#include <switchgear/local_bus.hpp>
#include <switchgear/publish_to.hpp>

#include <gtest/gtest.h>

namespace {

namespace sg = switchgear;
using namespace std::chrono_literals;

TEST(local_bus, tells_a_subscriber_of_a_transition) {
  sg::local_bus bus;
  std::vector<std::string> heard;
  const auto subscription = bus.subscribe(sg::topics::state, [&](std::string_view topic, const sg::event& e) {
    heard.push_back(std::string(topic) + " " + std::string(to_string(e.kind)));
  });
  sg::circuit_breaker payments{"payments"};
  const auto published = sg::publish_to(bus, payments);
  payments.trip("by hand");
  sg::drain_events();
  ASSERT_TRUE(bus.flush(10s));
  EXPECT_EQ(heard, std::vector<std::string>{"circuit_breaker.state.payments opened"});
}

TEST(local_bus, tells_a_late_comer_how_each_circuit_is) {
  sg::local_bus bus;
  sg::circuit_breaker payments{"payments"};
  const auto published = sg::publish_to(bus, payments);
  payments.trip("by hand");
  sg::drain_events();
  std::vector<std::string> heard;
  const auto subscription = bus.subscribe(
      sg::topics::all,
      [&](std::string_view, const sg::event& e) {
        heard.push_back((e.present ? "is " : "became ") + std::string(to_string(e.state)) + " " + std::to_string(e.sequence));
      },
      {.present = true});
  payments.reset();
  sg::drain_events();
  ASSERT_TRUE(bus.flush(10s));
  EXPECT_EQ(heard, (std::vector<std::string>{"is open 1", "became closed 2"}));
}

}  // namespace
