// SPDX-License-Identifier: Apache-2.0
#include "support.hpp"

#include <stdexcept>

namespace {

using namespace registries;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

struct asking : testing::Test {
  manual_clock clock;
  sg::registry circuits{quiet(), clock};
};

TEST_F(asking, makes_a_breaker_of_that_name) {
  const auto storage = circuits.get("storage:save_task", {.failure_threshold = 3});
  EXPECT_EQ(storage->name(), "storage:save_task");
  EXPECT_EQ(storage->configuration(), (sg::config{.failure_threshold = 3}));
  EXPECT_TRUE(storage->is_closed());
}

TEST_F(asking, gives_the_same_breaker_for_the_same_name) {
  EXPECT_EQ(circuits.get("a"), circuits.get("a"));
  EXPECT_NE(circuits.get("a"), circuits.get("b"));
  EXPECT_EQ(circuits.size(), 2U);
}

TEST_F(asking, runs_breakers_on_the_clock_of_the_registry) {
  const auto h = circuits.get("a", small_config());
  open(h);
  clock.advance(30s);
  EXPECT_TRUE(h->is_half_open());
}

TEST_F(asking, names_agents_and_gives_them_the_preset_of_their_type) {
  EXPECT_EQ(circuits.for_agent("researcher", "llm")->name(), "agent.researcher");
  EXPECT_EQ(circuits.for_agent("researcher", "llm")->configuration(), sg::presets::llm());
  EXPECT_EQ(circuits.for_agent("reader", "file")->configuration(), sg::presets::service());
  EXPECT_EQ(circuits.for_agent("other", "gardener")->configuration(), sg::presets::standard());
  EXPECT_THAT(circuits.reports(), IsEmpty());
}

TEST_F(asking, reads_as_in_the_guide) {
  auto researcher = circuits.for_agent("researcher", "llm");
  EXPECT_EQ(researcher->call([] { return 42; }), 42);
}

TEST_F(asking, uses_the_classifier_it_is_given) {
  const auto h = circuits.get("a", {.failure_threshold = 1}, sg::classifier{}.ignore<std::out_of_range>());
  EXPECT_THROW(h->call([] { throw std::out_of_range("the caller's fault"); }), std::out_of_range);
  EXPECT_TRUE(h->is_closed());
  const auto other = circuits.get("b", sg::classifier{}.fail_if([](int status) { return status >= 500; }));
  other->call([] { return 503; });
  EXPECT_EQ(other->snapshot().metrics.failures, 1U);
}

TEST_F(asking, refuses_a_configuration_with_every_problem_and_makes_nothing) {
  EXPECT_THAT(refused([&] { circuits.get("a", {.failure_threshold = -1, .window_buckets = 0, .jitter = 2}); }),
              ElementsAre("failure_threshold", "window_buckets", "jitter"));
  EXPECT_THAT(refused([&] {
                circuits.get("a", sg::config_patch().set("jitter", sg::raw_value::real(2)).set("jiter", sg::raw_value::real(1)));
              }),
              testing::UnorderedElementsAre("jitter", "jiter"));
  EXPECT_EQ(circuits.size(), 0U);
  EXPECT_FALSE(circuits.contains("a"));
}

TEST_F(asking, refuses_a_name_that_no_breaker_can_have) {
  for (const std::string& bad :
       {std::string(), std::string(201, 'x'), std::string("a\nb"), std::string("\xff"), std::string(1, '\0')}) {
    EXPECT_THAT(refused([&] { circuits.get(bad); }), ElementsAre("name"));
    EXPECT_FALSE(circuits.find(bad));
  }
  EXPECT_THAT(refused([&] { circuits.get("", {.jitter = 2}); }), ElementsAre("name", "jitter"));
  EXPECT_THAT(refused([&] { circuits.for_agent(std::string(200, 'x'), "llm"); }), ElementsAre("name"));
}

TEST_F(asking, takes_names_of_every_length_up_to_the_longest) {
  std::vector<sg::breaker_handle> all;
  for (std::size_t size = 1; size <= 200; ++size) {
    all.push_back(circuits.get(std::string(size, 'x')));
    all.push_back(circuits.get(std::string(size - 1, 'x') + "y"));
  }
  EXPECT_EQ(circuits.size(), 400U);
  for (const auto& h : all) EXPECT_EQ(circuits.find(h->name()), h);
}

TEST_F(asking, again_with_another_configuration_gives_the_existing_breaker_and_reports_it) {
  const auto first = circuits.get("a", {.failure_threshold = 3});
  const auto second = circuits.get("a", {.failure_threshold = 4, .open_duration = 5s});
  EXPECT_EQ(first, second);
  EXPECT_EQ(second->configuration().failure_threshold, 3);
  const auto reports = circuits.reports();
  ASSERT_THAT(reports, SizeIs(1));
  EXPECT_EQ(reports[0].kind, sg::registry_report_kind::different_configuration);
  EXPECT_EQ(reports[0].name, "a");
  EXPECT_THAT(reports[0].message, AllOf(HasSubstr("failure_threshold is 3, asked for 4"), HasSubstr("open_duration is")));
  EXPECT_EQ(circuits.metrics().reports, 1U);
  EXPECT_THAT(to_string(reports[0]), HasSubstr("different_configuration: a: failure_threshold is 3"));
}

TEST_F(asking, again_with_the_same_configuration_reports_nothing) {
  circuits.get("a", {.failure_threshold = 3});
  circuits.get("a", {.failure_threshold = 3});
  circuits.get("a");
  circuits.get("a", sg::config_patch().set("failure_threshold", sg::raw_value::integer(std::int64_t{3})));
  circuits.for_agent("x", "llm");
  circuits.for_agent("x", "ai");
  EXPECT_THAT(circuits.reports(), IsEmpty());
}

TEST_F(asking, again_reports_nothing_when_only_an_operator_changed_the_breaker) {
  const auto h = circuits.get("a", {.failure_threshold = 3});
  h->reconfigure([](sg::config& c) { c.failure_threshold = 7; });
  circuits.get("a", {.failure_threshold = 3});
  EXPECT_THAT(circuits.reports(), IsEmpty());
}

TEST_F(asking, an_agent_again_with_another_type_is_reported) {
  circuits.for_agent("x", "llm");
  EXPECT_EQ(circuits.for_agent("x", "file")->configuration(), sg::presets::llm());
  EXPECT_THAT(circuits.reports(), SizeIs(1));
}

TEST_F(asking, for_a_classifier_of_a_breaker_without_one_is_reported) {
  circuits.get("a");
  circuits.get("a", sg::classifier{}.ignore<std::out_of_range>());
  ASSERT_THAT(circuits.reports(), SizeIs(1));
  EXPECT_THAT(circuits.reports()[0].message, HasSubstr("classifier"));
}

TEST_F(asking, again_with_an_impossible_configuration_is_refused) {
  circuits.get("a");
  EXPECT_THAT(refused([&] { circuits.get("a", {.jitter = 2}); }), ElementsAre("jitter"));
}

TEST(reports, reach_the_callback_once_and_are_counted) {
  std::vector<sg::registry_report> heard;
  sg::registry circuits(quiet({.on_report = [&](const sg::registry_report& r) { heard.push_back(r); }}));
  circuits.get("a");
  for (int i = 0; i < 3; ++i) circuits.get("a", {.failure_threshold = 9});
  EXPECT_THAT(heard, SizeIs(1));
  EXPECT_THAT(circuits.reports(), SizeIs(1));
  EXPECT_EQ(circuits.reports()[0].times, 3U);
  EXPECT_EQ(circuits.metrics().reports, 3U);
}

TEST(reports, of_places_that_ask_in_turns_are_kept_once_for_each) {
  int heard = 0;
  sg::registry circuits(quiet({.on_report = [&](const sg::registry_report&) { ++heard; }}));
  circuits.get("a");
  for (int i = 0; i < 1000; ++i) {
    circuits.get("a", {.failure_threshold = 3});
    circuits.get("a", {.failure_threshold = 7});
  }
  EXPECT_EQ(heard, 2);
  ASSERT_THAT(circuits.reports(), SizeIs(2));
  EXPECT_EQ(circuits.reports()[0].times, 1000U);
  EXPECT_EQ(circuits.reports()[1].times, 1000U);
}

TEST(reports, are_bounded_and_the_oldest_go_first) {
  sg::registry circuits(quiet({.max_reports = 3}));
  for (const char* name : {"a", "b", "c", "d", "e"}) {
    circuits.get(name);
    circuits.get(name, {.failure_threshold = 9});
  }
  std::vector<std::string> names;
  for (const auto& r : circuits.reports()) names.push_back(r.name);
  EXPECT_THAT(names, ElementsAre("c", "d", "e"));
  EXPECT_EQ(circuits.metrics().reports, 5U);
}

TEST(reports, may_use_the_registry_from_the_callback_and_throw) {
  sg::registry* self = nullptr;
  int calls = 0;
  sg::registry circuits(quiet({.on_report = [&](const sg::registry_report& r) {
    ++calls;
    self->get("from the callback");
    self->remove(r.name);
    (void)self->reload();
    throw std::runtime_error("dropped");
  }}));
  self = &circuits;
  circuits.get("a");
  EXPECT_NO_THROW(circuits.get("a", {.failure_threshold = 9}));
  EXPECT_EQ(calls, 1);
  EXPECT_THAT(circuits.names(), ElementsAre("from the callback"));
}

TEST(default_registry, is_always_the_same) {
  EXPECT_EQ(&sg::default_registry(), &sg::default_registry());
  const auto h = sg::default_registry().get("shared");
  EXPECT_EQ(sg::default_registry().find("shared"), h);
  sg::default_registry().clear();
}

}  // namespace
