// SPDX-License-Identifier: Apache-2.0
#include <switchgear/circuit_breaker.hpp>
#include <switchgear/guard.hpp>
#include <switchgear/last_known_good.hpp>
#include <switchgear/pipeline.hpp>
#include <switchgear/testing/manual_clock.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <new>
#include <stdexcept>
#include <string>
#include <thread>

namespace {

namespace sg = switchgear;
using namespace std::chrono_literals;
using sg::testing::manual_clock;

struct outage : std::runtime_error {
  using runtime_error::runtime_error;
};
struct bad_query : std::runtime_error {
  using runtime_error::runtime_error;
};
std::string fail() { throw outage("down"); }
std::string good() { return "good"; }

struct setup {
  manual_clock clock;
  sg::last_known_good<std::string> memory;
  explicit setup(sg::last_known_good_options o = {.max_age = 10s}) : memory(std::move(o), clock) {}
};

TEST(last_known_good, lets_a_good_value_pass) {
  setup t;
  EXPECT_EQ(t.memory.call(good), "good");
}

TEST(last_known_good, answers_a_failure_with_the_newest_good_value) {
  setup t;
  t.memory.call([] { return std::string("older"); });
  t.memory.call(good);
  EXPECT_EQ(t.memory.call(fail), "good");
}

TEST(last_known_good, lets_a_failure_pass_while_nothing_is_known) {
  setup t;
  EXPECT_THROW(t.memory.call(fail), outage);
}

TEST(last_known_good, answers_up_to_its_maximum_age_and_not_after) {
  setup t;
  t.memory.call(good);
  t.clock.advance(10s);
  EXPECT_EQ(t.memory.call(fail), "good");
  t.clock.advance(1ns);
  EXPECT_THROW(t.memory.call(fail), outage);
}

TEST(last_known_good, does_not_take_its_own_answer_for_a_new_value) {
  setup t;
  t.memory.call(good);
  t.clock.advance(6s);
  t.memory.call(fail);
  EXPECT_EQ(t.memory.age(), 6s);
  EXPECT_EQ(t.memory.metrics().stored, 1u);
}

TEST(last_known_good, answers_a_rejection) {
  setup t;
  sg::circuit_breaker rates("rates", {}, t.clock);
  const auto guarded = sg::pipeline(t.memory, sg::guard(rates));
  guarded(good);
  rates.trip();
  EXPECT_EQ(guarded(good), "good");
  EXPECT_EQ(t.memory.metrics().hits, 1u);
}

TEST(last_known_good, answers_a_bad_result) {
  setup t({.max_age = 10s, .when = sg::classifier{}.fail_if([](const std::string& s) { return s.empty(); })});
  t.memory.call(good);
  EXPECT_EQ(t.memory.call([] { return std::string(); }), "good");
}

TEST(last_known_good, lets_a_bad_result_pass_when_nothing_is_known) {
  setup t({.max_age = 10s, .when = sg::classifier{}.fail_if([](const std::string& s) { return s.empty(); })});
  EXPECT_EQ(t.memory.call([] { return std::string(); }), "");
  EXPECT_EQ(t.memory.age(), std::nullopt);
}

TEST(last_known_good, does_not_remember_a_value_that_is_ignored) {
  setup t({.max_age = 10s, .when = sg::classifier{}.ignore_if([](const std::string& s) { return s == "partial"; })});
  EXPECT_EQ(t.memory.call([] { return std::string("partial"); }), "partial");
  EXPECT_EQ(t.memory.age(), std::nullopt);
}

TEST(last_known_good, lets_what_the_classifier_ignores_pass) {
  setup t({.max_age = 10s, .when = sg::classifier{}.ignore<bad_query>()});
  t.memory.call(good);
  EXPECT_THROW(t.memory.call([]() -> std::string { throw bad_query("no such currency"); }), bad_query);
}

TEST(last_known_good, lets_what_the_classifier_throws_pass) {
  setup t({.max_age = 10s, .when = sg::classifier{}.fail_if([](const std::string&) -> bool { throw std::logic_error("rule"); })});
  EXPECT_THROW(t.memory.call(good), std::logic_error);
}

TEST(last_known_good, never_answers_a_cancellation) {
  setup t;
  t.memory.call(good);
  EXPECT_THROW(t.memory.call([]() -> std::string { throw sg::cancelled_error("gave up"); }), sg::cancelled_error);
}

TEST(last_known_good, never_answers_after_a_stop_request) {
  setup t({.max_age = 10s, .when = sg::classifier{}.fail_if([](const std::string& s) { return s.empty(); })});
  t.memory.call(good);
  std::stop_source caller;
  caller.request_stop();
  EXPECT_THROW(t.memory.call({.stop = caller.get_token()}, fail), outage);
  EXPECT_EQ(t.memory.call({.stop = caller.get_token()}, [] { return std::string(); }), "");
}

/// Cannot be copied while `refuses`.
struct copied_with_luck {
  explicit copied_with_luck(int v) : value(v) {}
  copied_with_luck(copied_with_luck&&) = default;
  copied_with_luck(const copied_with_luck& other) : value(other.value) {
    if (refuses) throw std::bad_alloc();
  }
  int value;
  static inline bool refuses = false;
};

TEST(last_known_good, gives_a_good_value_that_it_cannot_remember_and_keeps_the_one_before) {
  const sg::last_known_good<copied_with_luck> memory;
  EXPECT_EQ(memory.call([] { return copied_with_luck(1); }).value, 1);
  copied_with_luck::refuses = true;
  EXPECT_EQ(memory.call([] { return copied_with_luck(2); }).value, 2);
  copied_with_luck::refuses = false;
  EXPECT_EQ(memory.metrics().stored, 1u);
  EXPECT_EQ(memory.call([]() -> copied_with_luck { throw outage("down"); }).value, 1);
}

TEST(last_known_good, knows_how_old_its_value_is) {
  setup t;
  EXPECT_EQ(t.memory.age(), std::nullopt);
  t.memory.call(good);
  t.clock.advance(15s);
  EXPECT_EQ(t.memory.age(), 15s);
}

TEST(last_known_good, forgets) {
  setup t;
  t.memory.call(good);
  t.memory.clear();
  EXPECT_EQ(t.memory.age(), std::nullopt);
  EXPECT_THROW(t.memory.call(fail), outage);
}

TEST(last_known_good, lets_go_of_older_values) {
  manual_clock clock;
  const sg::last_known_good<std::shared_ptr<int>> memory({}, clock);
  std::weak_ptr<int> older = memory.call([] { return std::make_shared<int>(1); });
  EXPECT_FALSE(older.expired());
  memory.call([] { return std::make_shared<int>(2); });
  EXPECT_TRUE(older.expired());
}

TEST(last_known_good, counts_what_it_stored_and_answered) {
  setup t;
  EXPECT_THROW(t.memory.call(fail), outage);
  t.memory.call(good);
  t.memory.call(good);
  t.memory.call(fail);
  const sg::last_known_good_metrics m = t.memory.metrics();
  EXPECT_EQ(m.stored, 2u);
  EXPECT_EQ(m.hits, 1u);
  EXPECT_EQ(m.misses, 1u);
}

TEST(last_known_good, tells_its_observers_how_old_the_answer_was) {
  setup t({.name = "rates", .max_age = 10s});
  std::vector<std::string> lines;
  const auto subscription = t.memory.observe([&](const sg::policy_event& e) { lines.push_back(sg::log_line(e)); });
  t.memory.call(good);
  t.clock.advance(3s);
  t.memory.call(fail);
  sg::drain_events();
  EXPECT_THAT(lines, testing::ElementsAre("last_known_good rates: fell_back: with a value 3s old: down"));
}

TEST(last_known_good, serves_many_threads_at_a_time) {
  setup t;
  t.memory.call(good);
  std::vector<std::jthread> threads;
  for (int n = 0; n < 4; ++n) {
    threads.emplace_back([&, n] {
      for (int i = 0; i < 200; ++i) EXPECT_EQ(t.memory.call(n % 2 == 0 ? good : fail), "good");
    });
  }
}

TEST(last_known_good, describes_itself) {
  EXPECT_EQ(sg::last_known_good<int>({.max_age = 10s}).describe(), "last_known_good(up to 10s)");
}

TEST(last_known_good, names_every_problem_of_its_options) {
  EXPECT_EQ((sg::last_known_good_options{.name = "", .max_age = 0s}.validate().size()), 2u);
  EXPECT_THROW(sg::last_known_good<int>({.max_age = 25h}), sg::config_error);
}

}  // namespace
