// SPDX-License-Identifier: Apache-2.0
#include "support.hpp"

namespace {

using namespace registries;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

sg::config_patch keys(std::string_view key, std::int64_t value) {
  return sg::config_patch().set(key, sg::raw_value::integer(value));
}

struct layers : testing::Test {
  folder here;
  manual_clock clock;
  std::string file = here / "circuits.toml";

  sg::registry_options options(std::string_view toml, sg::variables environment = {}, std::string preset = {}) {
    write(file, toml);
    return {.preset = std::move(preset), .environment = std::move(environment), .file = file};
  }
};

TEST_F(layers, begin_with_the_built_in_defaults) {
  sg::registry circuits(quiet(), clock);
  EXPECT_EQ(circuits.get("a")->configuration(), sg::config{});
}

TEST_F(layers, put_the_environment_over_the_defaults) {
  sg::registry circuits(quiet({.environment = sg::variables{{"SWITCHGEAR_CB_OPEN_DURATION", "5s"}}}), clock);
  EXPECT_EQ(circuits.get("a")->configuration(), (sg::config{.open_duration = 5s}));
}

TEST_F(layers, take_the_prefix_from_the_user) {
  sg::registry circuits(quiet({.prefix = "BINDU_CB",
                               .environment = sg::variables{{"BINDU_CB_OPEN_DURATION", "5s"}, {"SWITCHGEAR_CB_JITTER", "x"}}}),
                        clock);
  EXPECT_EQ(circuits.get("a")->configuration(), (sg::config{.open_duration = 5s}));
}

TEST_F(layers, put_the_preset_over_the_environment) {
  const sg::variables environment{{"SWITCHGEAR_CB_OPEN_DURATION", "5s"}, {"SWITCHGEAR_CB_WINDOW", "50"}};
  sg::registry circuits(quiet({.environment = environment}), clock);
  const sg::config c = circuits.for_agent("x", "llm")->configuration();
  EXPECT_EQ(c.open_duration, 90s);
  EXPECT_EQ(c.window, sg::calls(50)) << "a key that the preset says nothing about";
}

TEST_F(layers, put_the_file_over_the_preset) {
  sg::registry circuits(options("[breaker.\"agent.*\"]\nopen_duration = \"7s\"\n"), clock);
  const sg::config c = circuits.for_agent("x", "llm")->configuration();
  EXPECT_EQ(c.open_duration, 7s);
  EXPECT_EQ(c.failure_threshold, 3) << "still the preset's";
}

TEST_F(layers, put_explicit_keys_over_the_file) {
  sg::registry circuits(options("[defaults]\nopen_duration = \"7s\"\nfailure_threshold = 4\n"), clock);
  const sg::config c = circuits.get("a", keys("open_duration", 9))->configuration();
  EXPECT_EQ(c.open_duration, 9s);
  EXPECT_EQ(c.failure_threshold, 4);
}

TEST_F(layers, decide_each_key_alone) {
  const sg::variables environment{
      {"SWITCHGEAR_CB_JITTER", "0.5"}, {"SWITCHGEAR_CB_FAILURE_THRESHOLD", "8"}, {"SWITCHGEAR_CB_WINDOW", "50"}};
  sg::registry circuits(options("[breaker.x]\nwindow = 40\n[defaults]\nsuccess_threshold = 6\n", environment, "service"), clock);
  EXPECT_EQ(circuits.get("x", keys("half_open_max_calls", 2))->configuration(),
            (sg::config{.failure_threshold = 5,       // preset
                        .window = sg::calls(40),      // file, the breaker's table
                        .open_duration = 30s,         // preset
                        .jitter = 0.5,                // environment
                        .min_reset_interval = 10s,    // preset
                        .half_open_max_calls = 2,     // explicit
                        .success_threshold = 6,       // file, defaults
                        .call_timeout = 15s}));       // preset
}

TEST_F(layers, leave_nothing_to_say_beside_a_whole_configuration) {
  sg::registry circuits(options("[defaults]\njitter = 0.5\n", {{"SWITCHGEAR_CB_OPEN_DURATION", "5s"}}, "llm"), clock);
  EXPECT_EQ(circuits.get("a", {.failure_threshold = 3})->configuration(), (sg::config{.failure_threshold = 3}));
}

TEST_F(layers, give_the_preset_of_the_options_to_all_but_agents) {
  sg::registry circuits(quiet({.preset = "strict"}), clock);
  EXPECT_EQ(circuits.get("a")->configuration(), sg::presets::strict());
  EXPECT_EQ(circuits.for_agent("a", "llm")->configuration(), sg::presets::llm());
}

TEST_F(layers, use_the_longest_matching_pattern_of_the_file) {
  sg::registry circuits(options("[breaker.\"*\"]\nfailure_threshold = 1\n[breaker.\"agent.*\"]\nfailure_threshold = 2\n"
                                "[breaker.\"agent.x\"]\nfailure_threshold = 3\n"),
                        clock);
  EXPECT_EQ(circuits.get("storage")->configuration().failure_threshold, 1);
  EXPECT_EQ(circuits.for_agent("y", "llm")->configuration().failure_threshold, 2);
  EXPECT_EQ(circuits.for_agent("x", "llm")->configuration().failure_threshold, 3);
}

TEST_F(layers, let_the_environment_enable_what_a_preset_leaves_off) {
  EXPECT_FALSE(sg::registry(quiet({.preset = "bindu"}), clock).get("a")->configuration().enabled);
  const sg::variables on{{"BINDU_CB_ENABLED", "true"}};
  EXPECT_TRUE(
      sg::registry(quiet({.preset = "bindu", .prefix = "BINDU_CB", .environment = on}), clock).get("a")->configuration().enabled);
}

TEST_F(layers, read_a_dotenv_file_where_the_process_wins) {
  write(here / ".env", "SWITCHGEAR_CB_JITTER=0.25\nSWITCHGEAR_CB_WINDOW=30\nOTHER=1\n");
  sg::registry circuits(quiet({.environment = sg::variables{{"SWITCHGEAR_CB_WINDOW", "20"}}, .dotenv = here / ".env"}), clock);
  EXPECT_EQ(circuits.get("a")->configuration(), (sg::config{.window = sg::calls(20), .jitter = 0.25}));
  EXPECT_NO_THROW(sg::registry(quiet({.dotenv = here / "none"}), clock));
}

TEST_F(layers, refuse_a_combination_that_no_breaker_can_have_and_say_where_each_part_stands) {
  sg::registry circuits(options("[breaker.a]\nminimum_calls = 30\n"), clock);
  try {
    circuits.get("a", keys("window", 20));
    FAIL() << "minimum_calls above the window";
  } catch (const sg::config_error& e) {
    ASSERT_EQ(e.problems().size(), 1U);
    EXPECT_THAT(to_string(e.problems()[0]), AllOf(HasSubstr("minimum_calls = 30"), HasSubstr("circuits.toml:2")));
  }
  EXPECT_FALSE(circuits.contains("a"));
  EXPECT_NO_THROW(circuits.get("b", keys("window", 20)));
}

TEST_F(layers, refuse_at_construction_what_would_fit_no_breaker) {
  const sg::variables bad{{"SWITCHGEAR_CB_JITTER", "2"}, {"SWITCHGEAR_CB_JITER", "1"}, {"SWITCHGEAR_CB_ENABLED", "perhaps"}};
  EXPECT_THAT(refused([&] { sg::registry(quiet({.environment = bad}), clock); }),
              testing::UnorderedElementsAre("SWITCHGEAR_CB_JITTER", "SWITCHGEAR_CB_JITER", "SWITCHGEAR_CB_ENABLED"));
  EXPECT_THAT(refused([&] { sg::registry(options("[defaults]\njitter = 2\n"), clock); }), ElementsAre("jitter"));
  EXPECT_THAT(refused([&] { sg::registry(options("[defaults\n"), clock); }), testing::SizeIs(1));
  const sg::variables narrow{{"SWITCHGEAR_CB_WINDOW", "20"}};
  EXPECT_THAT(refused([&] { sg::registry(options("[defaults]\nminimum_calls = 30\n", narrow), clock); }),
              ElementsAre("minimum_calls"));
  EXPECT_THAT(refused([&] { sg::registry(quiet({.file = here / "none.toml"}), clock); }), ElementsAre(here / "none.toml"));
}

TEST_F(layers, keep_an_explicit_zero_trap_21) {
  constexpr std::string_view toml = "[defaults]\nopen_duration = \"7s\"\nfailure_threshold = 4\nfailure_count_threshold = 2\n";
  sg::registry circuits(options(toml), clock);
  sg::config_patch zeros = keys("failure_threshold", 0);
  zeros.set("open_duration", sg::raw_value::integer(std::int64_t{0}));
  const sg::config c = circuits.get("a", zeros)->configuration();
  EXPECT_EQ(c.failure_threshold, 0);
  EXPECT_EQ(c.open_duration, 0s);
  const sg::config whole{.failure_threshold = 0, .failure_count_threshold = 1, .open_duration = 0s};
  EXPECT_EQ(circuits.get("b", whole)->configuration(), whole);
}

}  // namespace
