// SPDX-License-Identifier: Apache-2.0
#include "switchgear/config/json.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace {

namespace sg = switchgear;
using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

sg::config_result configured(std::string_view text) {
  auto read = sg::patch_from_json_text(text);
  auto result = sg::apply(read.patch, {});
  result.problems.insert(result.problems.begin(), read.problems.begin(), read.problems.end());
  return result;
}

std::vector<std::string> keys_of(const std::vector<sg::problem>& problems) {
  std::vector<std::string> keys;
  for (const auto& p : problems) keys.push_back(p.key);
  return keys;
}

TEST(json_config, reads_every_kind_of_key) {
  const auto result = configured(R"({"enabled": false, "failure_threshold": 2, "window": "10s", "open_duration": "1.5m",
                                     "open_duration_multiplier": 2, "jitter": 0.5, "call_timeout": 0.1})");
  EXPECT_THAT(result.problems, IsEmpty());
  EXPECT_EQ(result.value, (sg::config{.enabled = false,
                                      .failure_threshold = 2,
                                      .window = sg::last(10s),
                                      .open_duration = 90s,
                                      .open_duration_multiplier = 2,
                                      .jitter = 0.5,
                                      .call_timeout = 100ms}));
}

TEST(json_config, in_window_a_number_is_calls) {
  EXPECT_EQ(configured(R"({"window": 20})").value.window, sg::calls(20));
  EXPECT_EQ(configured(R"({"window": "20"})").value.window, sg::calls(20));
  EXPECT_EQ(configured(R"({"sliding_window_size": 20})").value.window, sg::calls(20));
}

TEST(json_config, has_strict_types) {
  EXPECT_THAT(keys_of(configured(R"({"failure_threshold": "5", "window_buckets": 5.0, "minimum_calls": 1e1,
      "success_threshold": true, "jitter": "0.5", "shadow": 1, "enabled": "true", "open_duration": null,
      "window": 5.0, "call_timeout": [1], "state_history": {}, "half_open_max_calls": 18446744073709551615})")
                          .problems),
              UnorderedElementsAre("failure_threshold", "window_buckets", "minimum_calls", "success_threshold",
                                   "jitter", "shadow", "enabled", "open_duration", "window", "call_timeout",
                                   "state_history", "half_open_max_calls"));
}

TEST(json_config, refuses_an_impossible_configuration_with_every_problem) {
  const nlohmann::json object = {
      {"failure_rate_threshold", 1.2}, {"window", 20}, {"minimum_calls", 50}, {"half_open_max_calls", 0}};
  EXPECT_THAT(keys_of(sg::apply(sg::patch_from_json(object).patch, {}).problems),
              UnorderedElementsAre("failure_rate_threshold", "minimum_calls", "half_open_max_calls"));
}

TEST(json_config, refuses_negative_durations) {
  EXPECT_THAT(keys_of(configured(R"({"open_duration": -1, "call_timeout": -0.5, "window": "-60s"})").problems),
              ElementsAre("open_duration", "call_timeout", "window"));
}

TEST(json_config, has_to_be_an_object) {
  for (const char* bad : {"[]", "3", "null", "\"x\""}) {
    EXPECT_THAT(keys_of(configured(bad).problems), ElementsAre("config")) << bad;
  }
}

TEST(json_config, is_written_so_that_it_reads_back_the_same) {
  const sg::config c{.enabled = false,
                     .window = sg::last(250ms),
                     .minimum_calls = 3,
                     .failure_rate_threshold = 0.1 + 0.2,
                     .slow_call_duration = 1234567ns,
                     .slow_call_rate_threshold = 1.0 / 3,
                     .open_duration = 1ns,
                     .probe_timeout = 0s};
  EXPECT_EQ(configured(sg::config_to_json(c).dump()).value, c);
  EXPECT_EQ(configured(sg::config_to_json({}).dump()).value, sg::config{});
}

TEST(json_config, is_written_in_the_order_of_the_contract_without_what_is_not_set) {
  EXPECT_EQ(sg::config_to_json({}).dump(),
            R"({"enabled":true,"shadow":false,"failure_threshold":5,"window":100,"window_buckets":10,)"
            R"("failure_rate_threshold":0.0,"failure_count_threshold":0,"slow_call_duration":"0s",)"
            R"("open_duration":"1m","open_duration_multiplier":1.0,"jitter":0.0,"min_reset_interval":"0s",)"
            R"("half_open_max_calls":1,"success_threshold":2,"call_timeout":"0s","state_history":1000})");
}

TEST(json_text, refuses_a_key_that_stands_twice) {
  const auto result = configured(R"({"window": 1, "jitter": 0, "window": 2})");
  ASSERT_EQ(result.problems.size(), 1U);
  EXPECT_THAT(result.problems[0].message, HasSubstr("\"window\" stands twice"));
  EXPECT_TRUE(sg::parse_json(R"([{"a":{"a":1}},{"a":1}])").value) << "other objects may have the same key";
  EXPECT_FALSE(sg::parse_json(R"([{"b":{"a":1,"a":1}}])").value);
}

TEST(json_text, has_bounds) {
  EXPECT_FALSE(sg::parse_json(std::string(100'000, '[')).value);
  EXPECT_TRUE(sg::parse_json("[[[[1]]]]", "", {.depth = 4}).value);
  EXPECT_FALSE(sg::parse_json("[[[[1]]]]", "", {.depth = 3}).value);
  EXPECT_FALSE(sg::parse_json(std::string((1U << 20) + 1, ' ')).value);
  std::string many = "{";
  for (int i = 0; i < 1001; ++i) many += "\"" + std::to_string(i) + "\":0,";
  many.back() = '}';
  EXPECT_THAT(sg::parse_json(many).problems.at(0).message, HasSubstr("more than 1000 keys"));
}

TEST(json_text, that_is_broken_is_a_problem_with_line_and_column) {
  const auto document = sg::parse_json("{\n  \"a\": }", "x.json");
  EXPECT_FALSE(document.value);
  ASSERT_EQ(document.problems.size(), 1U);
  EXPECT_EQ(document.problems[0].key, "x.json");
  EXPECT_THAT(document.problems[0].message, HasSubstr("line 2, column 8"));
  for (const char* bad :
       {"", "{", "{\"a\":1} x", "{\"a\":01}", "{\"a\":NaN}", "{\"a\":1e999}", "\"\xff\"", "{'a':1}", "// c\n{}"}) {
    EXPECT_EQ(sg::parse_json(bad).problems.size(), 1U) << bad;
  }
}

}  // namespace
