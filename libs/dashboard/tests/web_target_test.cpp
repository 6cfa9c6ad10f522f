// SPDX-License-Identifier: Apache-2.0
#include "../src/web/target.hpp"

#include <gtest/gtest.h>

#include <string>

namespace sg = switchgear;
using sg::detail::read_target;
using strings = std::vector<std::string>;

namespace {

strings path_of(std::string_view text) {
  const auto reading = read_target(text);
  EXPECT_TRUE(reading.target) << text << ": " << reading.error;
  return reading.target ? reading.target->path : strings{"(refused)"};
}

bool is_refused(std::string_view text) {
  const auto reading = read_target(text);
  return !reading.target && !reading.error.empty();
}

TEST(web_target, is_split_into_segments) {
  EXPECT_EQ(path_of("/"), strings{});
  EXPECT_EQ(path_of("/metrics"), strings{"metrics"});
  EXPECT_EQ(path_of("/api/v1/circuits"), (strings{"api", "v1", "circuits"}));
}

TEST(web_target, keeps_empty_segments_so_that_they_lead_nowhere) {
  EXPECT_EQ(path_of("/metrics/"), (strings{"metrics", ""}));
  EXPECT_EQ(path_of("//metrics"), (strings{"", "metrics"}));
}

TEST(web_target, decodes_each_segment_after_splitting) {
  EXPECT_EQ(path_of("/circuits/a%2Fb/trip"), (strings{"circuits", "a/b", "trip"}));
  EXPECT_EQ(path_of("/K%C3%B6ln%20%2525+"), strings{"K\xc3\xb6ln %25+"});
}

TEST(web_target, has_a_plain_path_unless_a_segment_has_a_slash) {
  EXPECT_EQ(read_target("/").target->plain_path(), "/");
  EXPECT_EQ(read_target("/assets/a.js?x").target->plain_path(), "/assets/a.js");
  EXPECT_EQ(read_target("/assets%2Fa.js").target->plain_path(), std::nullopt);
}

TEST(web_target, never_goes_up) {
  for (const char* text : {"/..", "/.", "/assets/../x", "/assets/./x", "/%2e%2e/x", "/a/%2E", "/a/.%2e/b", "/..?x=1"}) {
    EXPECT_TRUE(is_refused(text)) << text;
  }
  EXPECT_EQ(path_of("/..a/...%2F.."), (strings{"..a", ".../.."}));
}

TEST(web_target, is_a_path_and_nothing_else) {
  for (const char* text : {"", "*", "metrics", "http://127.0.0.1/metrics", "127.0.0.1:80", "?a=b", "\\x", "/a#b", "/a\\b"}) {
    EXPECT_TRUE(is_refused(text)) << text;
  }
}

TEST(web_target, is_refused_with_an_escape_that_is_none) {
  for (const char* text : {"/%", "/%2", "/%g0", "/%0g", "/a%%20", "/a?x=%", "/a?%zz=1"}) EXPECT_TRUE(is_refused(text)) << text;
}

TEST(web_target, is_refused_with_control_characters) {
  for (const char* text : {"/%00", "/a%0Ab", "/a%7f", "/a?x=%00", "/a\tb", "/a b", "/\x7f", "/\xc3\xb6"}) {
    EXPECT_TRUE(is_refused(text)) << text;
  }
  EXPECT_TRUE(is_refused(std::string_view("/a\0b", 4)));
}

TEST(web_target, has_a_longest_length) {
  const std::string longest = "/" + std::string(sg::detail::longest_target - 1, 'a');
  EXPECT_EQ(path_of(longest).front().size(), longest.size() - 1);
  EXPECT_TRUE(is_refused(longest + "a"));
}

TEST(web_target, has_a_query_of_decoded_pairs_in_their_order) {
  const auto reading = read_target("/x?b=1&a=%26%3d&&c+d=e+f&b=2=3&g");
  ASSERT_TRUE(reading.target);
  const std::vector<std::pair<std::string, std::string>> expected{
      {"b", "1"}, {"a", "&="}, {"c d", "e f"}, {"b", "2=3"}, {"g", ""}};
  EXPECT_EQ(reading.target->query, expected);
}

TEST(web_target, is_refused_with_too_many_parameters) {
  std::string text = "/x?";
  for (std::size_t i = 0; i < sg::detail::most_parameters; ++i) text += "a=1&";
  EXPECT_TRUE(read_target(text).target);
  EXPECT_TRUE(is_refused(text + "a=1"));
}

TEST(web_target, error_shows_nothing_of_the_target) {
  EXPECT_EQ(read_target("/secret%").error.find("secret"), std::string_view::npos);
}

}  // namespace
