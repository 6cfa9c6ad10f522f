// SPDX-License-Identifier: Apache-2.0
#include <switchgear/kafka_event_bus.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

namespace sg = switchgear;
using namespace std::chrono_literals;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using config = sg::kafka_event_bus::config;

namespace {

template <class F>
std::string refusal(F&& f) {
  try {
    f();
  } catch (const sg::config_error& e) {
    return e.what();
  }
  return "accepted";
}

TEST(kafka_event_bus_config, has_the_values_of_the_bus_that_it_succeeds) {
  const config c;
  EXPECT_EQ(c.bootstrap_servers, "localhost:9092");
  EXPECT_EQ(c.environment, "local");
  EXPECT_EQ(c.circuit_breaker_threshold, 5);
  EXPECT_EQ(c.circuit_breaker_reset_timeout, 30s);
  EXPECT_TRUE(c.validate().empty());
  const sg::kafka_event_bus bus{c};
  EXPECT_EQ(bus.breaker().name(), "kafka.local");
  EXPECT_EQ(bus.breaker().configuration().failure_threshold, 5);
  EXPECT_EQ(bus.breaker().configuration().open_duration, 30s);
  EXPECT_EQ(bus.breaker().configuration().success_threshold, 1);
}

TEST(kafka_event_bus_config, is_read_from_the_environment) {
  const config c = config::from_env({{"KAFKA_BOOTSTRAP_SERVERS", "a:1,b:2"},
                                     {"KAFKA_ENVIRONMENT", "production"},
                                     {"KAFKA_GROUP", "billing"},
                                     {"KAFKA_CIRCUIT_BREAKER_THRESHOLD", "3"},
                                     {"KAFKA_CIRCUIT_BREAKER_RESET_TIMEOUT", "1.5m"},
                                     {"KAFKA_DELIVERY_TIMEOUT", "2"},
                                     {"KAFKA_CLOSE_TIMEOUT", "500ms"},
                                     {"KAFKA_MAX_ATTEMPTS", "7"},
                                     {"KAFKA_SECURITY_PROTOCOL", "sasl_ssl"},
                                     {"KAFKA_SASL_USERNAME", "me"},
                                     {"KAFKA_HOME", "/somewhere"}});
  EXPECT_EQ(c.bootstrap_servers, "a:1,b:2");
  EXPECT_EQ(c.environment, "production");
  EXPECT_EQ(c.group, "billing");
  EXPECT_EQ(c.circuit_breaker_threshold, 3);
  EXPECT_EQ(c.circuit_breaker_reset_timeout, 90s);
  EXPECT_EQ(c.delivery_timeout, 2s);
  EXPECT_EQ(c.close_timeout, 500ms);
  EXPECT_EQ(c.retry.max_attempts, 7);
  EXPECT_EQ(c.client_options, (sg::kafka_properties{{"security.protocol", "sasl_ssl"}, {"sasl.username", "me"}}));
}

TEST(kafka_event_bus_config, names_every_variable_that_is_wrong_and_shows_no_value) {
  const std::string text = refusal([] {
    (void)config::from_env({{"KAFKA_BOOTSTRAP_SERVERS", ""},
                            {"KAFKA_CIRCUIT_BREAKER_THRESHOLD", "s3cret"},
                            {"KAFKA_CIRCUIT_BREAKER_RESET_TIMEOUT", "s3cret"},
                            {"KAFKA_CIRCUIT_BREAKER_TIMEOUT", "s3cret"}});
  });
  EXPECT_THAT(text, AllOf(HasSubstr("KAFKA_BOOTSTRAP_SERVERS"), HasSubstr("KAFKA_CIRCUIT_BREAKER_THRESHOLD"),
                          HasSubstr("KAFKA_CIRCUIT_BREAKER_RESET_TIMEOUT"), HasSubstr("KAFKA_CIRCUIT_BREAKER_TIMEOUT")));
  EXPECT_THAT(text, Not(HasSubstr("s3cret")));
}

TEST(kafka_event_bus_config, names_the_variable_that_is_out_of_range) {
  EXPECT_THAT(refusal([] { (void)config::from_env({{"KAFKA_CIRCUIT_BREAKER_THRESHOLD", "0"}}); }),
              HasSubstr("KAFKA_CIRCUIT_BREAKER_THRESHOLD"));
  EXPECT_THAT(refusal([] { (void)config::from_env({{"KAFKA_BOOTSTRAP_SERVERS", "me:s3cret@host"}}); }),
              AllOf(HasSubstr("KAFKA_BOOTSTRAP_SERVERS"), Not(HasSubstr("s3cret"))));
}

TEST(kafka_event_bus_config, refuses_options_that_librdkafka_does_not_know_by_their_names_alone) {
  config c;
  c.client_options = {{"sasl.passwort", "s3cret"}};
  EXPECT_THAT(refusal([&] { sg::kafka_event_bus bus{c}; }), AllOf(HasSubstr("sasl.passwort"), Not(HasSubstr("s3cret"))));
  c.client_options = {{"security.protocol", "s3cret"}};
  EXPECT_THAT(refusal([&] { sg::kafka_event_bus bus{c}; }), AllOf(HasSubstr("security.protocol"), Not(HasSubstr("s3cret"))));
}

TEST(kafka_event_bus, is_made_by_a_default_factory) {
  ::setenv("KAFKA_ENVIRONMENT", "factory", 1);
  const auto bus = sg::kafka_event_bus::make_default();
  ::unsetenv("KAFKA_ENVIRONMENT");
  EXPECT_EQ(bus->breaker().name(), "kafka.factory");
  bus->start();
  EXPECT_TRUE(bus->health().started);
  bus->close();
  EXPECT_FALSE(bus->health().started);
}

}  // namespace
