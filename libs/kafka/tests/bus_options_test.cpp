// SPDX-License-Identifier: Apache-2.0
#include <switchgear/bus_url.hpp>
#include <switchgear/kafka_bus.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sg = switchgear;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

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
sg::kafka_bus_options of(std::string_view url) { return sg::kafka_bus_options_of(sg::parse_bus_url(url)); }

TEST(kafka_bus_url, names_brokers_topic_and_group) {
  const auto o = of("kafka://a:1,b/circuits?group=workers");
  EXPECT_EQ(o.brokers, "a:1,b:9092");
  EXPECT_EQ(o.topic, "circuits");
  EXPECT_EQ(o.group, "workers");
  EXPECT_TRUE(o.client_options.empty());
}

TEST(kafka_bus_url, carries_credentials_and_properties_of_librdkafka) {
  EXPECT_EQ(of("kafka://me:s3cret@a/t").client_options,
            (sg::kafka_properties{{"security.protocol", "sasl_ssl"},
                                  {"sasl.mechanism", "PLAIN"},
                                  {"sasl.username", "me"},
                                  {"sasl.password", "s3cret"}}));
  const auto plain = of("kafka://me:s3cret@a/t?security.protocol=sasl_plaintext");
  EXPECT_EQ(plain.client_options.at("security.protocol"), "sasl_plaintext");
}

TEST(kafka_bus_url, is_refused_without_showing_what_is_secret) {
  for (const char* url : {"kafka://me:s3cret@a", "kafka://me:s3cret@a/a/b", "kafka://me:s3cret@a/t?nonsense=s3cret",
                          "kafka://me:s3cret@a/t?group=", "redis://me:s3cret@a/0"}) {
    EXPECT_THAT(refusal([&] { (void)of(url); }), AllOf(Not(HasSubstr("s3cret")), Not("accepted"))) << url;
  }
}

TEST(kafka_bus_options, are_checked_all_at_once_when_the_bus_is_made) {
  sg::kafka_bus_options o;
  o.topic = "not a topic";
  o.most_under_way = 0;
  o.send_timeout = std::chrono::seconds(-1);
  EXPECT_THAT(refusal([&] { sg::kafka_bus bus{o}; }),
              AllOf(HasSubstr("topic"), HasSubstr("most_under_way"), HasSubstr("send_timeout")));
}

TEST(kafka_bus_options, of_librdkafka_are_refused_by_their_names_alone) {
  for (const auto& [name, value] : sg::kafka_properties{{"no.such.thing", "s3cret"}, {"enable.idempotence", "false"}}) {
    sg::kafka_bus_options o;
    o.client_options = {{name, value}};
    EXPECT_THAT(refusal([&] { sg::kafka_bus bus{o}; }), AllOf(HasSubstr(name), Not(HasSubstr("s3cret"))));
  }
}

}  // namespace
