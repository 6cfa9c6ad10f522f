// SPDX-License-Identifier: Apache-2.0
#include <switchgear/errors.hpp>
#include <switchgear/redis_bus.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace {

namespace sg = switchgear;
using namespace std::chrono_literals;
using testing::HasSubstr;

sg::redis_bus_options of(std::string_view url) { return sg::redis_bus_options_of(sg::parse_bus_url(url)); }

std::string problem_with(std::string_view url) {
  try {
    (void)of(url);
  } catch (const sg::config_error& e) {
    return e.what();
  }
  return "none";
}

TEST(redis_bus_options, come_from_a_url) {
  const auto o = of("redis://ann:secret@redis.internal:6380/3?fleet=shop");
  EXPECT_EQ(o.server.host, "redis.internal");
  EXPECT_EQ(o.server.port, 6380);
  EXPECT_EQ(o.server.user, "ann");
  EXPECT_EQ(o.server.password, "secret");
  EXPECT_EQ(o.server.database, 3);
  EXPECT_EQ(o.fleet, "shop");
  EXPECT_TRUE(of("redis://localhost").fleet.empty());
}

TEST(redis_bus_options, names_the_nearest_of_an_unknown_key_but_not_its_value) {
  const std::string text = problem_with("redis://localhost?fleat=secret");
  EXPECT_THAT(text, HasSubstr("fleat"));
  EXPECT_THAT(text, HasSubstr("fleet"));
  EXPECT_EQ(text.find("secret"), std::string::npos);
}

TEST(redis_bus_options, refuse_a_fleet_that_would_be_a_pattern) {
  EXPECT_THAT(problem_with("redis://localhost?fleet=a*"), HasSubstr("fleet"));
  EXPECT_THAT(problem_with("redis://localhost?fleet="), HasSubstr("fleet"));
}

TEST(redis_bus_options, are_checked_all_at_once) {
  sg::redis_bus_options o;
  EXPECT_TRUE(o.validate().empty());
  o.server.host.clear();
  o.fleet = "a b";
  o.stream_length = 0;
  o.lifetime = o.heartbeat;
  o.close_timeout = -1s;
  o.breaker.success_threshold = 0;
  EXPECT_EQ(o.validate().size(), 6u);
  EXPECT_THROW(sg::redis_bus{o}, sg::config_error);
}

}  // namespace
