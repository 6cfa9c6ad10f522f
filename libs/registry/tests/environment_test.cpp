// SPDX-License-Identifier: Apache-2.0
#include "support.hpp"

#include <stdexcept>

namespace {

using namespace registries;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

struct environment : testing::Test {
  manual_clock clock;
  std::optional<std::string> value;
  std::vector<std::string> asked;
  sg::registry circuits{quiet({.read_variable =
                                   [this](std::string_view name) {
                                     asked.emplace_back(name);
                                     return value;
                                   }}),
                        clock};
};

TEST_F(environment, is_read_at_each_call) {
  value = "false";
  EXPECT_EQ(circuits.call("a", [] { return 1; }), 1);
  EXPECT_FALSE(circuits.contains("a")) << "nothing is looked up, made or counted";
  value = "true";
  EXPECT_EQ(circuits.call("a", [] { return 2; }), 2);
  EXPECT_EQ(circuits.find("a").snapshot().metrics.successes, 1U);
  value = "off";
  circuits.call("a", [] {});
  EXPECT_EQ(circuits.find("a").snapshot().metrics.successes, 1U);
  EXPECT_THAT(asked, testing::Each("SWITCHGEAR_CB_ENABLED"));
}

TEST_F(environment, lets_calls_through_an_open_circuit_while_it_disables) {
  circuits.get("a")->trip();
  EXPECT_THROW(circuits.call("a", [] {}), sg::circuit_open_error);
  value = "no";
  EXPECT_FALSE(circuits.enabled());
  EXPECT_NO_THROW(circuits.call("a", [] {}));
  EXPECT_THROW(circuits.call("a", [] { throw std::out_of_range("own"); }), std::out_of_range);
  EXPECT_EQ(circuits.find("a").snapshot().metrics.failures, 0U);
}

TEST_F(environment, lets_breakers_work_when_it_says_nothing) {
  EXPECT_TRUE(circuits.enabled());
  circuits.call("a", [] {});
  EXPECT_EQ(circuits.find("a").snapshot().metrics.successes, 1U);
}

TEST_F(environment, takes_a_configuration_with_the_call) {
  circuits.call("a", {.failure_threshold = 2}, [] {});
  EXPECT_EQ(circuits.find("a")->configuration().failure_threshold, 2);
  int seen = 0;
  circuits.call("b", [&](const std::stop_token& stop) { seen = stop.stop_requested() ? 2 : 1; });
  EXPECT_EQ(seen, 1);
}

TEST_F(environment, counts_what_it_cannot_read_as_not_set_and_reports_it_once_without_showing_it) {
  value = "secret-token";
  for (int i = 0; i < 3; ++i) circuits.call("a", [] {});
  EXPECT_EQ(circuits.find("a").snapshot().metrics.successes, 3U);
  ASSERT_THAT(circuits.reports(), SizeIs(1));
  EXPECT_EQ(circuits.reports()[0].kind, sg::registry_report_kind::environment_unreadable);
  EXPECT_EQ(circuits.metrics().reports, 1U);
  EXPECT_THAT(circuits.reports()[0].message, HasSubstr("SWITCHGEAR_CB_ENABLED"));
  EXPECT_THAT(circuits.reports()[0].message, Not(HasSubstr("secret")));
  value = "";
  (void)circuits.enabled();
  EXPECT_EQ(circuits.metrics().reports, 2U) << "another value that cannot be read";
}

TEST_F(environment, makes_pass_through_handles_while_it_says_no) {
  value = "false";
  EXPECT_EQ(circuits.get("a")->state(), sg::state::disabled);
}

TEST_F(environment, switches_on_by_a_call_what_it_had_switched_off) {
  value = "false";
  const auto h = circuits.get("a");
  value = "true";
  EXPECT_EQ(h->state(), sg::state::disabled) << "a handle is a plain breaker and does not read the environment";
  circuits.call("a", [] {});
  EXPECT_EQ(h->state(), sg::state::closed);
  EXPECT_EQ(h->snapshot().metrics.successes, 1U);
}

TEST_F(environment, leaves_off_what_was_asked_to_be_off) {
  circuits.get("a", {.enabled = false});
  value = "true";
  circuits.call("a", [] {});
  EXPECT_EQ(circuits.find("a")->state(), sg::state::disabled);
}

TEST(environment_of_options, decides_where_no_reader_is_given) {
  manual_clock clock;
  EXPECT_FALSE(sg::registry(quiet({.environment = sg::variables{{"SWITCHGEAR_CB_ENABLED", "0"}}}), clock).enabled());
  EXPECT_FALSE(sg::registry(quiet({.prefix = "MY", .environment = sg::variables{{"MY_ENABLED", "No"}}}), clock).enabled());
  EXPECT_TRUE(sg::registry(quiet(), clock).enabled());
}

TEST(environment_of_options, switches_a_preset_on_that_is_off_by_itself) {
  manual_clock clock;
  std::optional<std::string> value;
  const auto read = [&](std::string_view) { return value; };
  sg::registry circuits(quiet({.preset = "bindu", .prefix = "BINDU_CB", .read_variable = read}), clock);
  circuits.call("a", [] {});
  EXPECT_EQ(circuits.find("a")->state(), sg::state::disabled);
  value = "true";
  circuits.call("a", [] {});
  EXPECT_EQ(circuits.find("a")->state(), sg::state::closed);
}

TEST(environment_of_dotenv, counts_where_the_process_says_nothing) {
  folder here;
  write(here / ".env", "SWITCHGEAR_CB_ENABLED=false\n");
  manual_clock clock;
  EXPECT_FALSE(sg::registry(quiet({.dotenv = here / ".env"}), clock).enabled());
  EXPECT_TRUE(
      sg::registry(quiet({.environment = sg::variables{{"SWITCHGEAR_CB_ENABLED", "true"}}, .dotenv = here / ".env"}), clock)
          .enabled());
}

TEST(environment_of_the_process, is_read_where_nothing_else_is_given) {
  manual_clock clock;
  sg::registry circuits({.prefix = "SWITCHGEAR_REGISTRY_TEST"}, clock);
  EXPECT_TRUE(circuits.enabled());
  ::setenv("SWITCHGEAR_REGISTRY_TEST_ENABLED", "false", 1);
  EXPECT_FALSE(circuits.enabled());
  ::unsetenv("SWITCHGEAR_REGISTRY_TEST_ENABLED");
  EXPECT_TRUE(circuits.enabled());
}

}  // namespace
