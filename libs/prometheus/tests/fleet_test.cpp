// SPDX-License-Identifier: Apache-2.0
#include "exposition.hpp"

#include <switchgear/errors.hpp>
#include <switchgear/prometheus_collector.hpp>

#include <gtest/gtest.h>

#include <cstdint>
#include <optional>
#include <string>

namespace {

namespace sg = switchgear;

/// What a fleet's member shows of itself, in the order of its own.
enum class standing : std::uint8_t { local, shared, connecting };
struct figures {
  standing now = standing::connecting;
  std::uint64_t requests = 1, replies = 2, timeouts = 3, link_losses = 4, local_decisions = 5, fleet_decisions = 6, stale = 7,
                leases_granted = 8, leases_unused = 9, leases_lost = 10, restores = 11;
  std::uint32_t members = 0;
};
struct member {
  explicit member(figures f) : seen(f) {}
  member(const member&) = delete;
  member& operator=(const member&) = delete;
  [[nodiscard]] figures metrics() const { return seen; }
  figures seen;
};

struct prometheus_fleets : testing::Test {
  [[nodiscard]] std::optional<double> read(const std::string& name, exposition::labels more = {}) const {
    more["name"] = "shop";
    return exposition::page(sg::to_prometheus_text(metrics.Collect()))("switchgear_fleet_" + name, more);
  }
  /// The one that is 1, when the others are 0.
  [[nodiscard]] std::string link() const {
    std::string found;
    for (const char* state : {"connecting", "shared", "local"}) {
      const auto value = read("link", {{"state", state}});
      EXPECT_TRUE(value && (*value == 0 || *value == 1)) << state;
      if (value == 1) found += state;
    }
    return found;
  }
  member one{figures{}};
  sg::prometheus_collector metrics;
};

TEST_F(prometheus_fleets, show_how_the_member_stands_to_the_others) {
  metrics.add("shop", one);
  EXPECT_EQ(link(), "connecting");
  one.seen.now = standing::shared;
  EXPECT_EQ(link(), "shared");
  one.seen.now = standing::local;
  EXPECT_EQ(link(), "local");
}

TEST_F(prometheus_fleets, tell_local_decisions_from_those_of_the_fleet) {
  metrics.add("shop", one);
  EXPECT_EQ(read("decisions_total", {{"kind", "local"}}), 5);
  EXPECT_EQ(read("decisions_total", {{"kind", "fleet"}}), 6);
  one.seen.fleet_decisions = 60;
  EXPECT_EQ(read("decisions_total", {{"kind", "fleet"}}), 60);
}

TEST_F(prometheus_fleets, count_the_exchange_with_the_store_and_the_leases) {
  metrics.add("shop", one);
  EXPECT_EQ(read("requests_total"), 1);
  EXPECT_EQ(read("replies_total"), 2);
  EXPECT_EQ(read("timeouts_total"), 3);
  EXPECT_EQ(read("link_losses_total"), 4);
  EXPECT_EQ(read("stale_total"), 7);
  EXPECT_EQ(read("leases_granted_total"), 8);
  EXPECT_EQ(read("leases_unused_total"), 9);
  EXPECT_EQ(read("leases_lost_total"), 10);
  EXPECT_EQ(read("restores_total"), 11);
}

TEST_F(prometheus_fleets, say_nothing_of_members_that_nobody_has_counted) {
  metrics.add("shop", one);
  EXPECT_EQ(read("members"), std::nullopt);
  one.seen.members = 3;
  EXPECT_EQ(read("members"), 3);
}

TEST_F(prometheus_fleets, of_several_are_told_apart_by_name_and_no_name_is_used_twice) {
  const member other{figures{.members = 7}};
  metrics.add("shop", one);
  metrics.add("office", other);
  EXPECT_EQ(exposition::page(sg::to_prometheus_text(metrics.Collect()))("switchgear_fleet_members", {{"name", "office"}}), 7);
  EXPECT_THROW(metrics.add("shop", other), sg::config_error);
}

}  // namespace
