// SPDX-License-Identifier: Apache-2.0
#include "switchgear/config.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace {

namespace sg = switchgear;
namespace presets = switchgear::presets;
using namespace std::chrono_literals;

// The whole configuration is compared, so that a preset cannot change anything that the contract does not say.

TEST(presets, of_the_first_source_system_are_spaced_by_ten_seconds) {
  EXPECT_EQ(presets::standard(), (sg::config{.failure_threshold = 5,
                                             .open_duration = 60s,
                                             .min_reset_interval = 10s,
                                             .success_threshold = 2,
                                             .call_timeout = 30s}));
  EXPECT_EQ(presets::strict(), (sg::config{.failure_threshold = 3,
                                           .open_duration = 120s,
                                           .min_reset_interval = 10s,
                                           .success_threshold = 3,
                                           .call_timeout = 10s}));
  EXPECT_EQ(presets::lenient(), (sg::config{.failure_threshold = 10,
                                            .open_duration = 30s,
                                            .min_reset_interval = 10s,
                                            .success_threshold = 1,
                                            .call_timeout = 60s}));
  EXPECT_EQ(presets::fast_recovery(), (sg::config{.failure_threshold = 5,
                                                  .open_duration = 10s,
                                                  .min_reset_interval = 10s,
                                                  .success_threshold = 1,
                                                  .call_timeout = 30s}));
  EXPECT_EQ(presets::llm(), (sg::config{.failure_threshold = 3,
                                        .open_duration = 90s,
                                        .min_reset_interval = 10s,
                                        .success_threshold = 2,
                                        .call_timeout = 120s}));
  EXPECT_EQ(presets::service(), (sg::config{.failure_threshold = 5,
                                            .open_duration = 30s,
                                            .min_reset_interval = 10s,
                                            .success_threshold = 2,
                                            .call_timeout = 15s}));
}

TEST(presets, with_a_rate_look_at_a_time_window) {
  EXPECT_EQ(presets::fast_fail(), (sg::config{.failure_threshold = 3,
                                              .window = sg::last(60s),
                                              .minimum_calls = 5,
                                              .failure_rate_threshold = 0.3,
                                              .open_duration = 30s,
                                              .success_threshold = 2}));
  EXPECT_EQ(presets::resilient(), (sg::config{.failure_threshold = 10,
                                              .window = sg::last(300s),
                                              .minimum_calls = 20,
                                              .failure_rate_threshold = 0.6,
                                              .open_duration = 120s,
                                              .half_open_max_calls = 5,
                                              .success_threshold = 5}));
}

TEST(presets, reproduce_the_defaults_of_each_source_system) {
  EXPECT_EQ(presets::blackbox5(), presets::standard());
  EXPECT_EQ(presets::omnibase_core(), (sg::config{.failure_threshold = 0,
                                                  .window = sg::last(120s),
                                                  .minimum_calls = 10,
                                                  .failure_rate_threshold = 0.5,
                                                  .failure_count_threshold = 5,
                                                  .open_duration = 60s,
                                                  .half_open_max_calls = 3,
                                                  .success_threshold = 3}));
  EXPECT_EQ(presets::omnibase_infra(),
            (sg::config{.failure_threshold = 5, .open_duration = 30s, .success_threshold = 1}));
  EXPECT_EQ(presets::mlx(), (sg::config{.failure_threshold = 5, .open_duration = 60s, .success_threshold = 1}));
  EXPECT_EQ(presets::superego(),
            (sg::config{.failure_threshold = 5, .open_duration = 30s, .success_threshold = 1, .call_timeout = 10s}));
  EXPECT_EQ(presets::bindu(),
            (sg::config{.enabled = false, .failure_threshold = 3, .open_duration = 30s, .success_threshold = 1}));
}

TEST(presets, are_all_valid_and_all_found_by_name) {
  EXPECT_THAT(presets::names(), testing::ElementsAre("standard", "strict", "lenient", "fast_recovery", "llm", "service",
                                                     "fast_fail", "resilient", "blackbox5", "omnibase_core",
                                                     "omnibase_infra", "mlx", "superego", "bindu"));
  for (const std::string_view name : presets::names()) {
    const auto preset = presets::find(name);
    ASSERT_TRUE(preset) << name;
    EXPECT_THAT(preset->validate(), testing::IsEmpty()) << name;
  }
  EXPECT_EQ(presets::find("resilient"), presets::resilient());
  EXPECT_FALSE(presets::find("Standard"));
  EXPECT_FALSE(presets::find(""));
}

TEST(presets, are_picked_by_the_type_of_an_agent) {
  for (const char* type : {"llm", "ai", "researcher", "writer"}) EXPECT_EQ(presets::for_agent(type), presets::llm());
  for (const char* type : {"file", "database", "api"}) EXPECT_EQ(presets::for_agent(type), presets::service());
  for (const char* type : {"", "poet", "LLM", "standard"}) EXPECT_EQ(presets::for_agent(type), presets::standard());
}

}  // namespace
