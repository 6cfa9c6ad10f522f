// SPDX-License-Identifier: Apache-2.0
#include "board.hpp"
#include "dashboard_support.hpp"

#include <switchgear/errors.hpp>

namespace {

using namespace dashboards;
using sg::detail::board;
using testing::ElementsAre;
using testing::HasSubstr;

struct a_board : testing::Test {
  manual_clock clock{1h};
  scripted_source source;
  board b{{"pay*"}, clock};

  json refresh() { return json::parse(*b.take(source.readings, source.wrong, true)); }
  json all() { return json::parse(*b.document()); }
  json series(const std::string& name) { return json::parse(b.find(name, "")->series); }
  texts changed() {
    texts out;
    const json told = refresh();
    for (const json& r : told["circuits"]) out.push_back(r["name"]);
    return out;
  }
};

TEST_F(a_board, shows_circuits_in_the_order_of_names_and_instances) {
  source.add("b", "2");
  source.add("a");
  source.add("b", "1");
  refresh();
  texts order;
  const json shown = all();
  for (const json& r : shown["circuits"]) order.push_back(r["name"].get<std::string>() + r["instance"].get<std::string>());
  EXPECT_THAT(order, ElementsAre("a", "b1", "b2"));
}

TEST_F(a_board, counts_states) {
  source.add("a");
  source.add("b").now.state = sg::state::open;
  source.add("c").now.state = sg::state::forced_open;
  source.add("d").shadow = true;
  const json s = refresh()["summary"];
  EXPECT_EQ(s, json::parse(R"({"total":4,"closed":2,"open":1,"half_open":0,"forced_open":1,"disabled":0,"shadow":1})"));
  EXPECT_EQ(all()["summary"], s);
}

TEST_F(a_board, tells_new_circuits_and_then_nothing_while_nothing_happens) {
  source.add("a");
  source.add("b");
  EXPECT_THAT(changed(), ElementsAre("a", "b"));
  EXPECT_THAT(changed(), ElementsAre());
  source.readings[1].now.metrics.successes = 1;
  clock.advance(1s);
  EXPECT_THAT(changed(), ElementsAre("b"));
}

TEST_F(a_board, keeps_the_text_of_a_row_though_its_moments_come_out_a_little_apart) {
  auto& r = source.add("a");
  r.now.state = sg::state::open;
  r.now.generation = 3;
  r.now.time_in_state = 5s;
  r.now.retry_after = 25s;
  r.now.last_failure_time = std::chrono::system_clock::time_point(1'000'000s);
  r.now.operator_override = sg::override_info{"ops", "why", std::chrono::system_clock::time_point(2'000'000s)};
  refresh();
  const std::string before = b.find("a", "")->row_text;
  auto& again = source.readings[0].now;
  again.time_in_state = 7s;  // though no time has passed at all
  again.retry_after = 24s;
  again.last_failure_time = *again.last_failure_time + 3ms;
  again.operator_override->until = *again.operator_override->until - 2ms;
  EXPECT_THAT(changed(), ElementsAre());
  EXPECT_EQ(b.find("a", "")->row_text, before);
}

TEST_F(a_board, tells_when_a_generation_has_begun) {
  auto& r = source.add("a");
  r.now.time_in_state = 1h;
  refresh();
  const json before = all()["circuits"][0]["since"];
  source.readings[0].now.generation = 1;
  source.readings[0].now.time_in_state = 0s;
  EXPECT_THAT(changed(), ElementsAre("a"));
  EXPECT_NE(all()["circuits"][0]["since"], before);
}

TEST_F(a_board, tells_which_circuits_are_gone) {
  source.add("a");
  source.add("b", "1");
  source.add("c");
  refresh();
  source.readings.erase(source.readings.begin() + 1);
  EXPECT_EQ(refresh()["gone"], json::parse(R"([{"name":"b","instance":"1"}])"));
  EXPECT_EQ(all()["circuits"].size(), 2u);
  EXPECT_EQ(refresh()["gone"], json::array());
}

TEST_F(a_board, forgets_the_failures_of_what_is_gone) {
  source.add("a");
  refresh();
  sg::event e;
  e.kind = sg::event_kind::failure;
  e.service = "a";
  b.hear(e);
  EXPECT_EQ(b.find("a", "")->failures.size(), 1u);
  source.readings.clear();
  refresh();
  source.add("a");
  refresh();
  EXPECT_EQ(b.find("a", "")->failures.size(), 0u);
}

TEST_F(a_board, knows_critical_circuits_by_their_patterns) {
  source.add("payments").now.state = sg::state::open;
  source.add("search").now.state = sg::state::open;
  auto& shadow = source.add("pay-later");
  shadow.now.state = sg::state::open;
  shadow.shadow = true;
  refresh();
  EXPECT_THAT(b.critical_open(), ElementsAre("payments"));
  EXPECT_EQ(all()["circuits"][1]["critical"], true);
  EXPECT_EQ(all()["circuits"][2]["critical"], false);
}

TEST_F(a_board, shows_the_first_of_two_that_cannot_be_told_apart_and_says_so) {
  source.add("a").reason = "first";
  source.add("a").reason = "second";
  const json told = refresh();
  EXPECT_EQ(told["circuits"].size(), 1u);
  EXPECT_EQ(told["circuits"][0]["reason"], "first");
  EXPECT_THAT(told["problems"][0].get<std::string>(), HasSubstr("not shown: 1"));
}

TEST_F(a_board, keeps_what_it_knows_when_nothing_was_read) {
  source.add("a");
  refresh();
  const json told = json::parse(*b.take(std::nullopt, {"away"}, true));
  EXPECT_EQ(told["problems"], json({"away"}));
  EXPECT_EQ(told["gone"], json::array());
  EXPECT_EQ(all()["circuits"].size(), 1u);
}

TEST_F(a_board, makes_its_document_once_for_each_refresh) {
  source.add("a");
  refresh();
  EXPECT_EQ(b.document(), b.document());
  EXPECT_EQ(b.first_event(), b.first_event());
  const auto before = b.document();
  refresh();
  EXPECT_NE(b.document(), before);
  EXPECT_EQ(b.take(source.readings, {}, false), nullptr);
}

TEST_F(a_board, finds_the_worst_of_several_of_one_name) {
  const std::vector<std::pair<std::string, sg::state>> states{
      {"1", sg::state::closed}, {"2", sg::state::half_open}, {"3", sg::state::disabled}};
  for (const auto& [instance, state] : states) source.add("a", instance).now.state = state;
  refresh();
  EXPECT_EQ(b.find("a", "")->row.reading.instance, "2");
  EXPECT_EQ(b.find("a", "3")->row.reading.instance, "3");
  EXPECT_EQ(b.find("a", "")->instances.size(), 3u);
  EXPECT_EQ(b.find("a", "4"), std::nullopt);
  EXPECT_EQ(b.find("b", ""), std::nullopt);
}

// --- rates and series ---

TEST_F(a_board, measures_rates_over_the_last_ten_seconds) {
  source.add("a");
  refresh();
  for (int second = 0; second < 20; ++second) {
    clock.advance(1s);
    auto& m = source.readings[0].now.metrics;
    m.successes += 6;
    m.failures += 2;
    m.rejections += 2;
    m.slow_calls += 4;
    refresh();
  }
  EXPECT_EQ(all()["circuits"][0]["rates"],
            json::parse(R"({"calls_per_second":10,"failure_rate":0.25,"slow_rate":0.5,"rejection_rate":0.2})"));
  for (int second = 0; second < 5; ++second) {
    clock.advance(1s);
    refresh();
  }
  EXPECT_EQ(all()["circuits"][0]["rates"]["calls_per_second"], 5);
  clock.advance(6s);
  refresh();
  EXPECT_EQ(all()["circuits"][0]["rates"],
            json::parse(R"({"calls_per_second":0,"failure_rate":0,"slow_rate":0,"rejection_rate":0})"));
  clock.advance(1s);
  EXPECT_THAT(changed(), ElementsAre());
}

TEST_F(a_board, measures_the_first_call_of_a_circuit_that_was_idle_over_ten_seconds_too) {
  source.add("a");
  refresh();
  clock.advance(1min);
  refresh();
  clock.advance(1s);
  source.readings[0].now.metrics.successes = 5;
  refresh();
  EXPECT_EQ(all()["circuits"][0]["rates"]["calls_per_second"], 0.5);
}

TEST_F(a_board, measures_over_the_whole_time_in_which_nobody_looked) {
  source.add("a");
  refresh();
  clock.advance(1min);
  source.readings[0].now.metrics.successes = 60;
  refresh();
  EXPECT_EQ(all()["circuits"][0]["rates"]["calls_per_second"], 1);
}

TEST_F(a_board, never_measures_more_than_everything) {
  source.add("a");
  refresh();
  clock.advance(1s);
  source.readings[0].now.metrics.successes = 1;
  source.readings[0].now.metrics.slow_calls = 2;
  refresh();
  EXPECT_EQ(all()["circuits"][0]["rates"]["slow_rate"], 1);
}

TEST_F(a_board, begins_anew_when_counters_go_back) {
  source.add("a").now.metrics.successes = 100;
  refresh();
  clock.advance(1s);
  source.readings[0].now.metrics.successes = 110;
  refresh();
  clock.advance(1s);
  source.readings[0].now.metrics.successes = 3;
  refresh();
  EXPECT_EQ(all()["circuits"][0]["rates"]["calls_per_second"], 0);
  clock.advance(1s);
  source.readings[0].now.metrics.successes = 4;
  refresh();
  EXPECT_EQ(all()["circuits"][0]["rates"]["calls_per_second"], 1);
  EXPECT_EQ(series("a")["calls"], json::array({11}));
}

TEST_F(a_board, counts_in_steps_of_ten_seconds) {
  source.add("a");
  refresh();
  EXPECT_EQ(series("a")["calls"], json::array({0}));
  clock.advance(5s);
  source.readings[0].now.metrics.failures = 2;
  refresh();
  clock.advance(10s);
  source.readings[0].now.metrics.failures = 5;
  source.readings[0].now.metrics.rejections = 1;
  refresh();
  clock.advance(30s);
  refresh();
  EXPECT_EQ(series("a")["calls"], json::parse("[2,4,null,null,0]"));
  EXPECT_EQ(series("a")["failures"], json::parse("[2,3,null,null,0]"));
  EXPECT_EQ(series("a")["slow"], json::parse("[0,0,null,null,0]"));
  EXPECT_EQ(series("a")["rejections"], json::parse("[0,1,null,null,0]"));
  EXPECT_EQ(series("a")["step_seconds"], 10);
}

TEST_F(a_board, keeps_one_hour) {
  source.add("a");
  refresh();
  source.readings[0].now.metrics.failures = 7;
  clock.advance(10s);
  refresh();
  for (int i = 0; i < 359; ++i) {
    clock.advance(10s);
    refresh();
  }
  EXPECT_EQ(series("a")["failures"].size(), 360u);
  EXPECT_EQ(series("a")["failures"][0], 7);
  clock.advance(10s);
  refresh();
  EXPECT_EQ(series("a")["failures"].size(), 360u);
  EXPECT_EQ(series("a")["failures"], json(std::vector<int>(360, 0)));
}

TEST_F(a_board, has_neither_rates_nor_series_of_what_is_not_counted) {
  source.add("a").counted = false;
  refresh();
  const json row = all()["circuits"][0];
  EXPECT_TRUE(row["rates"].is_null());
  EXPECT_TRUE(row["metrics"].is_null());
  EXPECT_EQ(series("a")["calls"], json::array());
}

// --- failures ---

TEST(failure_log, keeps_the_newest_of_each_circuit_and_of_all) {
  sg::detail::failure_log log(3, 5);
  const auto add = [&](const std::string& name, int number) {
    sg::event e;
    e.kind = sg::event_kind::failure;
    e.service = name;
    e.reason = std::to_string(number);
    log.add(e);
  };
  const auto of = [&](const std::string& name) {
    std::string out;
    for (const auto& f : log.of(name, "")) out += f.text;
    return out;
  };
  for (int i = 1; i <= 5; ++i) add("a", i);
  EXPECT_EQ(of("a"), "543");
  for (int i = 1; i <= 3; ++i) add("b", i);
  EXPECT_EQ(of("a"), "54");
  EXPECT_EQ(of("b"), "321");
  log.forget("b", "");
  EXPECT_EQ(log.size(), 2u);
}

TEST(failure_log, passes_over_what_is_no_failure_and_cuts_long_texts) {
  sg::detail::failure_log log;
  sg::event e;
  e.service = "a";
  e.kind = sg::event_kind::opened;
  log.add(e);
  EXPECT_EQ(log.size(), 0u);
  e.kind = sg::event_kind::failure;
  e.reason = std::string(5000, 'x');
  log.add(e);
  EXPECT_EQ(log.of("a", "")[0].text.size(), 1000u);
}

}  // namespace
