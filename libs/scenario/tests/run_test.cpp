// SPDX-License-Identifier: Apache-2.0
#include "support.hpp"

#include <gmock/gmock.h>

namespace switchgear::testing_scenario {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

TEST(scenario_run, advance_moves_the_clock_that_nothing_else_moves) {
  EXPECT_EQ(steps_give(R"({"call": "failure", "times": 2}, {"advance": "30s"}, {"expect": {"retry_after": "30s"}})"),
            "passed");
  EXPECT_EQ(steps_give(R"({"call": "failure", "times": 2}, {"advance": "30s"}, {"expect": {"retry_after": "31s"}})"),
            "failed 3: expected retry_after 31s, seen 30s");
}

TEST(scenario_run, acquire_tells_who_was_rejected_and_why) {
  EXPECT_EQ(steps_give(R"({"trip": "x"}, {"acquire": "a"})"),
            "failed 2: expected \"a\" admitted, seen a rejection (open, retry_after 1m)");
  EXPECT_EQ(steps_give(R"({"acquire": ["a", "b"], "expect": "rejected"})"),
            "failed 1: expected \"a\" rejected, seen it admitted");
  EXPECT_EQ(steps_give(R"({"trip": "x"}, {"acquire": "a", "expect": "rejected", "reason": "forced_open"})"),
            "failed 2: expected reason forced_open, seen open");
  EXPECT_EQ(steps_give(R"({"trip": "x"}, {"acquire": "a", "expect": "rejected", "retry_after": null})"),
            "failed 2: expected retry_after null, seen 1m");
  EXPECT_EQ(steps_give(
                R"({"trip": "x"}, {"acquire": ["a", "b"], "expect": "rejected", "reason": "open", "retry_after": 60})"),
            "passed");
  EXPECT_EQ(steps_give(R"({"acquire": ["a", "b"], "expect": "admitted"})"), "passed");
}

TEST(scenario_run, every_verdict_settles) {
  EXPECT_EQ(steps_give(R"({"acquire": ["a", "b", "c", "d", "e"]}, {"success": "a"}, {"ignore": "b"}, {"abandon": "c"},
                          {"failure": "d"}, {"timeout": "e"},
                          {"expect": {"state": "open", "metrics.successes": 1, "metrics.ignored": 1,
                                      "metrics.abandoned": 1,
                                      "metrics.failures": 2, "metrics.timeouts": 1, "metrics.total_calls": 5}})"),
            "passed");
}

TEST(scenario_run, a_second_verdict_does_nothing) {
  EXPECT_EQ(
      steps_give(
          R"({"acquire": "a"}, {"success": "a"}, {"failure": ["a", "a"]}, {"expect": {"metrics.total_calls": 1}})"),
      "passed");
}

TEST(scenario_run, a_verdict_measures_the_time_since_acquire) {
  EXPECT_EQ(
      steps_give(R"({"acquire": "a"}, {"advance": "2s"}, {"success": "a"}, {"expect": {"metrics.slow_calls": 1}})",
                 R"({"slow_call_duration": "2s"})"),
      "passed");
}

TEST(scenario_run, call_advances_by_what_it_took_each_time) {
  EXPECT_EQ(steps_give(R"({"trip": "x"}, {"advance": "60s"}, {"call": "success", "took": "1s"}, {"call": "failure"},
                          {"call": "success", "took": "5s", "times": 3, "expect": "rejected"},
                          {"expect": {"retry_after": "60s"}})"),
            "passed");
  EXPECT_EQ(steps_give(R"({"call": "failure", "times": 5})"),
            "failed 1: expected call 3 of 5 admitted, seen a rejection (open, retry_after 1m)");
  EXPECT_EQ(steps_give(R"({"call": "failure", "expect": "rejected"})"),
            "failed 1: expected the call rejected, seen it admitted");
  EXPECT_EQ(steps_give(R"({"call": "failure", "times": 0}, {"expect": {"metrics.failures": 0}})"), "passed");
}

TEST(scenario_run, expect_names_the_fact_that_differs) {
  EXPECT_EQ(steps_give(R"({"expect": {"state": "open"}})"), "failed 1: expected state open, seen closed");
  EXPECT_EQ(steps_give(R"({"call": "failure"}, {"expect": {"state": "closed", "metrics.failures": 2}})"),
            "failed 2: expected metrics.failures 2, seen 1");
  EXPECT_EQ(steps_give(R"({"expect": {"retry_after": 0}})"), "failed 1: expected retry_after 0s, seen null");
}

TEST(scenario_run, rates_compare_within_a_billionth) {
  const auto rate = [](const char* value) {
    return steps_give(
        std::string(R"({"call": "failure"}, {"call": "success", "times": 2}, {"expect": {"metrics.failure_rate": )") +
        value + "}}");
  };
  EXPECT_EQ(rate("0.333333333"), "passed");
  EXPECT_THAT(rate("0.33333333"),
              StartsWith("failed 3: expected metrics.failure_rate 0.33333333, seen 0.3333333333333333"));
}

TEST(scenario_run, a_duration_may_be_text_or_seconds_or_null) {
  EXPECT_EQ(steps_give(R"({"expect": {"retry_after": null}}, {"trip": "x"}, {"expect": {"retry_after": "1m"}},
                          {"expect": {"retry_after": 60}}, {"expect": {"retry_after": 60.0}}, {"advance": 0.1},
                          {"expect": {"retry_after": "59900ms"}})"),
            "passed");
}

TEST(scenario_run, transitions_are_all_since_the_start_whatever_was_reset) {
  EXPECT_EQ(steps_give(R"({"transitions": []}, {"reset": true}, {"transitions": []}, {"trip": "x"}, {"reset": true},
                          {"reset_metrics": true}, {"transitions": ["closed>open", "open>closed"]})"),
            "passed");
  EXPECT_EQ(steps_give(R"({"trip": "x"}, {"transitions": ["closed>open", "open>half_open"]})"),
            "failed 2: expected transitions [closed>open, open>half_open], seen [closed>open]");
}

TEST(scenario_run, operators_act) {
  EXPECT_EQ(steps_give(R"({"force_open": "why", "owner": "ana", "ttl": "5s"}, {"expect": {"state": "forced_open"}},
                          {"advance": "5s"}, {"expect": {"state": "closed"}}, {"disable": "why"},
                          {"expect": {"state": "disabled"}},
                          {"release": true}, {"expect": {"state": "closed"}})"),
            "passed");
}

TEST(scenario_run, reconfigure_has_to_be_accepted_or_refused_as_expected) {
  EXPECT_EQ(
      steps_give(R"({"reconfigure": {"failure_threshold": 1}}, {"call": "failure"}, {"expect": {"state": "open"}})"),
      "passed");
  EXPECT_EQ(steps_give(R"({"reconfigure": {"jitter": 2}, "expect": "refused"})"), "passed");
  EXPECT_EQ(steps_give(R"({"reconfigure": {"no_such_key": 2}, "expect": "refused"})"), "passed");
  EXPECT_EQ(steps_give(R"({"reconfigure": {"jitter": 0.5}, "expect": "refused"})"),
            "failed 1: expected the reconfiguration refused, seen it accepted");
  EXPECT_THAT(steps_give(R"({"reconfigure": {"jitter": 2}})"),
              StartsWith("failed 1: expected the reconfiguration accepted, seen it refused: jitter = "));
}

TEST(scenario_run, repeat_runs_its_steps_and_counts_them_as_nested) {
  EXPECT_EQ(steps_give(R"({"repeat": 3, "steps": [{"call": "ignore"}, {"repeat": 2, "steps": [{"call": "ignore"}]}]},
                          {"expect": {"metrics.ignored": 9}})"),
            "passed");
  EXPECT_EQ(
      steps_give(R"({"advance": 1}, {"repeat": 3, "steps": [{"call": "ignore"}, {"expect": {"metrics.ignored": 1}}]})"),
      "failed 2.2: expected metrics.ignored 1, seen 2");
  EXPECT_EQ(steps_give(R"({"repeat": 0, "steps": [{"trip": "x"}]}, {"transitions": []})"), "passed");
}

TEST(scenario_run, invalid_wants_exactly_these_keys) {
  const std::string config = R"({"jitter": 2, "open_duration": "later", "unheard_of": 1})";
  EXPECT_EQ(steps_give(R"({"invalid": ["unheard_of", "jitter", "open_duration", "jitter"]})", config), "passed");
  EXPECT_EQ(steps_give(R"({"invalid": ["jitter"]})", config),
            "failed 1: expected problems of [jitter], seen problems of [jitter, open_duration, unheard_of]");
  EXPECT_EQ(steps_give(R"({"invalid": ["jitter"]})"),
            "failed 1: expected problems of [jitter], seen a valid configuration");
  EXPECT_EQ(steps_give(R"({"invalid": []})"), "failed 1: expected problems of [], seen a valid configuration");
}

TEST(scenario_run, with_jitter_a_stated_time_is_the_lower_bound) {
  const std::string config = R"({"failure_threshold": 1, "open_duration": "10s", "jitter": 0.5})";
  EXPECT_EQ(steps_give(R"({"call": "failure"}, {"expect": {"retry_after": "10s"}}, {"advance": "4s"},
                          {"acquire": "a", "expect": "rejected", "reason": "open", "retry_after": "6s"})",
                       config),
            "passed");
  EXPECT_THAT(steps_give(R"({"call": "failure"}, {"expect": {"retry_after": "16s"}})", config),
              HasSubstr("expected retry_after 16s, seen 1"));
  EXPECT_THAT(steps_give(R"({"call": "failure"}, {"expect": {"retry_after": "4s"}})", config),
              HasSubstr("expected retry_after 4s, seen 1"));
}

TEST(scenario_run, stops_at_the_first_failure) {
  EXPECT_EQ(steps_give(R"({"expect": {"generation": 1}}, {"expect": {"generation": 2}})"),
            "failed 1: expected generation 1, seen 0");
}

TEST(scenario_run, gives_the_same_outcome_every_time) {
  const std::string text = scenario_text(R"({"call": "failure"}, {"expect": {"retry_after": null}})",
                                         R"({"failure_threshold": 1, "jitter": 1})");
  EXPECT_EQ(outcome_of(text), outcome_of(text));
}

}  // namespace
}  // namespace switchgear::testing_scenario
