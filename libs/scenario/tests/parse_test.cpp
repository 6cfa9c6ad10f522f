// SPDX-License-Identifier: Apache-2.0
#include "support.hpp"

#include <gmock/gmock.h>

namespace switchgear::testing_scenario {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;

TEST(scenario_file, has_a_name_and_steps_and_perhaps_more) {
  EXPECT_EQ(outcome_of(R"({"scenario": "s", "steps": []})"), "passed");
  EXPECT_EQ(outcome_of(R"({"scenario": "s", "about": "why", "config": {}, "steps": []})"), "passed");
  EXPECT_EQ(outcome_of(R"({"steps": []})"), "refused 0: the key \"scenario\" is missing");
  EXPECT_EQ(outcome_of(R"({"scenario": "s"})"), "refused 0: the key \"steps\" is missing");
  EXPECT_EQ(outcome_of(R"({"scenario": "", "steps": []})"), "refused 0: scenario has to be a name, not empty text");
  EXPECT_EQ(outcome_of(R"({"scenario": 1, "steps": []})"), "refused 0: scenario has to be text");
  EXPECT_EQ(outcome_of(R"({"scenario": "s", "about": 1, "steps": []})"), "refused 0: about has to be text");
  EXPECT_EQ(outcome_of(R"({"scenario": "s", "steps": {}})"), "refused 0: steps has to be a list of objects");
  EXPECT_EQ(outcome_of(R"({"scenario": "s", "config": [], "steps": []})"),
            "refused 0: config has to be an object of keys and values");
  EXPECT_EQ(outcome_of(R"({"scenario": "s", "step": [], "steps": []})"),
            "refused 0: unknown key \"step\"; the nearest known is steps");
}

TEST(scenario_file, has_to_be_json) {
  for (const char* text : {"", "{", "[]", "1", "null", "{} {}", "{\"scenario\": \"s\", \"steps\": [],}", "// no\n{}",
                           "\xff\xfe", "{\"scenario\": \"a\", \"scenario\": \"b\", \"steps\": []}"}) {
    EXPECT_THAT(outcome_of(text), StartsWith("refused 0: ")) << text;
  }
  EXPECT_THAT(steps_give(R"({"acquire": "a", "acquire": "b"})"), AllOf(StartsWith("refused 0: "), HasSubstr("twice")));
  EXPECT_THAT(outcome_of(std::string(100'000, '[')), StartsWith("refused 0: "));
}

TEST(scenario_file, has_a_valid_config_unless_it_says_otherwise) {
  EXPECT_THAT(steps_give("", R"({"jitter": 2})"), StartsWith("refused 0: invalid config: jitter = 2"));
  EXPECT_THAT(steps_give("", R"({"failure_treshold": 2})"), HasSubstr("the nearest known name is failure_threshold"));
  EXPECT_THAT(steps_give(R"({"invalid": ["jitter"]}, {"advance": 1})"),
              StartsWith("refused 1: \"invalid\" has to be the only step"));
  EXPECT_THAT(steps_give(R"({"repeat": 1, "steps": [{"invalid": ["jitter"]}]})"),
              StartsWith("refused 1.1: \"invalid\""));
  EXPECT_EQ(steps_give(R"({"invalid": ["jitter"], "times": 1})"), "refused 1: \"invalid\" takes no other key");
  EXPECT_EQ(steps_give(R"({"invalid": "jitter"})"), "refused 1: invalid has to be a list of keys");
  EXPECT_EQ(steps_give(R"({"invalid": [1]})"), "refused 1: invalid has to be a list of keys, each of them text");
}

TEST(scenario_step, is_an_object_with_one_verb) {
  EXPECT_THAT(steps_give("1"), StartsWith("refused 1: a step has to be an object"));
  EXPECT_EQ(steps_give("{}"), "refused 1: an empty step");
  EXPECT_EQ(steps_give(R"({"advance": 1}, {"sucess": "a"})"),
            "refused 2: unknown verb \"sucess\"; the nearest known is success");
  EXPECT_EQ(steps_give(R"({"advance": 1, "trip": "x"})"), "refused 1: two verbs in one step: \"advance\" and \"trip\"");
  EXPECT_EQ(steps_give(R"({"advance": 1, "expect": {}})"),
            "refused 1: two verbs in one step: \"advance\" and \"expect\"");
  EXPECT_EQ(steps_give(R"({"call": "success", "time": 3})"),
            "refused 1: unknown key \"time\"; the nearest known is times (verb call)");
  EXPECT_EQ(steps_give(R"({"expect": {}, "times": 3})"),
            "refused 1: unknown key \"times\"; the nearest known is expect (verb expect)");
  EXPECT_EQ(steps_give(R"({"steps": []})"), "refused 1: unknown verb \"steps\"; the nearest known is success");
}

struct wrong_value {
  const char* step;
  const char* why;
};

class scenario_value : public ::testing::TestWithParam<wrong_value> {};

TEST_P(scenario_value, of_the_wrong_type_is_refused) {
  EXPECT_THAT(steps_give(GetParam().step), StartsWith(std::string("refused 1: ") + GetParam().why));
}

INSTANTIATE_TEST_SUITE_P(
    each, scenario_value,
    ::testing::Values(
        wrong_value{R"({"advance": true})", "advance has to be a duration"},
        wrong_value{R"({"advance": null})", "advance has to be a duration"},
        wrong_value{R"({"advance": -1})", "advance = -1: a duration cannot be negative"},
        wrong_value{R"({"advance": "-1s"})", "advance = \"-1s\": a duration cannot be negative"},
        wrong_value{R"({"advance": "1 s"})", "advance = \"1 s\": cannot be read as a duration"},
        wrong_value{R"({"advance": "0.1ns"})", "advance = \"0.1ns\": finer than a nanosecond"},
        wrong_value{R"({"acquire": 1})", "acquire has to be a name or a list of names, not 1"},
        wrong_value{R"({"acquire": []})", "acquire has to be a name or a list of names, not an empty list"},
        wrong_value{R"({"acquire": ["a", 1]})", "acquire has to be a list of names, each of them text, not 1"},
        wrong_value{R"({"acquire": "a", "expect": "maybe"})",
                    "expect = \"maybe\": has to be one of admitted, rejected"},
        wrong_value{R"({"acquire": "a", "expect": {}})", "expect has to be text"},
        wrong_value{R"({"acquire": "a", "reason": "open"})", "\"reason\" belongs to \"expect\": \"rejected\" alone"},
        wrong_value{R"({"acquire": "a", "retry_after": 1})",
                    "\"retry_after\" belongs to \"expect\": \"rejected\" alone"},
        wrong_value{R"({"acquire": "a", "expect": "rejected", "reason": "full"})",
                    "reason = \"full\": has to be one of open"},
        wrong_value{R"({"acquire": "a", "expect": "rejected", "retry_after": []})", "retry_after has to be a duration"},
        wrong_value{R"({"success": {}})", "success has to be a name"},
        wrong_value{R"({"call": "abandon"})", "call = \"abandon\": has to be one of success, failure, timeout, ignore"},
        wrong_value{R"({"call": 1})", "call has to be text"},
        wrong_value{R"({"call": "success", "times": -1})", "times cannot be negative"},
        wrong_value{R"({"call": "success", "times": 1.5})", "times has to be a whole number, not 1.5"},
        wrong_value{R"({"call": "success", "times": "1"})", "times has to be a whole number, not \"1\""},
        wrong_value{R"({"call": "success", "took": []})", "took has to be a duration"},
        wrong_value{R"({"expect": 1})", "expect has to be an object"},
        wrong_value{R"({"expect": {"stat": "open"}})", "unknown key \"stat\"; the nearest known is state"},
        wrong_value{R"({"expect": {"metrics.failure": 1}})",
                    "unknown key \"metrics.failure\"; the nearest known is metrics.failure"},
        wrong_value{R"({"expect": {"state": "ajar"}})", "state = \"ajar\": has to be one of closed"},
        wrong_value{R"({"expect": {"generation": "0"}})", "generation has to be a whole number"},
        wrong_value{R"({"expect": {"generation": -1}})", "generation cannot be negative"},
        wrong_value{R"({"expect": {"window.calls": null}})", "window.calls has to be a whole number, not null"},
        wrong_value{R"({"expect": {"metrics.failure_rate": "0.5"}})", "metrics.failure_rate has to be a number"},
        wrong_value{R"({"expect": {"retry_after": true}})", "retry_after has to be a duration"},
        wrong_value{R"({"transitions": "closed>open"})", "transitions has to be a list"},
        wrong_value{R"({"transitions": [1]})", "transitions has to be text"},
        wrong_value{R"({"transitions": ["closed"]})", "transitions: \"closed\" has to be two states"},
        wrong_value{R"({"transitions": ["closed>ajar"]})", "transitions: \"closed>ajar\" has to be two states"},
        wrong_value{R"({"transitions": ["closed>open>closed"]})",
                    "transitions: \"closed>open>closed\" has to be two states"},
        wrong_value{R"({"trip": true})", "trip has to be text"},
        wrong_value{R"({"force_open": 1})", "force_open has to be text"},
        wrong_value{R"({"force_open": "x", "owner": 1})", "owner has to be text"},
        wrong_value{R"({"disable": "x", "ttl": null})", "ttl has to be a duration"},
        wrong_value{R"({"disable": "x", "reason": "y"})", "unknown key \"reason\""},
        wrong_value{R"({"release": false})", "release has to be true"},
        wrong_value{R"({"reset": 1})", "reset has to be true"},
        wrong_value{R"({"reset_metrics": "yes"})", "reset_metrics has to be true"},
        wrong_value{R"({"reconfigure": []})", "reconfigure has to be an object"},
        wrong_value{R"({"reconfigure": {}, "expect": "accepted"})", "expect = \"accepted\": has to be one of refused"},
        wrong_value{R"({"reconfigure": {"failure_treshold": 1}})",
                    "reconfigure: failure_treshold = 1: unknown; the nearest"},
        wrong_value{R"({"reconfigure": {"timeout_seconds": 1}})",
                    "reconfigure: timeout_seconds = 1: means different things"},
        wrong_value{R"({"reconfigure": {"jitter": "1"}})", "reconfigure: jitter = 1: has to be a number"},
        wrong_value{R"({"reconfigure": {"open_duration": 1, "recovery_timeout": 1}})",
                    "reconfigure: recovery_timeout = 1: another name"},
        wrong_value{R"({"repeat": "2", "steps": []})", "repeat has to be a whole number"},
        wrong_value{R"({"repeat": 2})", "the key \"steps\" is missing"},
        wrong_value{R"({"repeat": 2, "steps": {}})", "steps has to be a list of objects"}));

TEST(scenario_names, stand_for_permits_that_exist) {
  EXPECT_EQ(steps_give(R"({"acquire": "a"}, {"success": "b"})"),
            "refused 2: unknown permit \"b\": no step before acquired it");
  EXPECT_EQ(steps_give(R"({"trip": "x"}, {"acquire": "a", "expect": "rejected"}, {"success": "a"})"),
            "refused 3: unknown permit \"a\": no step before acquired it");
  EXPECT_EQ(steps_give(R"({"repeat": 0, "steps": [{"acquire": "a"}]}, {"success": "a"})"),
            "refused 2: unknown permit \"a\": no step before acquired it");
  EXPECT_EQ(steps_give(R"({"repeat": 2, "steps": [{"acquire": "a"}, {"success": "a"}]}, {"success": "a"})"), "passed");
}

TEST(scenario_names, are_free_again_once_settled) {
  EXPECT_EQ(steps_give(R"({"acquire": "a"}, {"success": "a"}, {"acquire": "a"}, {"abandon": "a"}, {"acquire": "a"})"),
            "passed");
  const std::string again = "the name \"a\" is used again before its permit is settled";
  EXPECT_EQ(steps_give(R"({"acquire": "a"}, {"acquire": "a"})"), "refused 2: " + again);
  EXPECT_EQ(steps_give(R"({"acquire": ["a", "a"]})"), "refused 1: " + again);
  EXPECT_EQ(steps_give(R"({"acquire": "a"}, {"trip": "x"}, {"acquire": "a", "expect": "rejected"})"),
            "refused 3: " + again);
  EXPECT_EQ(
      steps_give(R"({"acquire": "a"}, {"advance": 1}, {"success": "a"}, {"repeat": 2, "steps": [{"acquire": "a"}]})"),
      "refused 4.1: " + again);
  EXPECT_EQ(steps_give(R"({"repeat": 2, "steps": [{"repeat": 1, "steps": [{"acquire": "a"}]}]})"),
            "refused 1.1.1: " + again);
}

TEST(scenario_file, that_is_wrong_is_found_out_before_it_runs) {
  EXPECT_THAT(steps_give(R"({"expect": {"state": "open"}}, {"success": "nobody"})"), StartsWith("refused 2: "));
}

}  // namespace
}  // namespace switchgear::testing_scenario
