// SPDX-License-Identifier: Apache-2.0
#include "switchgear/config/keys.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

namespace {

namespace sg = switchgear;
using namespace std::chrono_literals;

TEST(key_table, holds_every_key_of_the_contract_in_its_order) {
  std::vector<std::string_view> keys;
  for (const auto& info : sg::config_keys()) keys.push_back(info.key);
  EXPECT_THAT(
      keys, testing::ElementsAre("enabled", "shadow", "failure_threshold", "window", "window_buckets", "minimum_calls",
                                 "failure_rate_threshold", "failure_count_threshold", "slow_call_duration",
                                 "slow_call_rate_threshold", "open_duration", "open_duration_multiplier",
                                 "max_open_duration", "jitter", "min_reset_interval", "half_open_max_calls",
                                 "success_threshold", "probe_timeout", "call_timeout", "state_history"));
}

TEST(key_table, finds_a_key_by_its_alias) {
  EXPECT_EQ(sg::find_key("recovery_timeout").info, sg::find_key("open_duration").info);
  EXPECT_EQ(sg::find_key("half_open_success_threshold").info, sg::find_key("success_threshold").info);
  EXPECT_EQ(sg::find_key("sliding_window_size").info, sg::find_key("window").info);
  EXPECT_TRUE(sg::find_key("recovery_timeout").by_alias);
  EXPECT_FALSE(sg::find_key("open_duration").by_alias);
  for (const char* unknown : {"", "Window", "window ", "timeout_seconds", "reset_timeout"}) {
    EXPECT_FALSE(sg::find_key(unknown)) << unknown;
  }
}

TEST(key_table, knows_the_two_names_that_mean_two_things) {
  EXPECT_EQ(sg::ambiguous_key("timeout_seconds")->second, "call_timeout");
  EXPECT_EQ(sg::ambiguous_key("reset_timeout")->second, "min_reset_interval");
  EXPECT_FALSE(sg::ambiguous_key("open_duration"));
}

TEST(key_table, says_the_same_ranges_as_validate) {
  sg::config wrong;
  wrong.failure_threshold = -1;
  wrong.window = sg::calls(0);
  wrong.window_buckets = 0;
  wrong.minimum_calls = 0;
  wrong.failure_rate_threshold = -1;
  wrong.failure_count_threshold = -1;
  wrong.slow_call_duration = -1s;
  wrong.slow_call_rate_threshold = 0;
  wrong.open_duration = -1s;
  wrong.open_duration_multiplier = 0;
  wrong.max_open_duration = -1s;
  wrong.jitter = -1;
  wrong.min_reset_interval = -1s;
  wrong.half_open_max_calls = 0;
  wrong.success_threshold = 0;
  wrong.probe_timeout = -1s;
  wrong.call_timeout = -1s;
  wrong.state_history = -1;
  const auto problems = wrong.validate();
  EXPECT_EQ(problems.size(), sg::config_keys().size() - 2) << "every key but the two that are true or false";
  for (const auto& p : problems) {
    ASSERT_TRUE(sg::find_key(p.key)) << p.key;
    EXPECT_EQ(p.allowed, sg::find_key(p.key).info->allowed) << p.key;
  }
}

TEST(key_table, spells_a_default_that_is_the_default) {
  for (const auto& info : sg::config_keys()) {
    const auto value = info.value_of(sg::config{});
    if (!value) continue;  // it depends on another key, and the text says how
    std::string_view text = info.default_value;
    text = text.substr(0, text.find(' '));
    sg::config c;
    EXPECT_EQ(info.assign(c, sg::raw_value::untyped(text)), "") << info.key;
    EXPECT_EQ(c, sg::config{}) << info.key;
  }
}

TEST(nearest_key, forgives_the_usual_typing_errors) {
  EXPECT_EQ(sg::nearest_key("failure_treshold"), "failure_threshold");
  EXPECT_EQ(sg::nearest_key("open_duratoin"), "open_duration");
  EXPECT_EQ(sg::nearest_key("windwo"), "window");
  EXPECT_EQ(sg::nearest_key("WINDOW"), "window");
  EXPECT_EQ(sg::nearest_key("recovery_timeot"), "recovery_timeout");
  EXPECT_EQ(sg::nearest_key("minimum_call"), "minimum_calls");
  EXPECT_EQ(sg::nearest_key("half_open_max_call"), "half_open_max_calls");
}

TEST(nearest_key, always_names_one) {
  EXPECT_FALSE(sg::nearest_key("").empty());
  EXPECT_FALSE(sg::nearest_key(std::string(100'000, 'x')).empty());
}

}  // namespace
