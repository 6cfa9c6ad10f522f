// SPDX-License-Identifier: Apache-2.0
#include "support.hpp"

#include <sys/stat.h>
#include <unistd.h>

namespace {

using namespace registries;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

struct reload : testing::Test {
  folder here;
  manual_clock clock;
  std::string file = here / "circuits.toml";
  std::optional<sg::registry> made;

  sg::registry& with(std::string_view toml, sg::registry_options options = {}) {
    write(file, toml);
    options.file = file;
    return made.emplace(quiet(std::move(options)), clock);
  }
};

constexpr std::string_view three = "[defaults]\nfailure_threshold = 3\n";
constexpr std::string_view four = "[defaults]\nfailure_threshold = 4\n";

TEST_F(reload, applies_to_live_breakers_and_to_those_to_come) {
  auto& circuits = with(three);
  const auto h = circuits.get("a");
  replace(file, four);
  EXPECT_THAT(circuits.reload(), IsEmpty());
  EXPECT_EQ(h->configuration().failure_threshold, 4);
  EXPECT_EQ(circuits.get("b")->configuration().failure_threshold, 4);
  EXPECT_EQ(circuits.metrics().reloads, 1U);
  EXPECT_THAT(circuits.reports(), IsEmpty());
}

TEST_F(reload, keeps_state_and_counts) {
  auto& circuits = with(three);
  auto h = circuits.get("a");
  fail_times(*h, 2);
  replace(file, four);
  (void)circuits.reload();
  EXPECT_EQ(h->snapshot().consecutive_failures, 2U);
  fail_times(*h, 2);
  EXPECT_TRUE(h->is_open());
}

TEST_F(reload, leaves_a_whole_configuration_of_its_own_alone) {
  auto& circuits = with(three);
  const auto h = circuits.get("a", {.failure_threshold = 9});
  replace(file, four);
  (void)circuits.reload();
  EXPECT_EQ(h->configuration().failure_threshold, 9);
}

TEST_F(reload, reports_once_that_a_whole_configuration_hides_a_table) {
  auto& circuits = with("[defaults]\njitter = 0.1\n[breaker.a]\nwindow = 5\n");
  for (int i = 0; i < 3; ++i) circuits.get("a", {.failure_threshold = 9});
  circuits.get("no table is for this", {.failure_threshold = 9});
  circuits.get("keys", sg::config_patch().set("jitter", sg::raw_value::real(0.5)));
  ASSERT_THAT(circuits.reports(), SizeIs(1));
  EXPECT_EQ(circuits.reports()[0].kind, sg::registry_report_kind::file_hidden);
  EXPECT_EQ(circuits.reports()[0].name, "a");
  EXPECT_EQ(circuits.reports()[0].times, 1U);
  EXPECT_THAT(to_string(circuits.reports()[0]), HasSubstr("file_hidden: a: "));
}

TEST_F(reload, reports_that_a_whole_configuration_hides_a_table_that_comes_later) {
  auto& circuits = with(three);
  circuits.get("a", {.failure_threshold = 9});
  EXPECT_THAT(circuits.reports(), IsEmpty());
  replace(file, "[breaker.\"*\"]\nwindow = 5\n");
  EXPECT_THAT(circuits.reload(), IsEmpty());
  ASSERT_THAT(circuits.reports(), SizeIs(1));
  EXPECT_EQ(circuits.reports()[0].kind, sg::registry_report_kind::file_hidden);
}

TEST_F(reload, keeps_explicit_keys_over_the_new_file) {
  auto& circuits = with("[defaults]\nfailure_threshold = 3\njitter = 0.1\n");
  const auto h = circuits.get("a", sg::config_patch().set("failure_threshold", sg::raw_value::integer(std::int64_t{9})));
  replace(file, "[defaults]\nfailure_threshold = 4\njitter = 0.2\n");
  (void)circuits.reload();
  EXPECT_EQ(h->configuration(), (sg::config{.failure_threshold = 9, .jitter = 0.2}));
}

TEST_F(reload, keeps_the_preset_of_an_agent_under_the_new_file) {
  auto& circuits = with("");
  const auto h = circuits.for_agent("x", "llm");
  replace(file, "[breaker.\"agent.*\"]\njitter = 0.5\n");
  (void)circuits.reload();
  sg::config wanted = sg::presets::llm();
  wanted.jitter = 0.5;
  EXPECT_EQ(h->configuration(), wanted);
}

TEST_F(reload, touches_only_breakers_whose_layers_say_something_else) {
  auto& circuits = with("[breaker.a]\nwindow = 5\n[breaker.b]\nwindow = 5\n");
  const auto a = circuits.get("a"), b = circuits.get("b");
  b->reconfigure([](sg::config& c) { c.jitter = 0.5; });
  replace(file, "[breaker.a]\nwindow = 6\n[breaker.b]\nwindow = 5\n");
  (void)circuits.reload();
  EXPECT_EQ(a->configuration().window, sg::calls(6));
  EXPECT_EQ(b->configuration().jitter, 0.5) << "what an operator changed stays";
}

TEST_F(reload, goes_back_when_a_table_goes) {
  auto& circuits = with("[breaker.a]\nwindow = 5\n");
  const auto a = circuits.get("a");
  replace(file, "# nothing\n");
  (void)circuits.reload();
  EXPECT_EQ(a->configuration(), sg::config{});
}

TEST_F(reload, does_nothing_when_the_text_is_the_same) {
  auto& circuits = with(three);
  replace(file, three);
  EXPECT_THAT(circuits.reload(), IsEmpty());
  EXPECT_EQ(circuits.metrics().reloads, 0U);
}

TEST_F(reload, does_nothing_without_a_file) {
  sg::registry circuits(quiet(), clock);
  EXPECT_THAT(circuits.reload(), IsEmpty());
}

struct refused_reload : reload {
  /// Puts `toml` in the place of a good file; it has to be refused and to change nothing.
  std::vector<sg::problem> refuse(std::string_view toml) {
    auto& circuits = with(three);
    const auto h = circuits.get("a");
    replace(file, toml);
    const auto problems = circuits.reload();
    expect_unchanged(h, problems);
    return problems;
  }
  void expect_unchanged(const sg::breaker_handle& h, const std::vector<sg::problem>& problems) {
    EXPECT_THAT(problems, testing::Not(IsEmpty()));
    EXPECT_EQ(h->configuration().failure_threshold, 3);
    EXPECT_EQ(made->get("new")->configuration().failure_threshold, 3);
    const auto reports = made->reports();
    ASSERT_THAT(reports, SizeIs(1));
    EXPECT_EQ(reports[0].kind, sg::registry_report_kind::file_refused);
    EXPECT_EQ(reports[0].problems, problems);
    EXPECT_EQ(made->metrics().reloads, 0U);
  }
};

TEST_F(refused_reload, for_text_that_is_no_toml) { (void)refuse("[defaults\nfailure_threshold = 4\n"); }

TEST_F(refused_reload, for_a_file_that_is_half_written) { (void)refuse(four.substr(0, four.size() - 4)); }

TEST_F(refused_reload, for_values_out_of_range_with_each_of_them) {
  EXPECT_THAT(keys_of(refuse("[defaults]\nfailure_threshold = 4\njitter = 2\n[breaker.x]\nwindow = 0\n")),
              ElementsAre("jitter", "window"));
}

TEST_F(refused_reload, for_an_empty_file) { EXPECT_THAT(refuse("")[0].message, HasSubstr("empty")); }

TEST_F(refused_reload, for_a_file_that_was_removed) {
  auto& circuits = with(three);
  const auto h = circuits.get("a");
  std::filesystem::remove(file);
  const auto problems = circuits.reload();
  expect_unchanged(h, problems);
  EXPECT_THAT(problems[0].message, HasSubstr("No such file"));
}

TEST_F(refused_reload, for_a_file_that_cannot_be_read) {
  auto& circuits = with(three);
  const auto h = circuits.get("a");
  std::filesystem::remove(file);
  std::filesystem::create_directory(file);  // permissions would not stop a test that runs as root
  expect_unchanged(h, circuits.reload());
}

TEST_F(refused_reload, for_a_combination_that_one_live_breaker_cannot_have) {
  auto& circuits = with("[defaults]\nfailure_threshold = 3\n");
  const auto h = circuits.get("a");
  const auto narrow = circuits.get("narrow", sg::config_patch().set("window", sg::raw_value::integer(std::int64_t{20})));
  replace(file, "[defaults]\nfailure_threshold = 4\nminimum_calls = 50\n");
  const auto problems = circuits.reload();
  expect_unchanged(h, problems);
  EXPECT_THAT(to_string(problems[0]), HasSubstr("narrow"));
  EXPECT_EQ(narrow->configuration().failure_threshold, 3);
}

TEST_F(refused_reload, is_forgotten_with_the_next_good_file) {
  (void)refuse("junk");
  replace(file, four);
  EXPECT_THAT(made->reload(), IsEmpty());
  EXPECT_EQ(made->find("a")->configuration().failure_threshold, 4);
}

TEST_F(reload, applies_to_a_breaker_that_is_being_made_meanwhile) {
  bool comes_now = false;
  auto& circuits = with(three, {.read_variable = [&](std::string_view) -> std::optional<std::string> {
    if (std::exchange(comes_now, false)) {
      replace(file, four);
      EXPECT_THAT(made->reload(), IsEmpty());
    }
    return std::nullopt;
  }});
  comes_now = true;
  EXPECT_EQ(circuits.get("a")->configuration().failure_threshold, 4);
  EXPECT_FALSE(comes_now);
}

TEST_F(reload, applies_to_breakers_that_live_on_and_not_to_one_that_was_removed) {
  auto& circuits = with(three);
  const auto removed = circuits.get("removed");
  circuits.remove("removed");
  replace(file, four);
  (void)circuits.reload();
  EXPECT_EQ(removed->configuration().failure_threshold, 3);
}

TEST_F(reload, gives_no_reason_to_report_a_configuration_that_was_asked_for_before) {
  auto& circuits = with(three);
  const auto keys = sg::config_patch().set("jitter", sg::raw_value::real(0.5));
  circuits.get("a", keys);
  replace(file, four);
  (void)circuits.reload();
  circuits.get("a", keys);
  EXPECT_THAT(circuits.reports(), IsEmpty());
}

}  // namespace
