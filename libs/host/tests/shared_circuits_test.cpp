// SPDX-License-Identifier: Apache-2.0
#include "shared_fixture.hpp"

#include <thread>

namespace switchgear::host::tests {
namespace {

using shared_circuits_tests = shared_tests;

TEST_F(shared_circuits_tests, are_one_circuit_for_all_who_ask_for_the_name) {
  const auto one = open(), two = open();
  const auto here = breaker(*one), there = breaker(*two);
  fail(*here);
  fail(*there);
  EXPECT_TRUE(here->is_open());
  EXPECT_TRUE(there->is_open());
  EXPECT_FALSE(here->try_acquire());
  EXPECT_FALSE(there->try_acquire());
  EXPECT_EQ(there->snapshot().metrics.rejections, 2u);
  EXPECT_EQ(there->snapshot().metrics.failures, 2u);
  EXPECT_EQ(there->snapshot().last_failure, "no route");

  clock.advance(10s);
  permit probe = here->try_acquire();
  ASSERT_TRUE(probe);
  EXPECT_FALSE(there->try_acquire());  // one probe for all of them
  probe.success();
  EXPECT_TRUE(there->is_closed());
  const auto history = there->history();
  ASSERT_EQ(history.size(), 3u);
  EXPECT_EQ(history[0].reason, "2 consecutive failures (threshold 2)");
  EXPECT_EQ(history[2].to_state, state::closed);
  EXPECT_EQ(history[2].generation, 3u);
}

TEST_F(shared_circuits_tests, outlive_everybody_who_had_them_open) {
  {
    const auto shared = open();
    const auto b = breaker(*shared);
    succeed(*b, 5);
    fail(*b, 2);
  }
  const auto shared = open();
  const auto b = breaker(*shared);
  EXPECT_TRUE(b->is_open());
  EXPECT_EQ(b->snapshot().metrics.successes, 5u);
  EXPECT_EQ(b->history().size(), 1u);
}

TEST_F(shared_circuits_tests, a_window_is_filled_by_all_together) {
  const config rate{.failure_threshold = 0, .window = calls(10), .failure_rate_threshold = 0.5};
  const config timed{.failure_threshold = 0, .window = last(10s), .failure_count_threshold = 6};
  for (const auto& [name, c] : {std::pair{"counted", rate}, std::pair{"timed", timed}}) {
    const auto one = open(), two = open();
    const auto here = breaker(*one, name, c), there = breaker(*two, name, c);
    succeed(*here, 3);
    succeed(*there, 2);
    fail(*here, 3);
    fail(*there, 1);
    EXPECT_EQ(here->snapshot().window.calls, 9u) << name;
    EXPECT_EQ(there->snapshot().window.failures, 4u) << name;
    EXPECT_TRUE(here->is_closed()) << name;
    fail(*there, 2);
    EXPECT_TRUE(here->is_open()) << name;
  }
}

TEST_F(shared_circuits_tests, counters_of_many_threads_and_processes_are_summed_exactly) {
  const auto one = open(), two = open();
  const config never{.failure_threshold = 1'000'000};
  std::vector<std::unique_ptr<circuit_breaker>> breakers;
  breakers.push_back(breaker(*one, "payments", never));
  breakers.push_back(breaker(*two, "payments", never));
  std::vector<std::thread> threads;
  for (int t = 0; t < 6; ++t) {  // more than there are lanes
    threads.emplace_back([&b = *breakers[static_cast<std::size_t>(t) % 2]] {
      for (int i = 0; i < 2000; ++i) i % 10 == 0 ? fail(b) : succeed(b);
    });
  }
  for (auto& t : threads) t.join();
  EXPECT_EQ(breakers[0]->snapshot().metrics.successes, 6u * 1800);
  EXPECT_EQ(breakers[1]->snapshot().metrics.failures, 6u * 200);
}

TEST_F(shared_circuits_tests, a_circuit_that_is_there_keeps_its_configuration_until_it_is_reconfigured_for_all) {
  const auto one = open(), two = open();
  const auto here = breaker(*one), there = breaker(*two, "payments", {.failure_threshold = 9});
  EXPECT_EQ(there->configuration(), two_failures());
  fail(*here);
  EXPECT_TRUE(there->reconfigure([](config& c) { c.failure_threshold = 3; }).empty());
  fail(*here);  // noticed without being told
  EXPECT_TRUE(here->is_closed());
  EXPECT_EQ(here->configuration().failure_threshold, 3);
  fail(*here);
  EXPECT_TRUE(there->is_open());
}

TEST_F(shared_circuits_tests, a_clean_circuit_notices_a_new_configuration_too) {
  const auto one = open(), two = open();
  const config c{.failure_threshold = 5, .window = calls(3)};
  const auto here = breaker(*one, "payments", c), there = breaker(*two, "payments", c);
  succeed(*here, 50);
  there->reconfigure([](config& next) { next.enabled = false; });
  here->call([] {});
  EXPECT_EQ(here->state(), state::disabled);
  EXPECT_EQ(there->snapshot().metrics.successes, 50u);
}

TEST_F(shared_circuits_tests, a_smaller_window_keeps_the_newest_verdicts_and_one_of_another_kind_starts_empty) {
  const auto one = open(), two = open();
  const config c{.failure_threshold = 1'000, .window = calls(8)};
  const auto here = breaker(*one, "payments", c), there = breaker(*two, "payments", c);
  const auto window = [&] { return two->views().at(0).snapshot.window; };
  fail(*here, 4);
  succeed(*there, 2);
  here->reconfigure([](config& next) { next.window = calls(3); });
  EXPECT_EQ(window().calls, 3u);
  EXPECT_EQ(window().failures, 1u);
  there->call([] {});
  EXPECT_EQ(window().failures, 0u);
  there->reconfigure([](config& next) { next.window = last(10s); });
  EXPECT_EQ(window().calls, 0u);
  here->call([] {});
  fail(*here);
  EXPECT_EQ(window().failures, 1u);
  EXPECT_EQ(there->snapshot().window.calls, 2u);
  here->reconfigure([](config& next) { next.window = calls(3); });
  EXPECT_EQ(window().calls, 0u);
  for (int i = 0; i < 5; ++i) there->call([] {});
  EXPECT_EQ(window().calls, 3u);
}

TEST_F(shared_circuits_tests, an_override_tells_everybody_who_and_why_and_until_when) {
  const auto one = open(), two = open();
  const auto here = breaker(*one), there = breaker(*two);
  here->force_open("deploy", "anna", 1h);
  const auto seen = there->snapshot();
  ASSERT_TRUE(seen.operator_override);
  EXPECT_EQ(seen.operator_override->owner, "anna");
  EXPECT_EQ(seen.operator_override->reason, "deploy");
  EXPECT_TRUE(seen.operator_override->until);
  there->force_open("longer", "bert", 2h);
  EXPECT_EQ(here->snapshot().operator_override->owner, "bert");
  there->release("done");
  EXPECT_TRUE(here->is_closed());
  EXPECT_FALSE(here->snapshot().operator_override);
  EXPECT_EQ(here->history().back().reason, "done");
}

TEST_F(shared_circuits_tests, keep_the_last_64_transitions_and_no_more_than_configured) {
  const auto shared = open();
  const auto b = breaker(*shared);
  for (int i = 0; i < 50; ++i) {
    b->trip("trip " + std::to_string(i));
    b->reset("reset " + std::to_string(i));
  }
  auto history = b->history();
  ASSERT_EQ(history.size(), 64u);
  EXPECT_EQ(history.front().reason, "trip 18");
  EXPECT_EQ(history.back().reason, "reset 49");
  b->reconfigure([](config& c) { c.state_history = 5; });
  EXPECT_EQ(b->history().size(), 5u);
  EXPECT_EQ(shared->views().at(0).snapshot.state_changes.size(), 5u);
}

TEST_F(shared_circuits_tests, a_torn_transition_is_passed_over_and_the_next_lap_writes_over_it) {
  const auto shared = open();
  const auto b = breaker(*shared);
  for (int i = 0; i < 3; ++i) {
    b->trip("t");
    b->reset("r");
  }
  const auto raw = open_raw();
  auto& torn = raw->record(0).fixed().history[4];
  torn.words[1].fetch_xor(1);
  const auto history = b->history();
  ASSERT_EQ(history.size(), 5u);
  EXPECT_EQ(history[3].generation, 5u);
  for (int i = 0; i < 32; ++i) {
    b->trip("t");
    b->reset("r");
  }
  EXPECT_EQ(b->history().size(), 64u);
}

TEST_F(shared_circuits_tests, are_listed_and_viewed_as_they_are_without_changing_anything) {
  const auto shared = open();
  const auto b = breaker(*shared, "b");
  const auto a = breaker(*shared, "a");
  EXPECT_EQ(shared->names(), (std::vector<std::string>{"a", "b"}));
  fail(*b, 2);
  clock.advance(11s);
  for (const auto& views : {shared->views(), read_shared_circuits(folder, shared_file_name_of("shop"), source()).circuits}) {
    ASSERT_EQ(views.size(), 2u);
    EXPECT_EQ(views[0].snapshot.name, "a");
    EXPECT_EQ(views[1].snapshot.state, state::half_open);
    EXPECT_EQ(views[1].snapshot.generation, 1u);
    EXPECT_EQ(views[1].snapshot.last_failure, "no route");
    EXPECT_EQ(views[1].reason, "2 consecutive failures (threshold 2)");
    EXPECT_EQ(views[1].configuration, two_failures());
    EXPECT_EQ(views[1].instance.size(), 16u);
    ASSERT_EQ(views[1].snapshot.state_changes.size(), 1u);
  }
  EXPECT_EQ(shared_files(folder), std::vector<std::string>{"shop.circuits"});
}

TEST_F(shared_circuits_tests, a_view_reads_time_windows_and_overrides_like_the_breaker) {
  const auto shared = open();
  const auto b = breaker(*shared, "b", {.failure_threshold = 1'000, .window = last(10s)});
  succeed(*b, 7);
  fail(*b, 3);
  b->disable("noise", "anna", 5s);
  const auto view = shared->views().at(0).snapshot;
  EXPECT_EQ(view.metrics.successes, 7u);
  EXPECT_EQ(view.state, state::disabled);
  ASSERT_TRUE(view.operator_override);
  EXPECT_EQ(view.operator_override->owner, "anna");
  ASSERT_TRUE(view.operator_override->until);
  EXPECT_EQ(std::chrono::nanoseconds(view.operator_override->until->time_since_epoch()).count(),
            wall_at_0 + clock.now().count() + std::chrono::nanoseconds(5s).count());
}

TEST_F(shared_circuits_tests, refuse_names_and_configurations_and_sizes_that_are_none) {
  EXPECT_THROW(open(small, ""), config_error);
  EXPECT_THROW(open({.max_circuits = 0}), config_error);
  EXPECT_THROW(open({.max_processes = 513}), config_error);
  EXPECT_THROW(open({.lanes_per_process = 17}), config_error);
  EXPECT_THROW(open({.max_circuits = 65'536, .max_processes = 512, .lanes_per_process = 16}), config_error);
  const auto shared = open();
  EXPECT_THROW(breaker(*shared, "a\nb"), config_error);
  EXPECT_THROW(breaker(*shared, "a", {.failure_threshold = -1}), config_error);
  EXPECT_TRUE(shared->names().empty());
}

TEST_F(shared_circuits_tests, more_circuits_than_places_are_refused_and_the_others_work_on) {
  const auto shared = open({.max_circuits = 2, .max_processes = 2});
  const auto a = breaker(*shared, "a"), b = breaker(*shared, "b");
  const state_error e = error_of([&] { breaker(*shared, "c"); });
  EXPECT_EQ(e.what_kind(), state_error::kind::full);
  EXPECT_NE(std::string(e.what()).find("is for 2 circuits"), std::string::npos) << e.what();
  EXPECT_NO_THROW(breaker(*shared, "b"));
}

TEST_F(shared_circuits_tests, more_processes_than_places_are_refused_until_one_goes) {
  auto one = open(), two = open();
  const auto three = open();
  EXPECT_EQ(three->processes(), 3u);
  const state_error e = error_of([&] { open(); });
  EXPECT_EQ(e.what_kind(), state_error::kind::full);
  EXPECT_NE(std::string(e.what()).find("is for 3 processes"), std::string::npos) << e.what();
  const auto b = breaker(*one);
  one.reset();  // the breaker still has it open
  EXPECT_THROW(open(), state_error);
  two.reset();
  EXPECT_NO_THROW(open());
}

TEST_F(shared_circuits_tests, an_existing_file_keeps_its_sizes) {
  { open(); }
  const auto shared = open({.max_circuits = 100, .max_processes = 9, .lanes_per_process = 1});
  EXPECT_EQ(shared->sizes(), small);
  EXPECT_EQ(shared_circuits::open_existing(folder, "shop", source())->sizes(), small);
  EXPECT_EQ(error_of([&] { shared_circuits::open_existing(folder, "other", source()); }).what_kind(), state_error::kind::missing);
}

TEST_F(shared_circuits_tests, find_makes_nothing) {
  const auto shared = open();
  EXPECT_EQ(shared->find("payments"), nullptr);
  const auto b = breaker(*shared);
  EXPECT_NE(shared->find("payments"), nullptr);
}

}  // namespace
}  // namespace switchgear::host::tests
