// SPDX-License-Identifier: Apache-2.0
#include "switchgear/config/environment.hpp"

#include "switchgear/config/keys.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace {

namespace sg = switchgear;
using namespace std::chrono_literals;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

sg::config_result configured(const sg::variables& process, std::string_view dotenv = "",
                             std::string_view prefix = sg::default_prefix, const sg::config& base = {}) {
  const auto file = sg::parse_dotenv(dotenv);
  EXPECT_THAT(file.problems, IsEmpty());
  const auto environment = sg::from_environment(prefix, process, file.file);
  EXPECT_THAT(environment.problems, IsEmpty());
  return sg::apply(environment.patch, base);
}

std::vector<std::string> keys_of(const sg::config_result& result) {
  std::vector<std::string> keys;
  for (const auto& p : result.problems) keys.push_back(p.key);
  return keys;
}

TEST(environment, sets_one_key_with_each_variable) {
  const auto result = configured({{"SWITCHGEAR_CB_FAILURE_THRESHOLD", "3"},
                                  {"SWITCHGEAR_CB_OPEN_DURATION", "1.5m"},
                                  {"SWITCHGEAR_CB_WINDOW", "60s"},
                                  {"SWITCHGEAR_CB_JITTER", "0.25"},
                                  {"SWITCHGEAR_CB_CALL_TIMEOUT", "10"},
                                  {"PATH", "/bin"}});
  EXPECT_THAT(result.problems, IsEmpty());
  EXPECT_EQ(
      result.value,
      (sg::config{
          .failure_threshold = 3, .window = sg::last(60s), .open_duration = 90s, .jitter = 0.25, .call_timeout = 10s}));
}

TEST(environment, has_a_variable_for_every_key_and_every_alias) {
  for (const auto& info : sg::config_keys()) {
    const std::string good = info.kind == sg::value_kind::boolean ? "true" : "1";
    for (const std::string_view key : {info.key, info.alias}) {
      if (key.empty()) continue;
      const auto patch = sg::from_environment("X", {{sg::variable_name("X", key), good}}).patch;
      sg::config c;
      ASSERT_EQ(patch.entries.size(), 1U) << key;
      EXPECT_EQ(info.assign(c, patch.entries[0].value), "") << key;
      EXPECT_EQ(sg::find_key(patch.entries[0].key).info, &info);
    }
  }
}

TEST(environment, reads_the_settings_of_the_source_system) {
  const auto result = configured({{"BINDU_CB_ENABLED", "True"},
                                  {"BINDU_CB_FAILURE_THRESHOLD", "4"},
                                  {"BINDU_CB_RECOVERY_TIMEOUT", "30.0"},
                                  {"BINDU_CB_SUCCESS_THRESHOLD", "1"}},
                                 "", "BINDU_CB", sg::presets::bindu());
  EXPECT_THAT(result.problems, IsEmpty());
  EXPECT_TRUE(result.value.enabled);
  EXPECT_EQ(result.value.failure_threshold, 4);
  EXPECT_EQ(result.value.open_duration, 30s);
}

TEST(environment, knows_many_words_for_true_and_false) {
  for (const char* yes : {"true", "TRUE", "1", "yes", "On"}) {
    EXPECT_TRUE(configured({{"SWITCHGEAR_CB_SHADOW", yes}}).value.shadow) << yes;
  }
  for (const char* no : {"false", "False", "0", "NO", "off"}) {
    const auto result = configured({{"SWITCHGEAR_CB_ENABLED", no}});
    EXPECT_THAT(result.problems, IsEmpty());
    EXPECT_FALSE(result.value.enabled) << no;
  }
  EXPECT_THAT(keys_of(configured({{"SWITCHGEAR_CB_ENABLED", "maybe"}})), ElementsAre("SWITCHGEAR_CB_ENABLED"));
}

TEST(environment, in_window_a_plain_number_is_calls) {
  EXPECT_EQ(configured({{"SWITCHGEAR_CB_WINDOW", "60"}}).value.window, sg::calls(60));
}

TEST(environment, refuses_an_empty_value) {
  for (const auto& info : sg::config_keys()) {
    const auto result = configured({{sg::variable_name(sg::default_prefix, info.key), ""}});
    EXPECT_THAT(keys_of(result), ElementsAre(sg::variable_name(sg::default_prefix, info.key)));
  }
}

TEST(environment, refuses_an_unknown_variable_and_names_the_nearest) {
  const auto result = configured({{"SWITCHGEAR_CB_FAILURE_TRESHOLD", "hunter2"}});
  ASSERT_EQ(result.problems.size(), 1U);
  EXPECT_EQ(
      to_string(result.problems[0]),
      "SWITCHGEAR_CB_FAILURE_TRESHOLD: unknown; the nearest known name is SWITCHGEAR_CB_FAILURE_THRESHOLD, in the "
      "environment");
}

TEST(environment, refuses_a_variable_in_lower_case_and_one_without_a_key) {
  const auto result =
      configured({{"SWITCHGEAR_CB_window", "5"}, {"SWITCHGEAR_CB_", "5"}, {"SWITCHGEAR_CB_Windo", "5"}});
  EXPECT_THAT(keys_of(result), ElementsAre("SWITCHGEAR_CB_", "SWITCHGEAR_CB_Windo", "SWITCHGEAR_CB_window"));
  EXPECT_THAT(result.problems[1].message, HasSubstr("SWITCHGEAR_CB_WINDOW"));
  EXPECT_THAT(result.problems[2].message, HasSubstr("SWITCHGEAR_CB_WINDOW"));
  EXPECT_EQ(result.value, sg::config{});
}

TEST(environment, names_both_candidates_as_variables) {
  const auto result = configured({{"SWITCHGEAR_CB_TIMEOUT_SECONDS", "5"}});
  ASSERT_EQ(result.problems.size(), 1U);
  EXPECT_THAT(result.problems[0].message,
              AllOf(HasSubstr("SWITCHGEAR_CB_OPEN_DURATION"), HasSubstr("SWITCHGEAR_CB_CALL_TIMEOUT")));
}

TEST(environment, refuses_a_key_together_with_its_alias) {
  EXPECT_THAT(keys_of(configured({{"SWITCHGEAR_CB_OPEN_DURATION", "5"}, {"SWITCHGEAR_CB_RECOVERY_TIMEOUT", "5"}})),
              ElementsAre("SWITCHGEAR_CB_RECOVERY_TIMEOUT"));
}

TEST(environment, shows_no_secret) {
  const std::string secret = "hunter2";
  const auto result = configured({{"SWITCHGEAR_CB_PASSWORD", secret},
                                  {"SWITCHGEAR_CB_TIMEOUT_SECONDS", secret},
                                  {"SWITCHGEAR_CB_OPEN_DURATION", secret},
                                  {"SWITCHGEAR_CB_RECOVERY_TIMEOUT", secret},
                                  {"SWITCHGEAR_CB_WINDOW", secret},
                                  {"SWITCHGEAR_CB_FAILURE_THRESHOLD", secret},
                                  {"SWITCHGEAR_CB_JITTER", secret},
                                  {"SWITCHGEAR_CB_ENABLED", secret}},
                                 "SWITCHGEAR_CB_SHADOW=hunter2\nSWITCHGEAR_CB_X=hunter2\n");
  EXPECT_EQ(result.problems.size(), 10U);
  EXPECT_THAT(sg::describe(result.problems), Not(HasSubstr(secret)));
}

TEST(environment, shows_a_value_that_could_be_read_with_its_range) {
  const auto result = configured({{"SWITCHGEAR_CB_OPEN_DURATION", "48h"}});
  ASSERT_EQ(result.problems.size(), 1U);
  EXPECT_EQ(to_string(result.problems[0]),
            "SWITCHGEAR_CB_OPEN_DURATION = 48h: out of range, in the environment (allowed: 0s … 24h)");
}

TEST(environment, leaves_alone_what_only_looks_like_its_prefix) {
  const auto result = configured({{"SWITCHGEAR_CBX_WINDOW", "junk"},
                                  {"SWITCHGEAR_CB", "junk"},
                                  {"SWITCHGEAR_STATE_DIR", "/x"},
                                  {"MY_SWITCHGEAR_CB_WINDOW", "junk"}});
  EXPECT_THAT(result.problems, IsEmpty());
  EXPECT_EQ(result.value, sg::config{});
}

TEST(environment, refuses_a_prefix_that_can_be_none) {
  for (const char* bad : {"", "1X", "X_", "X-Y", "X=", "Ü"}) {
    const auto result = sg::from_environment(bad, {});
    ASSERT_EQ(result.problems.size(), 1U) << bad;
    EXPECT_EQ(result.problems[0].key, "prefix");
  }
}

TEST(environment, wins_over_the_dotenv_file) {
  const auto result = configured({{"SWITCHGEAR_CB_WINDOW", "7"}},
                                 "SWITCHGEAR_CB_WINDOW=8\nSWITCHGEAR_CB_JITTER=0.5\nDATABASE_PASSWORD=x\n");
  EXPECT_THAT(result.problems, IsEmpty());
  EXPECT_EQ(result.value, (sg::config{.window = sg::calls(7), .jitter = 0.5}));
}

TEST(environment, wins_over_the_dotenv_file_under_either_name_of_a_key) {
  const auto result = configured({{"SWITCHGEAR_CB_RECOVERY_TIMEOUT", "7"}}, "SWITCHGEAR_CB_OPEN_DURATION=8\n");
  EXPECT_THAT(result.problems, IsEmpty());
  EXPECT_EQ(result.value.open_duration, 7s);
}

TEST(environment, refuses_bad_lines_of_the_dotenv_file_with_file_and_line) {
  const auto result = configured({},
                                 "# settings\nSWITCHGEAR_CB_WINDOW=\nSWITCHGEAR_CB_JITER=1\nSWITCHGEAR_CB_JITTER=2\n"
                                 "SWITCHGEAR_CB_SHADOW=1\nSWITCHGEAR_CB_SHADOW=0\n");
  EXPECT_THAT(keys_of(result), ElementsAre("SWITCHGEAR_CB_WINDOW", "SWITCHGEAR_CB_JITER", "SWITCHGEAR_CB_SHADOW",
                                           "SWITCHGEAR_CB_JITTER"));
  const std::string text = sg::describe(result.problems);
  for (const char* where : {".env:2", ".env:3", ".env:4", ".env:5", ".env:6"}) EXPECT_THAT(text, HasSubstr(where));
}

TEST(process_environment, is_read_as_the_system_hands_it_over) {
  const char* environment[] = {"A=1", "B=x=y", "A=2", "C=", "nonsense", nullptr};
  EXPECT_EQ(sg::read_environment(environment), (sg::variables{{"A", "1"}, {"B", "x=y"}, {"C", ""}}));
  EXPECT_THAT(sg::read_environment(nullptr), IsEmpty());
}

}  // namespace
