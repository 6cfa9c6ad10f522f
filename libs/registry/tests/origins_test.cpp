// SPDX-License-Identifier: Apache-2.0
#include "support.hpp"

#include <algorithm>

namespace {

using namespace registries;
using testing::Each;
using testing::Field;
using testing::IsEmpty;

/// `value, origin` of one key.
std::string shown(const sg::registry& circuits, std::string_view name, std::string_view key) {
  const auto all = circuits.configuration_of(name);
  const auto found = std::find_if(all.begin(), all.end(), [&](const sg::configured_value& v) { return v.key == key; });
  return found == all.end() ? "not there" : found->value + ", " + found->origin;
}

struct origins : testing::Test {
  folder here;
  manual_clock clock;
  std::string file = here / "circuits.toml";

  sg::registry_options options(std::string_view toml, sg::variables environment = {}, std::string preset = {}) {
    write(file, toml);
    return {.preset = std::move(preset), .environment = std::move(environment), .file = file};
  }
};

TEST_F(origins, are_none_of_a_breaker_that_is_not_there) {
  sg::registry circuits(quiet(), clock);
  EXPECT_THAT(circuits.configuration_of("a"), IsEmpty());
  EXPECT_FALSE(circuits.contains("a")) << "asking makes none";
}

TEST_F(origins, are_built_in_where_nobody_says_anything) {
  sg::registry circuits(quiet(), clock);
  circuits.get("a");
  EXPECT_THAT(circuits.configuration_of("a"), Each(Field(&sg::configured_value::origin, "built in")));
}

TEST_F(origins, are_told_key_by_key) {
  const sg::variables environment{{"SWITCHGEAR_CB_OPEN_DURATION", "2m"}, {"SWITCHGEAR_CB_WINDOW", "50"}};
  constexpr std::string_view toml = "[defaults]\njitter = 0.2\n\n[breaker.\"agent.*\"]\nsuccess_threshold = 4\n";
  sg::registry circuits(options(toml, environment), clock);
  circuits.for_agent("writer", "llm");
  EXPECT_EQ(shown(circuits, "agent.writer", "success_threshold"), "4, " + file + ":5 [breaker.\"agent.*\"]");
  EXPECT_EQ(shown(circuits, "agent.writer", "jitter"), "0.2, " + file + ":2 [defaults]");
  EXPECT_EQ(shown(circuits, "agent.writer", "open_duration"), "90s, preset llm");
  EXPECT_EQ(shown(circuits, "agent.writer", "window"), "50, SWITCHGEAR_CB_WINDOW");
  EXPECT_EQ(shown(circuits, "agent.writer", "half_open_max_calls"), "1, built in");
}

TEST_F(origins, are_the_preset_of_the_options_and_a_preset_of_the_file) {
  sg::registry circuits(options("[breaker.x]\npreset = \"service\"\n", {}, "strict"), clock);
  circuits.get("a");
  circuits.get("x");
  EXPECT_EQ(shown(circuits, "a", "open_duration"), "2m, preset strict");
  EXPECT_EQ(shown(circuits, "x", "open_duration"), "30s, " + file + ":2, preset service [breaker.\"x\"]");
}

TEST_F(origins, are_code_for_a_whole_configuration) {
  sg::registry circuits(options("[defaults]\njitter = 0.5\n"), clock);
  circuits.get("a", {.failure_threshold = 3});
  EXPECT_EQ(shown(circuits, "a", "failure_threshold"), "3, code");
  EXPECT_EQ(shown(circuits, "a", "jitter"), "0, code") << "it leaves nothing to others";
}

TEST_F(origins, are_code_for_a_patch_unless_it_says_where_it_was_written) {
  sg::registry circuits(quiet(), clock);
  sg::config_patch keys;
  keys.set("failure_threshold", sg::raw_value::integer(std::int64_t{3})).set("jitter", sg::raw_value::real(0.5), "page 7");
  circuits.get("a", keys);
  EXPECT_EQ(shown(circuits, "a", "failure_threshold"), "3, code");
  EXPECT_EQ(shown(circuits, "a", "jitter"), "0.5, page 7");
}

TEST_F(origins, are_a_line_of_the_dotenv_file) {
  write(here / ".env", "OTHER=1\n\nSWITCHGEAR_CB_JITTER=0.25\n");
  sg::registry circuits(quiet({.dotenv = here / ".env"}), clock);
  circuits.get("a");
  EXPECT_EQ(shown(circuits, "a", "jitter"), "0.25, " + (here / ".env") + ":3");
}

TEST_F(origins, tell_what_was_changed_by_hand) {
  sg::registry circuits(quiet(), clock);
  const auto a = circuits.get("a");
  sg::config changed = a->configuration();
  changed.failure_threshold = 9;
  ASSERT_THAT(a->reconfigure(changed), IsEmpty());
  EXPECT_EQ(shown(circuits, "a", "failure_threshold"), "9, changed since");
  EXPECT_EQ(shown(circuits, "a", "open_duration"), "1m, built in");
}

TEST_F(origins, follow_the_file) {
  sg::registry circuits(options("[breaker.a]\njitter = 0.5\n"), clock);
  circuits.get("a");
  replace(file, "[defaults]\n\n\njitter = 0.25\n");
  ASSERT_THAT(circuits.reload(), IsEmpty());
  EXPECT_EQ(shown(circuits, "a", "jitter"), "0.25, " + file + ":4 [defaults]");
}

// --- PREFIX_ENABLED, which has a rule of its own ---

struct switched_origins : origins {
  std::string said;
  sg::registry_options options(std::string preset = {}) {
    return {.preset = std::move(preset),
            .environment = sg::variables{},
            .read_variable = [this](std::string_view) { return said.empty() ? std::nullopt : std::optional(said); }};
  }
};

TEST_F(switched_origins, name_the_variable_that_has_made_a_pass_through) {
  said = "no";
  sg::registry circuits(options(), clock);
  circuits.get("a");
  EXPECT_EQ(shown(circuits, "a", "enabled"), "false, SWITCHGEAR_CB_ENABLED");
  said = "";
  EXPECT_EQ(shown(circuits, "a", "enabled"), "false, SWITCHGEAR_CB_ENABLED") << "it has decided, and nobody has since";
  said = "yes";
  (void)circuits.get_working("a");
  EXPECT_EQ(shown(circuits, "a", "enabled"), "true, SWITCHGEAR_CB_ENABLED");
}

TEST_F(switched_origins, name_the_preset_where_it_leaves_off_and_the_variable_says_nothing) {
  sg::registry circuits(options("bindu"), clock);
  circuits.get("a");
  EXPECT_EQ(shown(circuits, "a", "enabled"), "false, preset bindu");
}

TEST_F(switched_origins, name_the_variable_that_enables_what_a_preset_leaves_off) {
  said = "on";
  sg::registry circuits(options("bindu"), clock);
  circuits.get("a");
  EXPECT_EQ(shown(circuits, "a", "enabled"), "true, SWITCHGEAR_CB_ENABLED");
}

TEST_F(switched_origins, name_what_let_a_breaker_work_that_was_made_before_the_variable_said_no) {
  sg::registry circuits(options(), clock);
  circuits.get("a");
  said = "no";
  EXPECT_EQ(shown(circuits, "a", "enabled"), "true, built in");
}

}  // namespace
