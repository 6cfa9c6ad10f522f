// SPDX-License-Identifier: Apache-2.0
#include "dashboard_support.hpp"

#include <prometheus/counter.h>
#include <prometheus/registry.h>

namespace {

using namespace dashboards;
using testing::ElementsAre;
using testing::Each;
using testing::HasSubstr;
using testing::Not;
using testing::UnorderedElementsAre;

struct api_over_a_script : testing::Test {
  std::shared_ptr<scripted_source> source = std::make_shared<scripted_source>();
  manual_clock clock;
  sg::dashboard_options options = with_token();
  std::unique_ptr<sg::detail::api> made;
  sg::detail::api& api() {
    if (!made) {
      made = std::make_unique<sg::detail::api>(source, options, clock);
      made->refresh();
    }
    return *made;
  }
  sg::detail::web_answer ask(texts path, bool knows_token = false) {
    auto r = get(std::move(path));
    r.knows_token = knows_token;
    return api().answer(r);
  }
  json circuits() { return json_of(ask({"api", "v1", "circuits"})); }
  json circuit(const std::string& name) { return json_of(ask({"api", "v1", "circuits", name})); }
};

TEST_F(api_over_a_script, tells_what_it_is_and_who_asks) {
  options.title = "<b>";
  options.critical = {"pay*"};
  auto r = get({"api", "v1", "session"});
  EXPECT_EQ(json_of(api().answer(r)), json::parse(R"({"version":1,"switchgear":"0.1.0","title":"<b>","read_only":false,
    "can_act":false,"actions":"on","reading_needs_token":false,"token_ok":false,"refresh_ms":1000,"critical":["pay*"]})"));
  r.knows_token = r.may_act = true;
  EXPECT_EQ(json_of(api().answer(r))["can_act"], true);
  EXPECT_EQ(json_of(api().answer(r))["token_ok"], true);
}

TEST_F(api_over_a_script, says_when_nobody_can_act_and_when_reading_needs_the_token) {
  options.read_only = true;
  options.listen = "0.0.0.0:0";
  const json session = json_of(ask({"api", "v1", "session"}));
  EXPECT_EQ(session["actions"], "off");
  EXPECT_EQ(session["reading_needs_token"], true);
}

TEST_F(api_over_a_script, escapes_names_and_reasons) {
  for (const std::string& name : hostile_names) source->add(name).reason = name;
  source->add("no \xff utf-8").now.last_failure = "\xff";
  const json all = circuits()["circuits"];
  ASSERT_EQ(all.size(), hostile_names.size() + 1);
  for (const std::string& name : hostile_names) {
    const json page = circuit(name);
    EXPECT_EQ(page["circuit"]["name"], name);
    EXPECT_EQ(page["circuit"]["reason"], name);
    EXPECT_EQ(page["snapshot"]["name"], name);
  }
}

TEST_F(api_over_a_script, shows_a_source_that_throws_as_a_problem_and_keeps_the_rest) {
  source->add("a");
  api();
  source->throws = true;
  api().refresh();
  EXPECT_THAT(circuits()["problems"][0].get<std::string>(), HasSubstr("the store is away"));
  EXPECT_EQ(circuits()["circuits"].size(), 1u);
  EXPECT_EQ(ask({"api", "v1", "circuits", "a"}).status, 503u);
  source->throws = false;
  source->wrong = {"disk \"full\""};
  api().refresh();
  EXPECT_EQ(circuits()["problems"], json::parse(R"(["disk \"full\""])"));
}

TEST_F(api_over_a_script, answers_404_for_what_is_not_there) {
  EXPECT_EQ(json_of(ask({"api", "v1", "circuits", "a"}))["error"]["code"], "unknown_circuit");
  const std::vector<texts> paths{{"api"}, {"api", "v1"}, {"api", "v2", "circuits"}, {"api", "v1", "other"},
                                 {"x"},   {},            {"api", "v1", "session", "x"}, {"api", "v1", "circuits", "a", "explode"}};
  for (const texts& path : paths) {
    const auto answer = ask(path);
    EXPECT_EQ(answer.status, 404u);
    EXPECT_EQ(json_of(answer)["error"]["code"], "not_found");
  }
}

TEST_F(api_over_a_script, answers_405_for_other_methods) {
  auto r = get({"api", "v1", "circuits"});
  r.method = "POST";
  const auto answer = api().answer(r);
  EXPECT_EQ(answer.status, 405u);
  EXPECT_THAT(answer.headers, ElementsAre(testing::Pair("Allow", "GET, HEAD")));
  EXPECT_THAT(ask({"api", "v1", "circuits", "a", "trip"}).headers, ElementsAre(testing::Pair("Allow", "POST")));
}

TEST_F(api_over_a_script, is_healthy) {
  EXPECT_EQ(text_of(ask({"healthz"})), "ok");
  EXPECT_EQ(ask({"healthz"}).content_type, "text/plain; charset=utf-8");
}

TEST_F(api_over_a_script, is_not_ready_while_a_critical_circuit_is_open) {
  options.critical = {"pay*"};
  source->add("payments").now.state = sg::state::forced_open;
  source->add("search").now.state = sg::state::open;
  EXPECT_EQ(ask({"readyz"}).status, 503u);
  EXPECT_EQ(json_of(ask({"readyz"})), json::parse(R"({"ready":false,"open":["payments"]})"));
  source->readings[0].now.state = sg::state::half_open;
  api().refresh();
  EXPECT_EQ(ask({"readyz"}).status, 200u);
  EXPECT_EQ(json_of(ask({"readyz"})), json::parse(R"({"ready":true,"open":[]})"));
}

TEST_F(api_over_a_script, is_always_ready_when_told_so) {
  options.critical = {"*"};
  options.ready = sg::readiness::always;
  source->add("a").now.state = sg::state::open;
  EXPECT_EQ(ask({"readyz"}).status, 200u);
}

TEST_F(api_over_a_script, names_no_circuit_in_readyz_to_who_may_not_read) {
  options.critical = {"*"};
  options.listen = "0.0.0.0:0";
  source->add("secret").now.state = sg::state::open;
  EXPECT_EQ(json_of(ask({"readyz"})), json::parse(R"({"ready":false,"open":[]})"));
  EXPECT_EQ(json_of(ask({"readyz"}, true))["open"], json({"secret"}));
}

TEST_F(api_over_a_script, shows_metrics_of_every_instance_and_only_the_state_of_what_is_not_counted) {
  source->add("a", "1");
  source->add("a", "2");
  source->add("b", "3").counted = false;
  const auto answer = ask({"metrics"});
  EXPECT_EQ(answer.content_type, "text/plain; version=0.0.4; charset=utf-8");
  std::istringstream lines(text_of(answer));
  texts of_b, all;
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with("#")) all.push_back(line.substr(0, line.rfind(' ')));
    if (line.find("name=\"b\"") != std::string::npos) of_b.push_back(line);
  }
  std::ranges::sort(all);
  EXPECT_EQ(std::ranges::adjacent_find(all), all.end()) << "a sample stands twice";
  EXPECT_FALSE(of_b.empty());
  EXPECT_THAT(of_b, Each(Not(HasSubstr("calls_total"))));
  EXPECT_THAT(text_of(answer), HasSubstr("circuit_instance=\"2\""));
}

TEST_F(api_over_a_script, adds_other_collectables_to_metrics_and_leaves_out_those_that_fail) {
  struct failing : ::prometheus::Collectable {
    std::vector<::prometheus::MetricFamily> Collect() const override { throw std::runtime_error("broken"); }
  };
  const auto other = std::make_shared<::prometheus::Registry>();
  ::prometheus::BuildCounter().Name("my_counter").Register(*other).Add({}).Increment(7);
  options.collectables = {std::make_shared<failing>(), other};
  texts notices;
  options.on_notice = [&](const std::string& line) { notices.push_back(line); };
  EXPECT_THAT(text_of(ask({"metrics"})), HasSubstr("my_counter 7"));
  EXPECT_THAT(notices, ElementsAre(HasSubstr("broken")));
}

// --- the stream ---

TEST_F(api_over_a_script, begins_a_stream_with_all_circuits_and_then_tells_what_changed) {
  source->add("a");
  source->add("b");
  api();
  const stream_recorder told;
  const auto stream = api().open_stream(told.writer());
  EXPECT_EQ(told.last("circuits"), circuits());
  api().refresh();
  EXPECT_EQ(told.last("changes")["circuits"], json::array());
  source->readings[1].now.consecutive_failures = 1;
  api().refresh();
  EXPECT_EQ(told.last("changes")["circuits"][0]["name"], "b");
  EXPECT_THAT(keys_of(told.last("changes")), UnorderedElementsAre("time", "summary", "problems", "circuits", "gone"));
  EXPECT_THAT(told.kinds(), ElementsAre("circuits", "changes", "changes"));
}

TEST_F(api_over_a_script, tells_transitions_as_they_happen_and_not_how_things_were) {
  source->add("a");
  api();
  const stream_recorder told;
  const auto stream = api().open_stream(told.writer());
  sg::event e;
  e.kind = sg::event_kind::opened;
  e.service = "a";
  e.state = sg::state::open;
  source->handler(e);
  EXPECT_EQ(told.last("transition"), json::parse(to_json(e)));
  e.present = true;
  source->handler(e);
  e.present = false;
  e.kind = sg::event_kind::failure;
  source->handler(e);
  EXPECT_THAT(told.kinds(), ElementsAre("circuits", "transition"));
}

TEST_F(api_over_a_script, keeps_the_last_failures_of_a_circuit) {
  source->add("a", "1");
  api();
  sg::event e;
  e.kind = sg::event_kind::failure;
  e.service = "a";
  e.instance = "1";
  e.correlation_id = "call-1";
  for (int i = 0; i < 60; ++i) {
    e.reason = std::to_string(i);
    source->handler(e);
  }
  const json failures = circuit("a")["recent_failures"];
  ASSERT_EQ(failures.size(), 50u);
  EXPECT_EQ(failures[0]["text"], "59");
  EXPECT_EQ(failures[0]["correlation_id"], "call-1");
  EXPECT_THAT(keys_of(failures[0]), UnorderedElementsAre("time", "kind", "text", "correlation_id"));
}

TEST_F(api_over_a_script, tells_the_end_of_a_long_history) {
  source->add("a");
  for (std::uint64_t i = 1; i <= 1500; ++i) source->more.changes.emplace_back().generation = i;
  const json page = circuit("a");
  ASSERT_EQ(page["history"].size(), 1000u);
  EXPECT_EQ(page["history"][999]["generation"], 1500);
}

TEST_F(api_over_a_script, tells_how_each_instance_sees_a_shared_circuit) {
  source->add("a");
  source->more.instances = {{.instance = "web-1/17/x", .state = sg::state::open, .in_state = 1500ms, .calls = 9, .failures = 5,
                             .rejections = 2, .link = "shared"},
                            {.instance = "web-2/4/y", .in_state = -1s, .link = {}}};
  const json views = circuit("a")["views"];
  ASSERT_EQ(views.size(), 2u);
  EXPECT_EQ(views[0], json::parse(R"({"instance":"web-1/17/x","state":"open","time_in_state":1.5,"calls":9,"failures":5,
    "rejections":2,"link":"shared"})"));
  EXPECT_EQ(views[1]["time_in_state"], 0.0);
  EXPECT_EQ(views[1]["link"], "");
}

TEST_F(api_over_a_script, tells_no_views_of_a_circuit_that_nobody_shares) {
  source->add("a");
  EXPECT_EQ(circuit("a")["views"], json::array());
}

TEST_F(api_over_a_script, escapes_and_bounds_the_views_of_a_circuit) {
  source->add("a");
  for (const std::string& name : hostile_names) source->more.instances.push_back({.instance = name, .link = name});
  source->more.instances.push_back({.instance = std::string(5000, 'x'), .link = "no \xff utf-8"});
  const json views = circuit("a")["views"];
  ASSERT_EQ(views.size(), hostile_names.size() + 1);
  for (std::size_t i = 0; i < hostile_names.size(); ++i) EXPECT_EQ(views[i]["instance"], hostile_names[i]);
  EXPECT_LE(views.back()["instance"].get<std::string>().size(), 1000u);
  source->more.instances.resize(1500);
  EXPECT_EQ(circuit("a")["views"].size(), 1000u);
}

TEST_F(api_over_a_script, shows_one_thousand_circuits) {
  for (int i = 0; i < 1000; ++i) source->add("circuit-" + std::to_string(i));
  EXPECT_EQ(circuits()["circuits"].size(), 1000u);
  source->readings[500].reason = "changed";
  const stream_recorder told;
  const auto stream = api().open_stream(told.writer());
  api().refresh();
  EXPECT_EQ(told.last("changes")["circuits"].size(), 1u);
}

// --- over a registry ---

TEST(api_over_a_registry, tells_nothing_while_circuits_rest_whatever_state_they_are_in) {
  registry_dashboard d;
  sg::testing::fail_times(*d.make("open"), 2);
  d.make("held")->force_open("maintenance", "ops");  // without an end, which the wall clock would show to move
  d.make("closed");
  sg::testing::fail_times(*d.make("failed"), 1);
  d.api.refresh();
  const stream_recorder told;
  const auto stream = d.api.open_stream(told.writer());
  for (int second = 0; second < 12; ++second) {
    d.clock.advance(1s);
    d.api.refresh();
    EXPECT_EQ(told.last("changes")["circuits"], json::array()) << second;
  }
}

TEST(api_over_a_registry, shows_history_configuration_and_snapshot_of_a_circuit) {
  registry_dashboard d;
  sg::testing::fail_times(*d.make("a"), 2);
  d.api.refresh();
  const json page = d.page("a");
  EXPECT_THAT(keys_of(page), UnorderedElementsAre("time", "circuit", "snapshot", "instances", "views", "configuration",
                                                  "history", "recent_failures", "series", "audit"));
  EXPECT_EQ(page["circuit"]["state"], "open");
  EXPECT_EQ(page["circuit"]["reason"], "2 consecutive failures (threshold 2)");
  EXPECT_EQ(page["history"][0]["to_state"], "open");
  EXPECT_EQ(page["snapshot"]["state_changes"], page["history"]);
  EXPECT_EQ(page["instances"].size(), 1u);
  EXPECT_EQ(page["configuration"][2]["key"], "failure_threshold");
  EXPECT_EQ(page["configuration"][2]["value"], "2");
}

}  // namespace
