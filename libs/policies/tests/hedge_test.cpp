// SPDX-License-Identifier: Apache-2.0
#include "support/executors.hpp"

#include <switchgear/circuit_breaker.hpp>
#include <switchgear/guard.hpp>
#include <switchgear/hedge.hpp>
#include <switchgear/pipeline.hpp>
#include <switchgear/testing/manual_clock.hpp>
#include <switchgear/thread_pool.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <latch>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>

namespace {

namespace sg = switchgear;
using namespace std::chrono_literals;
using executors::gate;
using sg::testing::manual_clock;

struct outage : std::runtime_error {
  using runtime_error::runtime_error;
};
struct bad_query : std::runtime_error {
  using runtime_error::runtime_error;
};

/// A second between attempts. The pool ends first, so that nothing of a test is in use when the rest goes.
struct setup {
  manual_clock clock;
  gate end;
  std::atomic<int> calls = 0;
  std::optional<sg::thread_pool> pool{std::in_place, sg::thread_pool_options{.threads = 4, .max_queue = 1000}};
  sg::hedge hedge;

  explicit setup(sg::hedge_options o = {.delay = 1s}) : hedge(with(std::move(o)), clock) {}
  ~setup() { finish(); }
  void finish() {
    end.open();
    pool.reset();
  }

 private:
  sg::hedge_options with(sg::hedge_options o) {
    o.executor = &*pool;
    return o;
  }
};

TEST(hedge, makes_one_attempt_when_it_answers_soon) {
  setup t;
  EXPECT_EQ(t.hedge.call([&] { return ++t.calls; }), 1);
  EXPECT_EQ(t.hedge.metrics().calls, 1u);
  EXPECT_EQ(t.hedge.metrics().hedges, 0u);
}

TEST(hedge, takes_the_answer_of_another_attempt_when_the_first_is_slow) {
  setup t;
  EXPECT_EQ(t.hedge.call([&] {
    const int mine = ++t.calls;
    if (mine == 1) {
      t.clock.advance(1s);
      t.end.wait();
    }
    return mine;
  }), 2);
  EXPECT_EQ(t.hedge.metrics().hedges, 1u);
  EXPECT_EQ(t.hedge.metrics().won, 1u);
}

TEST(hedge, asks_the_losers_to_stop) {
  setup t;
  std::latch stopped(1);
  EXPECT_EQ(t.hedge.call([&](std::stop_token stop) {
    if (++t.calls == 2) return 2;
    gate asked;
    const std::stop_callback on_stop(stop, [&] { asked.open(); });
    t.clock.advance(1s);
    asked.wait();
    stopped.count_down();
    return 1;
  }), 2);
  stopped.wait();
}

TEST(hedge, is_no_evidence_for_a_breaker_further_in_when_it_loses_and_fails) {
  setup t;
  sg::circuit_breaker index("index", {}, t.clock);
  const auto guarded = sg::pipeline(t.hedge, sg::guard(index));
  EXPECT_EQ(guarded([&] {
    if (++t.calls == 2) return 2;
    t.clock.advance(1s);
    t.end.wait();
    throw outage("too late");
  }), 2);
  t.finish();
  EXPECT_EQ(index.snapshot().metrics.successes, 1u);
  EXPECT_EQ(index.snapshot().metrics.ignored, 1u);
  EXPECT_EQ(index.snapshot().metrics.failures, 0u);
}

TEST(hedge, is_no_evidence_for_a_breaker_further_in_when_it_loses_with_a_good_value) {
  setup t;
  sg::circuit_breaker index("index", {}, t.clock);
  const auto guarded = sg::pipeline(t.hedge, sg::guard(index));
  EXPECT_EQ(guarded([&] {
    if (++t.calls == 2) return 2;
    t.clock.advance(1s);
    t.end.wait();
    return 1;
  }), 2);
  t.finish();
  EXPECT_EQ(index.snapshot().metrics.successes, 1u);
  EXPECT_EQ(index.snapshot().metrics.ignored, 1u);
}

TEST(hedge, drops_what_the_losers_bring) {
  setup t;
  std::weak_ptr<int> brought;
  EXPECT_EQ(*t.hedge.call([&] {
    if (++t.calls == 2) return std::make_shared<int>(2);
    t.clock.advance(1s);
    t.end.wait();
    auto value = std::make_shared<int>(1);
    brought = value;
    return value;
  }), 2);
  t.finish();
  EXPECT_TRUE(brought.expired());
}

TEST(hedge, makes_the_next_attempt_at_once_when_one_fails) {
  setup t;
  EXPECT_EQ(t.hedge.call([&] {
    const int mine = ++t.calls;
    if (mine == 1) throw outage("first");
    return mine;
  }), 2);
  EXPECT_EQ(t.clock.now(), 0s);
}

TEST(hedge, gives_the_exception_of_the_first_attempt_when_all_fail) {
  setup t({.delay = 1s, .max_hedges = 2});
  try {
    t.hedge.call([&]() -> int { throw outage("attempt " + std::to_string(++t.calls)); });
    FAIL();
  } catch (const outage& e) {
    EXPECT_STREQ(e.what(), "attempt 1");
  }
  EXPECT_EQ(t.calls, 3);
}

TEST(hedge, gives_the_value_of_the_first_attempt_when_all_are_bad) {
  setup t({.delay = 1s, .when = sg::classifier{}.fail_if([](const int& v) { return v < 10; })});
  EXPECT_EQ(t.hedge.call([&] { return ++t.calls; }), 1);
  EXPECT_EQ(t.calls, 2);
}

TEST(hedge, does_not_take_a_bad_value_for_an_answer) {
  setup t({.delay = 1s, .when = sg::classifier{}.fail_if([](const int& v) { return v == 1; })});
  EXPECT_EQ(t.hedge.call([&] { return ++t.calls; }), 2);
}

TEST(hedge, does_not_repeat_what_the_classifier_ignores) {
  setup t({.delay = 1s, .when = sg::classifier{}.ignore<bad_query>()});
  EXPECT_THROW(t.hedge.call([&]() -> int {
    ++t.calls;
    throw bad_query("no such column");
  }), bad_query);
  EXPECT_EQ(t.calls, 1);
}

TEST(hedge, does_not_repeat_a_rejection) {
  setup t;
  sg::circuit_breaker index("index", {}, t.clock);
  index.trip();
  EXPECT_THROW(sg::pipeline(t.hedge, sg::guard(index))([] {}), sg::circuit_open_error);
  EXPECT_EQ(t.hedge.metrics().hedges, 0u);
}

TEST(hedge, survives_a_classifier_that_throws) {
  setup t({.delay = 1s, .when = sg::classifier{}.fail_if([](const int&) -> bool { throw std::logic_error("rule"); })});
  EXPECT_THROW(t.hedge.call([&] { return ++t.calls; }), std::logic_error);
  EXPECT_EQ(t.calls, 1);
}

TEST(hedge, leaves_at_once_when_the_caller_asks_to_stop) {
  setup t;
  std::stop_source caller;
  EXPECT_THROW(t.hedge.call({.stop = caller.get_token()}, [&] {
    caller.request_stop();
    t.end.wait();
  }), sg::cancelled_error);
}

TEST(hedge, asks_every_attempt_to_stop_when_the_caller_does) {
  setup t;
  std::stop_source caller;
  std::latch inside(2), stopped(2);
  EXPECT_THROW(t.hedge.call({.stop = caller.get_token()}, [&](std::stop_token stop) {
    gate asked;
    const std::stop_callback on_stop(stop, [&] { asked.open(); });
    if (++t.calls == 1) t.clock.advance(1s);
    inside.arrive_and_wait();
    caller.request_stop();
    asked.wait();
    stopped.count_down();
  }), sg::cancelled_error);
  stopped.wait();
}

TEST(hedge, leaves_no_evidence_when_the_caller_gave_up) {
  setup t;
  sg::circuit_breaker index("index", {}, t.clock);
  std::stop_source caller;
  EXPECT_THROW(sg::pipeline(t.hedge, sg::guard(index))({.stop = caller.get_token()}, [&] {
    caller.request_stop();
    t.end.wait();
  }), sg::cancelled_error);
  t.finish();
  EXPECT_EQ(index.snapshot().metrics.ignored, 1u);
}

TEST(hedge, makes_no_attempt_when_the_caller_wants_to_stop_already) {
  setup t;
  std::stop_source caller;
  caller.request_stop();
  EXPECT_THROW(t.hedge.call({.stop = caller.get_token()}, [&] { ++t.calls; }), sg::cancelled_error);
  EXPECT_EQ(t.calls, 0);
}

TEST(hedge, is_rejected_by_an_executor_without_room) {
  executors::full busy;
  EXPECT_THROW(sg::hedge({.executor = &busy}).call([] {}), sg::executor_full_error);
}

TEST(hedge, goes_on_with_the_first_attempt_when_the_executor_has_no_room_for_another) {
  manual_clock clock;
  executors::by_hand one(1);
  const sg::hedge hedge({.delay = 1s, .executor = &one}, clock);
  std::atomic<int> got = 0;
  std::jthread caller([&] { got = hedge.call([] { return 5; }); });
  while (clock.timers() == 0) std::this_thread::yield();
  clock.advance(1s);
  while (hedge.metrics().refused == 0) std::this_thread::yield();
  one.run_one();
  caller.join();
  EXPECT_EQ(got, 5);
  EXPECT_EQ(hedge.metrics().hedges, 0u);
}

TEST(hedge, is_rejected_when_the_executor_ends_before_the_first_attempt_begins) {
  manual_clock clock;
  std::latch inside(1);
  gate end;
  std::optional<sg::thread_pool> pool(std::in_place, sg::thread_pool_options{.threads = 1});
  const sg::hedge hedge({.delay = 1s, .executor = &*pool}, clock);
  ASSERT_TRUE(pool->post([&] {
    inside.count_down();
    end.wait();
  }));
  inside.wait();
  std::jthread caller([&] { EXPECT_THROW(hedge.call([] {}), sg::executor_full_error); });
  while (pool->metrics().waiting == 0) std::this_thread::yield();
  const std::stop_callback on_closing(pool->closing(), [&] { end.open(); });
  pool.reset();
}

TEST(hedge, gives_a_move_only_result) {
  setup t;
  EXPECT_EQ(*t.hedge.call([] { return std::make_unique<int>(5); }), 5);
}

TEST(hedge, gives_a_reference) {
  setup t;
  int lives_longer = 5;
  EXPECT_EQ(&t.hedge.call([&]() -> int& { return lives_longer; }), &lives_longer);
}

TEST(hedge, calls_what_returns_nothing) {
  setup t;
  t.hedge.call([&] { ++t.calls; });
  EXPECT_EQ(t.calls, 1);
}

TEST(hedge, gives_each_attempt_its_own_copy_of_the_arguments) {
  setup t;
  const auto take = [&](std::string& text) {
    text += "!";
    if (++t.calls == 1) throw outage("first");
    return text;
  };
  std::string text = "hits";
  EXPECT_EQ(t.hedge.call(take, text), "hits!");
  EXPECT_EQ(text, "hits");
}

TEST(hedge, takes_its_timers_back) {
  setup t;
  t.hedge.call([] {});
  EXPECT_EQ(t.clock.timers(), 0u);
}

TEST(hedge, works_on_an_executor_that_runs_work_at_once) {
  executors::at_once here;
  int calls = 0;
  EXPECT_EQ(sg::hedge({.delay = 1s, .executor = &here}).call([&] {
    if (++calls == 1) throw outage("first");
    return calls;
  }), 2);
}

TEST(hedge, can_be_gone_before_the_attempts_that_lost) {
  setup t;
  const int got = sg::pipeline(sg::hedge({.delay = 1s, .executor = &*t.pool}, t.clock))([&] {
    if (++t.calls == 2) return 2;
    t.clock.advance(1s);
    t.end.wait();
    return 1;
  });
  EXPECT_EQ(got, 2);
}

TEST(hedge, races_all_attempts_without_harm) {
  setup t({.delay = 0s, .max_hedges = 3});
  for (int i = 0; i < 200; ++i) {
    try {
      EXPECT_EQ(*t.hedge.call([i, n = &t.calls] {
        if (++*n % 3 == 0) throw outage("now and then");
        return std::make_unique<int>(i);
      }), i);
    } catch (const outage& e) {
      EXPECT_STREQ(e.what(), "now and then");
    }
  }
}

TEST(hedge, tells_its_observers_of_attempts_beside_the_first) {
  setup t({.name = "search", .delay = 1s});
  std::vector<sg::policy_event> events;
  const auto subscription = t.hedge.observe([&](const sg::policy_event& e) { events.push_back(e); });
  t.hedge.call({.context = {.correlation_id = "request-17"}}, [&] {
    if (++t.calls == 1) throw outage("first");
  });
  sg::drain_events();
  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(events[0].kind, sg::policy_event_kind::hedged);
  EXPECT_EQ(events[0].name, "search");
  EXPECT_EQ(events[0].attempt, 2);
  EXPECT_EQ(events[0].correlation_id, "request-17");
}

TEST(hedge, describes_itself) {
  EXPECT_EQ(sg::hedge({.delay = 50ms}).describe(), "hedge(1 more after 50ms)");
  EXPECT_EQ(sg::hedge({.delay = 50ms, .max_hedges = 2, .budget = sg::retry_budget({.name = "tenth"})}).describe(),
            "hedge(2 more after 50ms, budget tenth)");
}

TEST(hedge, names_every_problem_of_its_options) {
  EXPECT_EQ((sg::hedge_options{.name = "", .delay = -1s, .max_hedges = 0}.validate().size()), 3u);
  EXPECT_THROW(sg::hedge({.max_hedges = 0}), sg::config_error);
}

}  // namespace
