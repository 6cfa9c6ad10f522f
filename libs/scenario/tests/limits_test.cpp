// SPDX-License-Identifier: Apache-2.0
#include "support.hpp"

#include <gmock/gmock.h>

namespace switchgear::testing_scenario {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

TEST(scenario_limits, refuse_more_steps_than_ten_million) {
  const std::string why = "more than 10000000 machine steps in all; repeat less";
  EXPECT_EQ(steps_give(R"({"advance": 1}, {"call": "success", "times": 10000001})"), "refused 2: " + why);
  EXPECT_EQ(steps_give(R"({"repeat": 18446744073709551615, "steps": []})"), "refused 1: " + why);
  EXPECT_EQ(steps_give(R"({"repeat": 10000, "steps": [{"repeat": 10000, "steps": [{"advance": 0}]}]})"),
            "refused 1: " + why);
  EXPECT_EQ(steps_give(R"({"repeat": 4294967296, "steps": [{"call": "success", "times": 4294967296}]})"),
            "refused 1.1: " + why);
  EXPECT_EQ(steps_give(R"({"repeat": 20000, "steps": [{"reconfigure": {"window": 9}}]})"), "refused 1: " + why);
}

TEST(scenario_limits, a_count_that_no_integer_holds_is_no_count) {
  EXPECT_THAT(steps_give(R"({"repeat": 18446744073709551616, "steps": []})"),
              StartsWith("refused 1: repeat has to be a whole"));
}

TEST(scenario_limits, allow_a_million_steps) {
  EXPECT_EQ(
      steps_give(
          R"({"repeat": 1000, "steps": [{"call": "success", "times": 1000}]},
                             {"expect": {"metrics.successes": 1000000}})"),
      "passed");
}

TEST(scenario_limits, refuse_a_clock_that_runs_out) {
  EXPECT_THAT(steps_give(R"({"advance": "150000h"}, {"advance": "150000h"})"),
              StartsWith("refused 2: the clock would run past"));
  EXPECT_THAT(steps_give(R"({"repeat": 1000000, "steps": [{"advance": "24h"}]})"), StartsWith("refused 1: the clock"));
  EXPECT_THAT(steps_give(R"({"call": "success", "took": "24h", "times": 1000000})"),
              StartsWith("refused 1: the clock"));
  EXPECT_EQ(steps_give(R"({"advance": "150000h"})"), "passed");
}

TEST(scenario_limits, may_be_tighter) {
  EXPECT_THAT(outcome_of(scenario_text(R"({"call": "success", "times": 100})"), {.steps = 50}),
              HasSubstr("more than 50"));
  EXPECT_EQ(outcome_of(scenario_text(R"({"call": "success", "times": 40})"), {.steps = 50}), "passed");
}

TEST(scenario_limits, many_names_do_not_slow_it_down) {
  std::string steps;
  for (int i = 0; i < 20'000; ++i)
    steps += (i == 0 ? "" : ",") + std::string(R"({"acquire": "n)") + std::to_string(i) + "\"}";
  EXPECT_EQ(steps_give(steps), "passed");
}

/// Every prefix of a scenario and every scenario with one byte changed is either run or refused, and never more.
TEST(scenario_limits, any_text_is_safe) {
  const std::string text = scenario_text(
      R"({"acquire": ["a", "b"]}, {"repeat": 2, "steps": [{"call": "failure", "took": "1s"}]}, {"success": "a"},
         {"expect": {"state": "open", "retry_after": "60s"}}, {"reconfigure": {"window": "10s"}},
         {"transitions": ["closed>open"]})");
  const scenario::limits most{.steps = 3'000};
  ASSERT_EQ(outcome_of(text, most), "passed");
  std::size_t refused = 0;
  for (std::size_t n = 0; n < text.size(); ++n) {
    refused += outcome_of(text.substr(0, n), most).starts_with("refused") ? 1 : 0;
  }
  EXPECT_EQ(refused, text.size());
  for (std::size_t n = 0; n < text.size(); ++n) {
    for (const char c : {'\0', '"', '9', '}', '-', '\xff', 'e'}) {
      std::string changed = text;
      changed[n] = c;
      const scenario::outcome o = scenario::run_text(changed, most);
      EXPECT_EQ(o.result == scenario::result::passed, o.step.empty()) << changed;
      EXPECT_EQ(o.result == scenario::result::passed, o.text.empty()) << changed;
      EXPECT_EQ(o.text.find_first_of("\r\n"), std::string::npos) << changed;
    }
  }
}

}  // namespace
}  // namespace switchgear::testing_scenario
