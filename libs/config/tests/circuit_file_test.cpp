// SPDX-License-Identifier: Apache-2.0
#include "switchgear/config/circuit_file.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace {

namespace sg = switchgear;
using namespace std::chrono_literals;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

sg::circuit_file good(std::string_view text) {
  auto result = sg::parse_toml(text);
  EXPECT_THAT(sg::describe(result.problems), IsEmpty());
  return result.file;
}

sg::config config_of(std::string_view text, std::string_view name) {
  const auto result = good(text).config_for(name);
  EXPECT_THAT(result.problems, IsEmpty());
  return result.value;
}

std::vector<std::string> lines_of(std::string_view text) {
  std::vector<std::string> lines;
  for (const auto& p : sg::parse_toml(text).problems) lines.push_back(to_string(p));
  return lines;
}

TEST(circuit_file, starts_from_the_built_in_defaults) {
  EXPECT_EQ(config_of("", "any"), sg::config{});
  EXPECT_EQ(config_of("[defaults]\n[breaker]\n", "any"), sg::config{});
}

TEST(circuit_file, puts_the_defaults_under_every_breaker) {
  constexpr std::string_view text = R"(
[defaults]
failure_threshold = 3
open_duration = "30s"

[breaker."payments"]
recovery_timeout = 5.5
window = "60s"

[breaker.search]
window = 20
shadow = true
jitter = 0.5
)";
  EXPECT_EQ(config_of(text, "payments"),
            (sg::config{.failure_threshold = 3, .window = sg::last(60s), .open_duration = 5500ms}));
  EXPECT_EQ(config_of(text, "search"),
            (sg::config{
                .shadow = true, .failure_threshold = 3, .window = sg::calls(20), .open_duration = 30s, .jitter = 0.5}));
  EXPECT_EQ(config_of(text, "other"), (sg::config{.failure_threshold = 3, .open_duration = 30s}));
}

TEST(circuit_file, prefers_the_exact_name_and_then_the_longest_pattern) {
  constexpr std::string_view text = R"(
[breaker."*"]
failure_threshold = 1
[breaker."agent.*"]
failure_threshold = 2
[breaker."agent.*.llm"]
failure_threshold = 3
[breaker."agent.x.llm"]
failure_threshold = 4
[breaker."agent.x*llm-long"]
failure_threshold = 9
)";
  EXPECT_EQ(config_of(text, "storage").failure_threshold, 1);
  EXPECT_EQ(config_of(text, "agent.y").failure_threshold, 2);
  EXPECT_EQ(config_of(text, "agent.y.llm").failure_threshold, 3);
  EXPECT_EQ(config_of(text, "agent.x.llm").failure_threshold, 4);
}

TEST(circuit_file, of_equally_long_patterns_takes_the_one_with_the_longer_beginning) {
  constexpr std::string_view text = "[breaker.\"*bc\"]\nfailure_threshold=1\n[breaker.\"ab*\"]\nfailure_threshold=2\n";
  EXPECT_EQ(config_of(text, "abc").failure_threshold, 2);
}

TEST(circuit_file, applies_a_preset_before_the_keys_of_its_table) {
  constexpr std::string_view text = R"(
[defaults]
shadow = true
open_duration = "1s"
[breaker.a]
success_threshold = 4
preset = "llm"
[breaker.b]
)";
  EXPECT_EQ(config_of(text, "a"), (sg::config{.shadow = true,
                                              .failure_threshold = 3,
                                              .open_duration = 90s,
                                              .min_reset_interval = 10s,
                                              .success_threshold = 4,
                                              .call_timeout = 120s}));
  EXPECT_EQ(config_of(text, "b"), (sg::config{.shadow = true, .open_duration = 1s}));
  EXPECT_EQ(config_of("[defaults]\npreset = \"resilient\"", "x"), sg::presets::resilient());
}

TEST(circuit_file, names_file_line_key_value_range_and_nearest_key) {
  EXPECT_THAT(
      lines_of("[defaults]\nfailure_treshold = 3\nopen_duration = \"48h\"\n"),
      ElementsAre("failure_treshold = 3: unknown; the nearest known name is failure_threshold, in circuits.toml:2",
                  "open_duration = 48h: out of range, in circuits.toml:3 (allowed: 0s … 24h)"));
}

TEST(circuit_file, reports_every_problem_of_every_table_and_those_of_the_defaults_once) {
  const auto lines = lines_of(R"([defaults]
jitter = 2
[breaker.a]
window = "junk"
[breaker.b]
success_threshold = "2"
timeout_seconds = 3
)");
  EXPECT_THAT(lines, ElementsAre(HasSubstr("circuits.toml:2"), HasSubstr("circuits.toml:4"),
                                 AllOf(HasSubstr("circuits.toml:6"), HasSubstr("whole number, not text")),
                                 AllOf(HasSubstr("circuits.toml:7"), HasSubstr("open_duration or call_timeout"))));
}

TEST(circuit_file, says_for_which_breaker_the_defaults_do_not_fit) {
  EXPECT_THAT(lines_of("[defaults]\nminimum_calls = 50\n[breaker.\"small\"]\nwindow = 20\n"),
              ElementsAre(AllOf(HasSubstr("minimum_calls = 50"), HasSubstr("circuits.toml:2"),
                                HasSubstr("[breaker.\"small\"]"))));
}

TEST(circuit_file, refuses_what_stands_outside_of_the_two_kinds_of_table) {
  EXPECT_THAT(lines_of("window = 5\n[default]\n[brakers.x]\n"),
              ElementsAre(AllOf(HasSubstr("window = 5"), HasSubstr("outside of every table"), HasSubstr("toml:1")),
                          AllOf(HasSubstr("default:"), HasSubstr("[defaults]"), HasSubstr("toml:2")),
                          AllOf(HasSubstr("brakers:"), HasSubstr("[breaker]"), HasSubstr("toml:3"))));
  EXPECT_EQ(lines_of("defaults = 3\nbreaker = 4\n").size(), 2U);
  EXPECT_EQ(lines_of("[breaker]\nx = 4\n").size(), 1U);
}

TEST(circuit_file, tells_how_to_write_a_name_with_dots) {
  EXPECT_THAT(lines_of("[breaker.agent.llm]\nwindow = 5\n"), ElementsAre(HasSubstr("[breaker.\"agent.llm\"]")));
}

TEST(circuit_file, refuses_names_that_no_breaker_can_have) {
  EXPECT_THAT(lines_of("[breaker.\"\"]\n[breaker.\"a\\u0000b\"]\n"),
              ElementsAre(HasSubstr("toml:1"), HasSubstr("toml:2")));
}

TEST(circuit_file, refuses_unknown_presets) {
  EXPECT_THAT(lines_of("[breaker.x]\npreset = \"lm\"\n[breaker.y]\npreset = 3\n"),
              ElementsAre(AllOf(HasSubstr("nearest is llm"), HasSubstr("toml:2")), HasSubstr("toml:4")));
}

TEST(circuit_file, refuses_values_that_no_key_takes) {
  EXPECT_THAT(lines_of("[defaults]\nwindow = [1]\nopen_duration = 2024-01-01\njitter = nan\nstate_history = 1.0\n"
                       "call_timeout = {a = 1}\nfailure_rate_threshold = inf\n"),
              testing::SizeIs(6));
}

TEST(circuit_file, refuses_broken_text_with_line_and_column) {
  for (const char* bad : {"[defaults\n", "[defaults]\nwindow = \n", "[defaults]\nwindow=1\nwindow=2\n",
                          "[defaults]\n[defaults]\n", "\xff", "a = \"\x01\"", "[breaker.\"x]\n"}) {
    const auto result = sg::parse_toml(bad, "my.toml");
    ASSERT_EQ(result.problems.size(), 1U) << bad;
    EXPECT_THAT(result.problems[0].key, testing::MatchesRegex("my.toml:[0-9]+:[0-9]+")) << bad;
  }
}

TEST(circuit_file, refuses_text_that_would_exhaust_the_parser) {
  std::string dotted = "a";
  for (int i = 0; i < 200'000; ++i) dotted += ".a";
  std::string nested;
  for (int i = 0; i < 200; ++i) nested += "[{a=";
  const std::string quoted =
      "[breaker.\"" + std::string(150, '.') + "\"]\nwindow = 5 # ....................................\n";
  for (const std::string& bad :
       {dotted + " = 1", "[" + dotted + "]", "x = " + nested, "x=\"\"\"\"\"\"\n" + dotted + "=1",
        "x = '''a'b''''\n" + dotted + "=1", "x = \"\\\"\"\n" + dotted + "=1", std::string((1U << 20) + 1, '\n')}) {
    EXPECT_EQ(sg::parse_toml(bad).problems.size(), 1U);
  }
  EXPECT_THAT(lines_of(quoted), IsEmpty()) << "dots in strings and comments are only text";
}

TEST(circuit_file, takes_further_layers_from_the_caller) {
  auto layers = good("[breaker.a]\nwindow = 5\njitter = 0.5\n").layers_for("a");
  layers.push_back(sg::config_patch().set("window", sg::raw_value::untyped("7"), "the command line"));
  const auto result = sg::apply_layers(layers, {});
  EXPECT_EQ(result.value, (sg::config{.window = sg::calls(7), .jitter = 0.5}));
}

TEST(circuit_file, is_read_from_disk) {
  std::string folder = (std::filesystem::temp_directory_path() / "switchgear-toml-XXXXXX").string();
  ASSERT_NE(mkdtemp(folder.data()), nullptr);
  const std::string path = folder + "/my.toml";
  std::ofstream(path) << "[defaults]\nwindow = 0\n";
  const auto bad = sg::load_circuit_file(path);
  const auto missing = sg::load_circuit_file(folder + "/none.toml");
  std::filesystem::remove_all(folder);
  ASSERT_EQ(bad.problems.size(), 1U);
  EXPECT_THAT(bad.problems[0].message, HasSubstr(path + ":2"));
  ASSERT_EQ(missing.problems.size(), 1U);
  EXPECT_THAT(missing.problems[0].message, HasSubstr("No such file"));
}

TEST(pattern, has_stars_for_any_run_of_characters) {
  EXPECT_TRUE(sg::matches_pattern("*", ""));
  EXPECT_TRUE(sg::matches_pattern("a*", "a"));
  EXPECT_TRUE(sg::matches_pattern("a*c", "a.b.c"));
  EXPECT_TRUE(sg::matches_pattern("*b*b", "abbb"));
  EXPECT_TRUE(sg::matches_pattern("**", "x"));
  EXPECT_TRUE(sg::matches_pattern("a?", "a?"));
  EXPECT_FALSE(sg::matches_pattern("a?", "ab"));
  EXPECT_FALSE(sg::matches_pattern("", "x"));
  EXPECT_FALSE(sg::matches_pattern("a*c", "a.b.d"));
  EXPECT_FALSE(sg::matches_pattern("*b*b", "b"));
  EXPECT_FALSE(sg::matches_pattern("ab", "abc"));
}

}  // namespace
