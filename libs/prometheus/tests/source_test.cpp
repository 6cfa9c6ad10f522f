// SPDX-License-Identifier: Apache-2.0
#include "exposition.hpp"

#include <switchgear/prometheus_collector.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace {

namespace sg = switchgear;
using testing::ElementsAre;

exposition::page read(std::vector<sg::prometheus_circuit> circuits, sg::prometheus_options options = {}) {
  const sg::prometheus_collector metrics([&] { return circuits; }, std::move(options));
  return exposition::page(sg::to_prometheus_text(metrics.Collect()));
}

sg::prometheus_circuit circuit(std::string name, std::string instance = {}) {
  sg::prometheus_circuit out;
  out.now.name = std::move(name);
  out.instance = std::move(instance);
  return out;
}

std::vector<std::string> problems(const sg::prometheus_options& o) {
  std::vector<std::string> keys;
  for (const sg::problem& p : o.validate()) keys.push_back(p.key);
  return keys;
}

TEST(prometheus_source, shows_hostile_names_as_they_are) {
  for (const std::string name : {R"(a"b)", R"(a\b)", R"(\)", R"(\n)", R"(",state="open"} 1 #)", "ümlaut → 電", " ", "{}=,"}) {
    EXPECT_EQ(read({circuit(name)})("switchgear_circuit_generation", {{"name", name}}), 0) << name;
  }
}

TEST(prometheus_source, leaves_out_names_that_no_breaker_can_have_so_that_the_others_are_seen) {
  const auto page = read({circuit("\xff"), circuit("a\nb"), circuit(""), circuit("good"), circuit("good", "\xc3")});
  EXPECT_EQ(page("switchgear_circuits"), 1);
  EXPECT_EQ(page("switchgear_circuits_left_out"), 4);
  EXPECT_EQ(page("switchgear_circuit_generation", {{"name", "good"}}), 0);
}

TEST(prometheus_source, tells_circuits_of_one_name_apart_by_their_instances) {
  const auto page = read({circuit("a", "1f"), circuit("a", "2e"), circuit("a")});
  EXPECT_EQ(page("switchgear_circuit_generation", {{"name", "a"}, {"circuit_instance", "1f"}}), 0);
  EXPECT_EQ(page("switchgear_circuit_generation", {{"name", "a"}, {"circuit_instance", "2e"}}), 0);
  EXPECT_EQ(page("switchgear_circuit_generation", {{"name", "a"}}), 0);
  EXPECT_EQ(page("switchgear_circuits_left_out"), 0);
}

TEST(prometheus_source, shows_the_first_of_two_that_cannot_be_told_apart) {
  auto first = circuit("a", "1f");
  first.now.generation = 7;
  const auto page = read({first, circuit("a", "1f")});
  EXPECT_EQ(page("switchgear_circuit_generation", {{"name", "a"}, {"circuit_instance", "1f"}}), 7);
  EXPECT_EQ(page("switchgear_circuits_left_out"), 1);
}

TEST(prometheus_source, leaves_out_what_is_beyond_the_bound_and_counts_it) {
  const auto page = read({circuit("c"), circuit("a"), circuit("b")}, {.max_circuits = 2});
  EXPECT_EQ(page("switchgear_circuits"), 2);
  EXPECT_EQ(page("switchgear_circuits_left_out"), 1);
  EXPECT_EQ(page("switchgear_circuit_generation", {{"name", "b"}}), std::nullopt);
}

TEST(prometheus_source, bounds_a_registry_too) {
  sg::registry circuits({.environment = sg::variables{}});
  for (const char* name : {"c", "a", "b"}) circuits.get(name);
  const sg::prometheus_collector metrics(circuits, {.max_circuits = 2});
  const exposition::page page(sg::to_prometheus_text(metrics.Collect()));
  EXPECT_EQ(page("switchgear_circuits_left_out"), 1);
  EXPECT_EQ(page("switchgear_circuit_generation", {{"name", "c"}}), std::nullopt);
}

TEST(prometheus_source, shows_no_counts_of_a_circuit_that_nobody_counts) {
  auto told = circuit("a");
  told.counted = false;
  told.now.state = sg::state::open;
  const auto page = read({told});
  EXPECT_EQ(page("switchgear_circuit_state", {{"name", "a"}, {"state", "open"}}), 1);
  EXPECT_FALSE(page.families().contains("switchgear_circuit_calls_total"));
  EXPECT_FALSE(page.families().contains("switchgear_circuit_window_failure_ratio"));
  EXPECT_FALSE(page.families().contains("switchgear_circuit_consecutive_failures"));
}

TEST(prometheus_source, of_no_circuits_still_says_how_many) {
  EXPECT_EQ(read({})("switchgear_circuits"), 0);
  EXPECT_FALSE(read({}).families().contains("switchgear_circuit_state"));
}

TEST(prometheus_source, hands_on_what_its_function_throws) {
  const sg::prometheus_collector metrics([]() -> std::vector<sg::prometheus_circuit> { throw std::runtime_error("gone"); });
  EXPECT_THROW((void)metrics.Collect(), std::runtime_error);
}

TEST(prometheus_source, takes_another_prefix_and_constant_labels) {
  const auto page = read({circuit("a")}, {.prefix = "shop", .labels = {{"service", R"(a "shop")"}}});
  EXPECT_EQ(page("shop_circuit_generation", {{"name", "a"}, {"service", R"(a "shop")"}}), 0);
  EXPECT_EQ(page("shop_circuits", {{"service", R"(a "shop")"}}), 1);
}

TEST(prometheus_source, says_every_problem_of_its_options_at_once) {
  EXPECT_THAT(problems({}), ElementsAre());
  EXPECT_THAT(problems({.prefix = "9", .labels = {{"name", "a"}, {"no-label", "a"}, {"zone", "\xff"}}, .max_circuits = 0}),
              ElementsAre("prefix", "labels", "labels", "labels.zone", "max_circuits"));
  EXPECT_THAT(problems({.prefix = ""}), ElementsAre("prefix"));
  EXPECT_THAT(problems({.prefix = "a:b"}), ElementsAre("prefix"));
  EXPECT_THAT(problems({.max_circuits = 1'000'001}), ElementsAre("max_circuits"));
  EXPECT_THROW(sg::prometheus_collector(sg::prometheus_options{.prefix = "a b"}), sg::config_error);
}

TEST(prometheus_source, gives_every_family_a_sentence_of_help) {
  const auto page = read({circuit("a")});
  for (const auto& [name, family] : page.families()) {
    EXPECT_TRUE(family.help.ends_with('.')) << name << ": " << family.help;
  }
}

TEST(prometheus_source, counts_events_that_were_dropped) {
  EXPECT_EQ(read({})("switchgear_events_dropped_total"), static_cast<double>(sg::dropped_events()));
}

TEST(prometheus_source, is_collected_while_circuits_and_policies_come) {
  sg::registry circuits({.environment = sg::variables{}});
  sg::prometheus_collector metrics(circuits);
  std::atomic<bool> done{false};
  std::thread adding([&] {
    for (int i = 0; i < 50; ++i) {
      circuits.get("circuit " + std::to_string(i));
      metrics.add("policy " + std::to_string(i), sg::retry());
    }
    done = true;
  });
  do {
    EXPECT_NO_THROW(exposition::page(sg::to_prometheus_text(metrics.Collect())));
  } while (!done);
  adding.join();
  const exposition::page page(sg::to_prometheus_text(metrics.Collect()));
  EXPECT_EQ(page("switchgear_circuits"), 50);
  EXPECT_EQ(page("switchgear_retry_retries_total", {{"name", "policy 49"}}), 0);
}

}  // namespace
