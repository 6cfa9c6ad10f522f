// SPDX-License-Identifier: Apache-2.0
#include "switchgear/config/configured_value.hpp"

#include "switchgear/config/environment.hpp"
#include "switchgear/config/keys.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

namespace {

namespace sg = switchgear;
using namespace std::chrono_literals;
using raw = sg::raw_value;
using testing::Each;
using testing::Field;

using layers = std::vector<sg::config_patch>;

/// `value, origin` of one key.
std::string shown(const std::vector<sg::configured_value>& all, std::string_view key) {
  const auto found = std::find_if(all.begin(), all.end(), [&](const sg::configured_value& v) { return v.key == key; });
  return found == all.end() ? "not there" : found->value + ", " + found->origin;
}

std::vector<sg::configured_value> made_of(const layers& all) {
  return configured_values(apply_layers(all, sg::config{}).value, all, "changed since");
}

TEST(configured_values, are_every_key_in_the_order_of_the_contract) {
  const auto all = made_of({});
  ASSERT_EQ(all.size(), sg::config_keys().size());
  for (std::size_t i = 0; i < all.size(); ++i) EXPECT_EQ(all[i].key, sg::config_keys()[i].key);
}

TEST(configured_values, are_built_in_where_no_layer_names_them) {
  EXPECT_THAT(made_of({}), Each(Field(&sg::configured_value::origin, sg::built_in)));
  EXPECT_EQ(shown(made_of({}), "open_duration"), "1m, built in");
  EXPECT_EQ(shown(made_of({}), "window"), "100, built in");
  EXPECT_EQ(shown(made_of({}), "enabled"), "true, built in");
}

TEST(configured_values, come_from_the_last_layer_that_names_them) {
  const layers all{sg::config_patch().set("jitter", raw::real(0.5), "preset x").set("open_duration", raw::text("5s"), "preset x"),
                   sg::config_patch().set("jitter", raw::real(0.25), "circuits.toml:12")};
  EXPECT_EQ(shown(made_of(all), "jitter"), "0.25, circuits.toml:12");
  EXPECT_EQ(shown(made_of(all), "open_duration"), "5s, preset x");
}

TEST(configured_values, come_from_who_names_them_also_when_he_says_what_is_built_in) {
  const layers all{sg::config_patch().set("failure_threshold", raw::integer(std::int64_t{5}), "circuits.toml:3")};
  EXPECT_EQ(shown(made_of(all), "failure_threshold"), "5, circuits.toml:3");
}

TEST(configured_values, are_found_under_their_other_name) {
  const layers all{sg::config_patch().set("recovery_timeout", raw::integer(std::int64_t{7}), "circuits.toml:4")};
  EXPECT_EQ(shown(made_of(all), "open_duration"), "7s, circuits.toml:4");
}

TEST(configured_values, name_the_variable_of_the_process_and_the_line_of_a_dotenv_file) {
  const sg::dotenv_file dotenv{".env", {{"SWITCHGEAR_CB_JITTER", "0.5", 3}}};
  const layers all{sg::from_environment("SWITCHGEAR_CB", {{"SWITCHGEAR_CB_OPEN_DURATION", "2m"}}, dotenv).patch};
  EXPECT_EQ(shown(made_of(all), "open_duration"), "2m, SWITCHGEAR_CB_OPEN_DURATION");
  EXPECT_EQ(shown(made_of(all), "jitter"), "0.5, .env:3");
}

TEST(configured_values, come_from_code_where_nobody_says_where_they_are_written) {
  EXPECT_EQ(shown(made_of({sg::config_patch().set("jitter", raw::real(0.5))}), "jitter"), "0.5, code");
}

TEST(configured_values, were_changed_where_the_layers_give_others) {
  const layers all{sg::config_patch().set("jitter", raw::real(0.5), "circuits.toml:1")};
  const auto values = configured_values({.failure_threshold = 9, .jitter = 0.75}, all, "changed since");
  EXPECT_EQ(shown(values, "jitter"), "0.75, changed since");
  EXPECT_EQ(shown(values, "failure_threshold"), "9, changed since");
  EXPECT_EQ(shown(values, "window"), "100, built in");
}

TEST(configured_values, show_what_follows_from_other_keys) {
  sg::config_patch few;
  few.set("open_duration", raw::text("20m"), "f:1").set("window", raw::integer(std::int64_t{4}), "f:2");
  const layers all{few};
  EXPECT_EQ(shown(made_of(all), "max_open_duration"), "20m, built in");
  EXPECT_EQ(shown(made_of(all), "probe_timeout"), "20m, built in");
  EXPECT_EQ(shown(made_of(all), "minimum_calls"), "4, built in");
  EXPECT_EQ(shown(made_of({}), "max_open_duration"), "10m, built in");
  EXPECT_EQ(shown(made_of({}), "slow_call_rate_threshold").substr(0, 1), "1");
}

TEST(configured_values, follow_what_was_changed_and_say_so) {
  const auto values = sg::configured_values({.open_duration = 20min}, {}, "changed since");
  EXPECT_EQ(shown(values, "probe_timeout"), "20m, changed since");
}

}  // namespace
