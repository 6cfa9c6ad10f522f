// SPDX-License-Identifier: Apache-2.0
#include <switchgear/bus_url.hpp>
#include <switchgear/errors.hpp>

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace {

namespace sg = switchgear;

std::string refusal(const std::string& text) {
  try {
    const auto url = sg::parse_bus_url(text);
    ADD_FAILURE() << "accepted: " << text << " as " << without_secrets(url);
    return {};
  } catch (const sg::config_error& e) {
    return e.what();
  }
}

TEST(bus_url, takes_every_part) {
  const auto url = sg::parse_bus_url("Redis://ann:s%40cret@one:6379,[::1]:6380,two/3/x%20y?prefix=a%26b&tls=");
  EXPECT_EQ(url.scheme, "redis");
  EXPECT_EQ(url.user, "ann");
  EXPECT_EQ(url.password, "s@cret");
  EXPECT_EQ(url.hosts, (std::vector<sg::bus_url::address>{{"one", 6379}, {"::1", 6380}, {"two", 0}}));
  EXPECT_EQ(url.path, "3/x y");
  EXPECT_EQ(url.query, (std::map<std::string, std::string>{{"prefix", "a&b"}, {"tls", ""}}));
}

TEST(bus_url, may_be_a_scheme_alone) {
  const auto url = sg::parse_bus_url("local:");
  EXPECT_EQ(url.scheme, "local");
  EXPECT_TRUE(url.hosts.empty());
  EXPECT_EQ(sg::parse_bus_url("local:?a=1").query.at("a"), "1");
  EXPECT_EQ(without_secrets(url), "local:");
}

TEST(bus_url, may_have_a_password_without_a_user) {
  const auto url = sg::parse_bus_url("redis://:secret@h");
  EXPECT_EQ(url.user, "");
  EXPECT_EQ(url.password, "secret");
}

TEST(bus_url, is_shown_without_user_password_and_query) {
  const auto url = sg::parse_bus_url("kafka://ann:secret@one:9092,[fe80::1]/a%20topic/x?sasl=secret");
  EXPECT_EQ(without_secrets(url), "kafka://one:9092,[fe80::1]/a%20topic/x");
}

TEST(bus_url, says_what_is_wrong) {
  const std::vector<std::pair<std::string, std::string>> rows{
      {"", "no scheme"},
      {"redis", "no scheme"},
      {":", "begin with a letter"},
      {"1a:", "begin with a letter"},
      {"re dis:", "no scheme has"},
      {"redis:host", "// is missing"},
      {"redis:/host", "// is missing"},
      {"redis://", "host 1 is empty"},
      {"redis:///path", "host 1 is empty"},
      {"redis://a,", "host 2 is empty"},
      {"redis://a,,b", "host 2 is empty"},
      {"redis://a:", "port of host 1"},
      {"redis://a:0", "port of host 1"},
      {"redis://b,a:65536", "port of host 2"},
      {"redis://a:12x", "port of host 1"},
      {"redis://a:1:2", "port of host 1"},
      {"redis://a b", "no host has"},
      {"redis://a%2fb", "no host has"},
      {"redis://[::1", "does not close"},
      {"redis://[::1]x", "behind the bracket"},
      {"redis://[host]", "no IPv6 address"},
      {"redis://a%4", "hexadecimal digits in host 1"},
      {"redis://a/%zz", "hexadecimal digits in the path"},
      {"redis://a/x%00y", "control character in the path"},
      {"redis://a%0d%0a", "control character in host 1"},
      {"redis://a?", "parameter 1 is not KEY=VALUE"},
      {"redis://a?x", "parameter 1 is not KEY=VALUE"},
      {"redis://a?x=1&", "parameter 2 is not KEY=VALUE"},
      {"redis://a?x=1&x=2", "parameter 2 has a key"},
      {"redis://a#b", "%23"},
      {"redis://u@v@a", "more than one @"},
      {"redis://" + std::string(5000, 'a'), "longer than"},
  };
  for (const auto& [text, why] : rows) EXPECT_THAT(refusal(text), testing::HasSubstr(why)) << text;
}

TEST(bus_url, shows_nothing_of_what_stands_before_an_at_sign) {
  for (const std::string text :
       {"redis://ann:hunter2@", "redis://ann:hunter2@h:x", "redis://ann:hunter2@h:0", "redis://ann:hunter2%@h",
        "redis://ann:hun/ter2@h", "redis://ann:hun?ter2@h", "redis://ann:hun#ter2@h", "redis://ann:hun@ter2@h", "hunter2@h",
        "hunter2 :@h", "redis:ann:hunter2@h", "redis://ann:hunter2%0a@h", "redis://ann:hunter2@h?hunter2"}) {
    const std::string why = refusal(text);
    for (const char* part : {"hunter2", "hun", "ter2", "ann"}) EXPECT_EQ(why.find(part), why.npos) << text << " → " << why;
  }
}

}  // namespace
