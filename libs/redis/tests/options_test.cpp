// SPDX-License-Identifier: Apache-2.0
#include <switchgear/redis/client.hpp>

#include <gtest/gtest.h>

namespace {

namespace sg = switchgear;
namespace redis = switchgear::redis;
using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

std::vector<std::string> keys(const std::vector<sg::problem>& problems) {
  std::vector<std::string> out;
  for (const sg::problem& p : problems) out.push_back(p.key);
  return out;
}

sg::bus_url url(std::string host = "cache.internal", std::uint16_t port = 6380, std::string path = "3") {
  sg::bus_url u;
  u.scheme = "redis";
  u.hosts = {{std::move(host), port}};
  u.path = std::move(path);
  return u;
}

std::string refusal(const sg::bus_url& u) {
  try {
    (void)redis::options_of(u);
  } catch (const sg::config_error& e) {
    return e.what();
  }
  return "accepted";
}

TEST(redis_options, are_good_as_they_come) { EXPECT_TRUE(redis::options{}.validate().empty()); }

TEST(redis_options, name_every_problem) {
  EXPECT_THAT(keys(redis::options{.host = "", .port = 0, .user = "alice", .database = -1, .tls = true, .connect_timeout = -1s,
                                  .timeout = 25h}
                       .validate()),
              ElementsAre("host", "port", "password", "database", "tls", "connect_timeout", "timeout"));
}

TEST(redis_options, come_from_an_address) {
  sg::bus_url u = url();
  u.user = "alice";
  u.password = "wonderland";
  const redis::options o = redis::options_of(u);
  EXPECT_EQ(o.host, "cache.internal");
  EXPECT_EQ(o.port, 6380);
  EXPECT_EQ(o.user, "alice");
  EXPECT_EQ(o.password, "wonderland");
  EXPECT_EQ(o.database, 3);
  EXPECT_EQ(redis::target_of(o), "redis.cache.internal:6380/3");
}

TEST(redis_options, have_the_usual_port_and_database) {
  const redis::options o = redis::options_of(url("::1", 0, ""));
  EXPECT_EQ(redis::target_of(o), "redis.[::1]:6379/0");
}

TEST(redis_options, name_the_part_of_an_address_that_is_wrong) {
  sg::bus_url u = url();
  u.scheme = "kafka";
  EXPECT_THAT(refusal(u), HasSubstr("scheme"));
  u = url();
  u.hosts.clear();
  EXPECT_THAT(refusal(u), HasSubstr("host"));
  u = url();
  u.hosts.push_back({"other", 1});
  EXPECT_THAT(refusal(u), HasSubstr("host"));
  for (const char* path : {"x", "1x", "-1", "9999999999", "1/2"}) {
    u = url();
    u.path = path;
    EXPECT_THAT(refusal(u), HasSubstr("database")) << path;
  }
  u = url();
  u.scheme = "rediss";
  u.password = "wonderland";
  EXPECT_THAT(refusal(u), HasSubstr("stunnel"));
  EXPECT_THAT(refusal(u), Not(HasSubstr("wonderland")));
}

TEST(redis_options, of_a_client_are_checked_too) {
  EXPECT_TRUE(redis::client_options{}.validate().empty());
  EXPECT_THAT(keys(redis::client_options{.max_connections = 0, .pool_timeout = -1s}.validate()),
              ElementsAre("max_connections", "pool_timeout"));
  EXPECT_THROW(redis::client({.port = 0}), sg::config_error);
  EXPECT_THROW(redis::client({}, {.max_connections = 1025}), sg::config_error);
}

TEST(redis_options, name_the_breaker_of_a_client) {
  const redis::client c({.host = "::1", .user = "alice", .password = "wonderland", .database = 2});
  EXPECT_EQ(c.breaker().name(), "redis.[::1]:6379/2");
  EXPECT_EQ(c.breaker().configuration().failure_threshold, 5);
  EXPECT_EQ(c.breaker().configuration().open_duration, 30s);
}

}  // namespace
