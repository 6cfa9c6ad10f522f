// SPDX-License-Identifier: Apache-2.0
#include <switchgear/errors.hpp>
#include <switchgear/kafka_bus.hpp>
#include <switchgear/local_bus.hpp>
#include <switchgear/open_bus.hpp>
#include <switchgear/redis_bus.hpp>

#include <gmock/gmock.h>

namespace {

namespace sg = switchgear;
using testing::HasSubstr;
using testing::Not;

std::string refusal_of(std::string_view url) {
  try {
    (void)sg::open_bus(url);
  } catch (const sg::config_error& e) {
    return e.what();
  }
  return "accepted";
}

TEST(open_bus, makes_the_bus_that_the_scheme_names) {
  EXPECT_NE(dynamic_cast<sg::local_bus*>(sg::open_bus("local:").get()), nullptr);
  EXPECT_NE(dynamic_cast<sg::redis_bus*>(sg::open_bus("redis://127.0.0.1:1/0").get()), nullptr);
  EXPECT_NE(dynamic_cast<sg::kafka_bus*>(sg::open_bus("kafka://127.0.0.1:1/circuits").get()), nullptr);
}

TEST(open_bus, names_the_buses_that_there_are) {
  EXPECT_THAT(refusal_of("amqp://host/"), HasSubstr("redis://host:port/db"));
}

TEST(open_bus, refuses_what_a_local_bus_cannot_have) { EXPECT_THAT(refusal_of("local://host"), HasSubstr("neither host")); }

TEST(open_bus, never_shows_a_password) {
  for (const char* url : {"amqp://me:s3cret@host/", "redis://me:s3cret@host:99999/0", "redis://me:s3cret@host/x",
                          "kafka://me:s3cret@host", "rediss://me:s3cret@host/0", "local://me:s3cret@host"}) {
    EXPECT_THAT(refusal_of(url), Not(HasSubstr("s3cret"))) << url;
    EXPECT_NE(refusal_of(url), "accepted") << url;
  }
}

}  // namespace
