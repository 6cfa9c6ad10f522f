// SPDX-License-Identifier: Apache-2.0
#include "switchgear/config/patch.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>

namespace {

namespace sg = switchgear;
using namespace std::chrono_literals;
using raw = sg::raw_value;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

raw number(std::int64_t v) { return raw::integer(v); }

std::vector<std::string> keys_of(const std::vector<sg::problem>& problems) {
  std::vector<std::string> keys;
  for (const auto& p : problems) keys.push_back(p.key);
  return keys;
}

std::vector<std::string> keys_of(const sg::config_patch& patch) { return keys_of(sg::apply(patch, {}).problems); }

TEST(patch, sets_what_it_names_and_keeps_the_rest) {
  const sg::config base{.failure_threshold = 7, .jitter = 0.5};
  const auto result = sg::apply(sg::config_patch().set("open_duration", raw::text("5s")), base);
  EXPECT_THAT(result.problems, IsEmpty());
  EXPECT_EQ(result.value, (sg::config{.failure_threshold = 7, .open_duration = 5s, .jitter = 0.5}));
}

TEST(patch, takes_an_alias_for_its_key) {
  const auto result = sg::apply(sg::config_patch()
                                    .set("recovery_timeout", number(5))
                                    .set("half_open_success_threshold", number(3))
                                    .set("sliding_window_size", number(50)),
                                {});
  EXPECT_THAT(result.problems, IsEmpty());
  EXPECT_EQ(result.value, (sg::config{.window = sg::calls(50), .open_duration = 5s, .success_threshold = 3}));
}

TEST(patch, names_the_nearest_key_to_one_that_does_not_exist) {
  const auto result = sg::apply(sg::config_patch().set("failure_treshold", number(3), "circuits.toml:12"), {});
  ASSERT_EQ(result.problems.size(), 1U);
  EXPECT_EQ(to_string(result.problems[0]),
            "failure_treshold = 3: unknown; the nearest known name is failure_threshold, in circuits.toml:12");
}

TEST(patch, names_both_candidates_for_a_name_that_means_two_things) {
  const auto result =
      sg::apply(sg::config_patch().set("timeout_seconds", number(60)).set("reset_timeout", number(10)), {});
  ASSERT_THAT(keys_of(result.problems), ElementsAre("timeout_seconds", "reset_timeout"));
  EXPECT_THAT(result.problems[0].message, AllOf(HasSubstr("open_duration"), HasSubstr("call_timeout")));
  EXPECT_THAT(result.problems[1].message, AllOf(HasSubstr("open_duration"), HasSubstr("min_reset_interval")));
  EXPECT_EQ(result.value, sg::config{});
}

TEST(patch, refuses_a_key_together_with_its_alias_under_the_alias_in_either_order) {
  const auto one = sg::apply(
      sg::config_patch().set("open_duration", number(1), "a:1").set("recovery_timeout", number(2), "a:2"), {});
  const auto other = sg::apply(
      sg::config_patch().set("recovery_timeout", number(2), "a:1").set("open_duration", number(1), "a:2"), {});
  EXPECT_THAT(keys_of(one.problems), ElementsAre("recovery_timeout"));
  EXPECT_THAT(keys_of(other.problems), ElementsAre("recovery_timeout"));
  EXPECT_EQ(to_string(one.problems[0]),
            "recovery_timeout = 2: another name of open_duration, which is given too in a:1; keep one of them, in a:2");
  EXPECT_EQ(one.value.open_duration, 1s);
  EXPECT_EQ(other.value.open_duration, 1s);
}

TEST(patch, refuses_a_key_that_is_given_twice) {
  const auto result =
      sg::apply(sg::config_patch().set("jitter", raw::real(0.1), "a:1").set("jitter", raw::real(0.2), "a:2"), {});
  ASSERT_THAT(keys_of(result.problems), ElementsAre("jitter"));
  EXPECT_EQ(result.problems[0].message, "given twice, the first time in a:1, in a:2");
}

TEST(patch, collects_every_problem_under_the_name_that_was_written) {
  EXPECT_THAT(keys_of(sg::config_patch()
                          .set("colour", raw::text("red"))
                          .set("failure_threshold", raw::text("5"))
                          .set("recovery_timeout", raw::text("25h"))
                          .set("sliding_window_size", number(0))
                          .set("half_open_success_threshold", number(0))),
              ElementsAre("colour", "failure_threshold", "sliding_window_size", "recovery_timeout",
                          "half_open_success_threshold"));
}

TEST(patch, shows_the_value_as_it_was_written) {
  const auto result = sg::apply(sg::config_patch().set("recovery_timeout", raw::text("2880m"), "a.toml:3"), {});
  ASSERT_EQ(result.problems.size(), 1U);
  EXPECT_EQ(to_string(result.problems[0]), "recovery_timeout = 2880m: out of range, in a.toml:3 (allowed: 0s … 24h)");
}

TEST(patch, a_window_by_its_old_name_counts_calls) {
  EXPECT_THAT(keys_of(sg::config_patch().set("sliding_window_size", raw::text("60s"))),
              ElementsAre("sliding_window_size"));
}

TEST(patch, a_value_that_cannot_be_read_is_one_problem_and_not_more) {
  const raw junk = raw::text("junk");
  EXPECT_THAT(
      keys_of(sg::config_patch().set("slow_call_duration", junk).set("slow_call_rate_threshold", raw::real(0.5))),
      ElementsAre("slow_call_duration"));
  EXPECT_THAT(keys_of(sg::config_patch().set("window", junk).set("minimum_calls", number(20'000))),
              ElementsAre("window"));
  EXPECT_THAT(keys_of(sg::config_patch().set("window", number(5)).set("minimum_calls", junk)),
              ElementsAre("minimum_calls"));
  EXPECT_THAT(keys_of(sg::config_patch().set("open_duration", junk).set("max_open_duration", number(1))),
              ElementsAre("open_duration"));
  EXPECT_THAT(keys_of(sg::config_patch().set("open_duration", number(90)).set("max_open_duration", junk)),
              ElementsAre("max_open_duration"));
  for (const char* rule : {"failure_rate_threshold", "failure_count_threshold", "slow_call_duration"}) {
    EXPECT_THAT(keys_of(sg::config_patch().set("failure_threshold", number(0)).set(rule, junk)), ElementsAre(rule));
  }
}

TEST(patch, a_problem_between_two_keys_stands_under_one_of_them) {
  EXPECT_THAT(keys_of(sg::config_patch().set("window", number(20)).set("minimum_calls", number(50))),
              ElementsAre("minimum_calls"));
  EXPECT_THAT(keys_of(sg::config_patch().set("slow_call_rate_threshold", raw::real(0.5))),
              ElementsAre("slow_call_rate_threshold"));
  EXPECT_THAT(keys_of(sg::config_patch().set("failure_threshold", number(0))), ElementsAre("failure_threshold"));
}

TEST(patch, can_make_a_good_base_bad_through_a_key_it_does_not_name) {
  const sg::config base{.minimum_calls = 50};
  const auto result = sg::apply(sg::config_patch().set("window", number(20), "a:1"), base);
  ASSERT_THAT(keys_of(result.problems), ElementsAre("minimum_calls"));
  EXPECT_EQ(result.problems[0].value, "50");
  EXPECT_THAT(result.problems[0].message, testing::Not(HasSubstr("a:1")));
}

TEST(layers, later_ones_win_key_by_key_under_whichever_name) {
  const std::array layers{
      sg::config_patch().set("open_duration", number(1), "file").set("success_threshold", number(4), "file"),
      sg::config_patch().set("recovery_timeout", number(2), "environment")};
  const auto result = sg::apply_layers(layers, {});
  EXPECT_THAT(result.problems, IsEmpty());
  EXPECT_EQ(result.value, (sg::config{.open_duration = 2s, .success_threshold = 4}));
}

TEST(layers, a_problem_belongs_to_the_layer_that_wrote_the_value) {
  const std::array layers{sg::config_patch().set("success_threshold", number(0), "file"),
                          sg::config_patch().set("half_open_success_threshold", number(2000), "environment")};
  const auto result = sg::apply_layers(layers, {});
  ASSERT_THAT(keys_of(result.problems), ElementsAre("half_open_success_threshold"));
  EXPECT_THAT(result.problems[0].message, HasSubstr("environment"));
}

TEST(layers, an_unreadable_value_stays_a_problem_when_a_later_layer_replaces_it) {
  const std::array layers{sg::config_patch().set("jitter", raw::text("much"), "file"),
                          sg::config_patch().set("jitter", raw::real(2), "environment")};
  EXPECT_THAT(keys_of(sg::apply_layers(layers, {}).problems), ElementsAre("jitter", "jitter"));
}

TEST(config_patch, of_a_configuration_gives_it_back) {
  sg::config c{.enabled = false,
               .shadow = true,
               .failure_threshold = 0,
               .window = sg::last(1234567ns * 1000),
               .window_buckets = 7,
               .minimum_calls = 3,
               .failure_rate_threshold = 0.1,
               .failure_count_threshold = 9,
               .slow_call_duration = 1ns,
               .slow_call_rate_threshold = 1.0 / 3.0,
               .open_duration = 90s,
               .open_duration_multiplier = 1.7,
               .max_open_duration = 2h,
               .jitter = 0.123456789,
               .min_reset_interval = 1s,
               .half_open_max_calls = 2,
               .success_threshold = 5,
               .probe_timeout = 0s,
               .call_timeout = 1500us,
               .state_history = 0};
  const auto back = sg::apply(sg::config_to_patch(c), {});
  EXPECT_THAT(back.problems, IsEmpty());
  EXPECT_EQ(back.value, c);
  for (const std::string_view name : sg::presets::names()) {
    EXPECT_EQ(sg::apply(sg::config_to_patch(*sg::presets::find(name)), {}).value, sg::presets::find(name)) << name;
  }
}

TEST(preset_patch, gives_the_preset_on_top_of_the_defaults) {
  for (const std::string_view name : sg::presets::names()) {
    const auto preset = sg::preset_patch(name, "a:1");
    EXPECT_THAT(preset.problems, IsEmpty());
    EXPECT_EQ(sg::apply(preset.patch, {}).value, sg::presets::find(name)) << name;
  }
}

TEST(preset_patch, decides_its_own_keys_and_leaves_the_others_alone) {
  const sg::config base{.shadow = true, .failure_threshold = 99, .open_duration = 1s, .state_history = 7};
  const auto result = sg::apply(sg::preset_patch("standard", "").patch, base);
  EXPECT_EQ(result.value.failure_threshold, 5) << "even where the preset says the same as the built-in default";
  EXPECT_EQ(result.value.open_duration, 60s);
  EXPECT_TRUE(result.value.shadow);
  EXPECT_EQ(result.value.state_history, 7);
}

TEST(preset_patch, of_an_unknown_name_lists_the_known_ones) {
  const auto preset = sg::preset_patch("standart", "a.toml:4");
  ASSERT_EQ(preset.problems.size(), 1U);
  EXPECT_THAT(to_string(preset.problems[0]), AllOf(HasSubstr("preset = standart"), HasSubstr("the nearest is standard"),
                                                   HasSubstr("in a.toml:4"), HasSubstr("fast_recovery")));
}

TEST(description, is_one_line_a_problem) {
  const std::array problems{sg::problem{"a", "1", "2 … 3", "out of range"}, sg::problem{"b", "x\ny", "", "unknown"}};
  EXPECT_EQ(sg::describe(problems), "a = 1: out of range (allowed: 2 … 3)\nb = x\\x0ay: unknown\n");
  EXPECT_EQ(sg::describe({}), "");
}

}  // namespace
