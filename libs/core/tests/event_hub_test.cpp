// SPDX-License-Identifier: Apache-2.0
#include "support/shell.hpp"

#include <algorithm>
#include <atomic>
#include <latch>
#include <map>
#include <memory>

namespace {

using namespace shell;
using sg::event_kind;
using testing::ElementsAre;

// --- what is told ---

TEST(events, tell_of_a_circuit_that_opens_and_recovers) {
  small_breaker t;
  const event_recorder recorder(t.breaker);
  fail_times(t.breaker, 3);
  t.clock.advance(30s);
  succeed_times(t.breaker, 1);
  sg::drain_events();
  EXPECT_THAT(recorder.kinds(), ElementsAre(event_kind::failure, event_kind::failure, event_kind::opened,
                                            event_kind::rejected, event_kind::half_open, event_kind::success,
                                            event_kind::closed));
}

TEST(events, tell_of_what_operators_do) {
  small_breaker t;
  const event_recorder recorder(t.breaker);
  t.breaker.trip("bad deploy");
  t.breaker.force_open("maintenance", "alice");
  t.breaker.disable("false alarms", "alice");
  t.breaker.release("done");
  t.breaker.reset("clean");
  sg::drain_events();
  EXPECT_THAT(recorder.kinds(), ElementsAre(event_kind::opened, event_kind::forced_open, event_kind::disabled,
                                            event_kind::closed, event_kind::reset));
  std::vector<std::string> reasons;
  for (const auto& e : recorder.events()) reasons.push_back(e.reason);
  EXPECT_THAT(reasons, ElementsAre("bad deploy", "maintenance", "false alarms", "done", "clean"));
}

TEST(events, tell_of_ignored_slow_and_late_calls) {
  small_breaker t(small_with([](auto& c) { c.slow_call_duration = 1s; }));
  const event_recorder recorder(t.breaker);
  t.breaker.try_acquire().ignore();
  t.breaker.call([&] { t.clock.advance(1s); });
  auto late = t.breaker.try_acquire();
  t.breaker.reset();
  late.success();
  sg::drain_events();
  EXPECT_THAT(recorder.kinds(), ElementsAre(event_kind::ignored, event_kind::success, event_kind::slow,
                                            event_kind::reset, event_kind::success, event_kind::late));
}

TEST(events, tell_of_a_probe_that_lost_its_slot) {
  small_breaker t;
  t.half_open();
  const auto lost = t.breaker.try_acquire();
  const event_recorder recorder(t.breaker);
  t.clock.advance(30s);
  const auto next = t.breaker.try_acquire();
  sg::drain_events();
  EXPECT_EQ(recorder.count(event_kind::probe_expired), 1u);
}

TEST(events, of_one_breaker_have_one_instance_and_of_another_another) {
  small_breaker one, other;
  const event_recorder first(one.breaker), second(other.breaker);
  one.breaker.trip();
  one.breaker.reset();
  other.breaker.trip();
  sg::drain_events();
  const auto of_one = first.events(), of_other = second.events();
  ASSERT_EQ(of_one.size(), 2u);
  ASSERT_EQ(of_other.size(), 1u);
  EXPECT_EQ(of_one[0].instance.size(), 16u);
  EXPECT_EQ(of_one[0].instance, of_one[1].instance);
  EXPECT_NE(of_one[0].instance, of_other[0].instance);
}

TEST(events, carry_who_when_and_why) {
  small_breaker t;
  const event_recorder recorder(t.breaker);
  fail_times(t.breaker, 2);
  sg::drain_events();
  const sg::event e = recorder.events(event_kind::opened).at(0);
  EXPECT_EQ(e.service, "payments");
  EXPECT_EQ(e.state, sg::state::open);
  EXPECT_EQ(e.previous_state, sg::state::closed);
  EXPECT_EQ(e.failure_count, 2u);
  EXPECT_EQ(e.reason, "2 consecutive failures (threshold 2)");
  EXPECT_EQ(e.generation, 1u);
  EXPECT_EQ(e.retry_after, 30s);
  EXPECT_FALSE(e.shadow);
  EXPECT_EQ(e.id.size(), 36u);
  ASSERT_TRUE(e.last_failure);
  EXPECT_LE(*e.last_failure, e.time + 1s);
  EXPECT_EQ(recorder.events(event_kind::failure).at(0).reason, "scripted failure");
  EXPECT_EQ(sg::log_line(e), "circuit payments closed → open: 2 consecutive failures (threshold 2)");
}

TEST(events, have_no_last_failure_where_there_was_none) {
  small_breaker t;
  const event_recorder recorder(t.breaker);
  t.breaker.trip();
  sg::drain_events();
  EXPECT_FALSE(recorder.events().at(0).last_failure);
}

TEST(events, have_ids_of_their_own) {
  small_breaker t;
  const event_recorder recorder(t.breaker);
  succeed_times(t.breaker, 2);
  sg::drain_events();
  EXPECT_NE(recorder.events().at(0).id, recorder.events().at(1).id);
}

TEST(events, of_a_rejection_carry_its_reason_and_the_callers_correlation_id) {
  small_breaker t;
  t.open();
  const event_recorder recorder(t.breaker);
#if SWITCHGEAR_HAS_EXCEPTIONS
  EXPECT_THROW(t.breaker.call([] {}, {"request-17"}), sg::circuit_open_error);
  EXPECT_THROW((void)t.breaker.protect({"request-18"}), sg::circuit_open_error);
#endif
  (void)t.breaker.try_acquire();
  sg::drain_events();
  const auto rejected = recorder.events(event_kind::rejected);
#if SWITCHGEAR_HAS_EXCEPTIONS
  ASSERT_EQ(rejected.size(), 3u);
  EXPECT_EQ(rejected[0].correlation_id, "request-17");
  EXPECT_EQ(rejected[1].correlation_id, "request-18");
#else
  ASSERT_EQ(rejected.size(), 1u);
#endif
  EXPECT_EQ(rejected.back().correlation_id, "");
  EXPECT_EQ(rejected.back().reason, "open");
  EXPECT_EQ(rejected.back().retry_after, 30s);
  EXPECT_EQ(rejected.back().failure_count, 2u);
}

TEST(events, cut_a_long_text_between_characters) {
  small_breaker t;
  const event_recorder recorder(t.breaker);
  const std::string text(62, 'x');
  t.breaker.try_acquire().failure(text + "ä");
  sg::drain_events();
  EXPECT_EQ(recorder.events().at(0).reason, text);
}

// --- the moment ---

TEST(events, carry_the_numbers_of_their_moment_however_late_they_are_read) {  // trap 13
  small_breaker t;
  std::latch may_go(1);
  const event_recorder recorder(t.breaker);
  const auto slow = t.breaker.observe([&](const sg::event&) { may_go.wait(); });
  fail_times(t.breaker, 2);
  t.breaker.reset();
  fail_times(t.breaker, 1);
  may_go.count_down();
  sg::drain_events();
  const sg::event e = recorder.events(event_kind::opened).at(0);
  EXPECT_EQ(e.state, sg::state::open);
  EXPECT_EQ(e.failure_count, 2u);
  EXPECT_EQ(e.generation, 1u);
  EXPECT_EQ(e.retry_after, 30s);
}

TEST(events, of_the_failure_that_opens_still_tell_of_the_closed_circuit) {  // trap 13
  small_breaker t;
  const event_recorder recorder(t.breaker);
  fail_times(t.breaker, 2);
  sg::drain_events();
  const auto failures = recorder.events(event_kind::failure);
  ASSERT_EQ(failures.size(), 2u);
  EXPECT_EQ(failures[1].state, sg::state::closed);
  EXPECT_EQ(failures[1].generation, 0u);
  EXPECT_EQ(failures[1].failure_count, 0u);
}

// --- order ---

TEST(events, number_the_transitions_without_a_gap) {
  small_breaker t;
  const event_recorder recorder(t.breaker);
  for (int i = 0; i < 5; ++i) {
    t.open();
    t.clock.advance(30s);
    succeed_times(t.breaker, 1);
    t.breaker.reset();
  }
  sg::drain_events();
  std::uint64_t expected = 0;
  for (const auto& e : recorder.events()) {
    if (is_transition(e.kind)) ++expected;
    EXPECT_EQ(e.sequence, expected) << to_string(e.kind);
  }
  EXPECT_EQ(expected, 20u);
}

TEST(events, of_many_threads_come_in_order_without_a_gap) {
  small_breaker t(small_with([](auto& c) { c.open_duration = 0s; }));
  const std::uint64_t dropped = sg::dropped_events();
  const event_recorder recorder(t.breaker);
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int k = 0; k < 25; ++k) {
        t.breaker.trip();
        succeed_times(t.breaker, 1);
        t.breaker.reset();
      }
    });
  }
  for (auto& thread : threads) thread.join();
  sg::drain_events();
  EXPECT_EQ(sg::dropped_events(), dropped);
  std::uint64_t sequence = 0;
  for (const auto& e : recorder.events()) {
    if (is_transition(e.kind)) {
      EXPECT_EQ(e.sequence, sequence + 1);
      sequence = e.sequence;
    } else {
      EXPECT_LE(e.sequence, sequence);
    }
  }
  EXPECT_EQ(sequence, t.breaker.snapshot().generation);
}

// --- handlers ---

TEST(observers, are_told_from_now_on) {
  small_breaker t;
  t.open();
  const event_recorder recorder(t.breaker);
  t.breaker.reset();
  sg::drain_events();
  EXPECT_THAT(recorder.kinds(), ElementsAre(event_kind::reset));
}

TEST(observers, run_on_a_thread_of_their_own) {
  small_breaker t;
  std::thread::id on;
  const auto s = t.breaker.observe([&](const sg::event&) { on = std::this_thread::get_id(); });
  succeed_times(t.breaker, 1);
  sg::drain_events();
  EXPECT_NE(on, std::thread::id());
  EXPECT_NE(on, std::this_thread::get_id());
}

TEST(observers, may_call_back_into_the_breaker) {  // trap 12
  small_breaker t;
  int seen = 0;
  const auto s = t.breaker.observe([&](const sg::event& e) {
    ++seen;
    if (e.kind != event_kind::opened) return;
    EXPECT_TRUE(t.breaker.is_open());
    EXPECT_EQ(t.breaker.snapshot().generation, 1u);
    t.breaker.reset("by the handler");
    sg::drain_events();  // returns at once in here
  });
  t.breaker.trip();
  sg::drain_events();
  EXPECT_TRUE(t.breaker.is_closed());
  sg::drain_events();
  EXPECT_EQ(seen, 2);
}

TEST(observers, may_end_their_own_subscription) {
  small_breaker t;
  int seen = 0;
  sg::subscription s;
  s = t.breaker.observe([&](const sg::event&) {
    ++seen;
    s.end();
  });
  succeed_times(t.breaker, 3);
  sg::drain_events();
  EXPECT_EQ(seen, 1);
}

TEST(observers, are_not_told_any_more_once_their_subscription_has_ended) {
  small_breaker t;
  int seen = 0;
  {
    const auto s = t.breaker.observe([&](const sg::event&) { ++seen; });
    succeed_times(t.breaker, 1);
    sg::drain_events();
  }
  succeed_times(t.breaker, 5);
  sg::drain_events();
  EXPECT_EQ(seen, 1);
}

TEST(observers, are_waited_for_when_their_subscription_ends) {
  small_breaker t;
  std::latch inside(1), may_go(1);
  std::atomic<bool> finished{false};
  auto s = t.breaker.observe([&](const sg::event&) {
    inside.count_down();
    may_go.wait();
    finished = true;
  });
  succeed_times(t.breaker, 1);
  inside.wait();
  std::thread ends([&] {
    s.end();
    EXPECT_TRUE(finished);
  });
  may_go.count_down();
  ends.join();
}

TEST(observers, do_not_see_each_other) {
  small_breaker t;
  const event_recorder first(t.breaker);
  {
    const event_recorder second(t.breaker);
    succeed_times(t.breaker, 1);
    sg::drain_events();
    EXPECT_EQ(second.size(), 1u);
  }
  succeed_times(t.breaker, 1);
  sg::drain_events();
  EXPECT_EQ(first.size(), 2u);
}

TEST(observers, that_dawdle_delay_no_call_and_what_is_too_much_is_dropped_and_counted) {
  small_breaker t;
  std::latch inside(1), may_go(1);
  int seen = 0;
  const auto s = t.breaker.observe([&](const sg::event&) {
    if (++seen == 1) {
      inside.count_down();
      may_go.wait();
    }
  });
  const std::uint64_t before = sg::dropped_events();
  succeed_times(t.breaker, 1);
  inside.wait();
  succeed_times(t.breaker, 3000);  // comes back although the handler does not
  EXPECT_EQ(t.metrics().successes, 3001u);
  EXPECT_EQ(sg::dropped_events() - before, 3000u - 1024u);
  may_go.count_down();
  sg::drain_events();
  EXPECT_EQ(seen, 1 + 1024);
  t.breaker.trip();
  sg::drain_events();
  EXPECT_EQ(seen, 1 + 1024 + 1);
}

TEST(observers, that_dawdle_are_told_the_last_transition_of_every_breaker_all_the_same) {
  constexpr std::size_t count = 3000;
  manual_clock clock;
  std::latch inside(1), may_go(1);
  std::vector<std::unique_ptr<sg::circuit_breaker>> breakers;
  std::vector<sg::subscription> subscriptions;
  std::map<std::string, sg::event> last;
  bool in_order = true;
  for (std::size_t i = 0; i < count; ++i) {
    breakers.push_back(std::make_unique<sg::circuit_breaker>("b" + std::to_string(i), sg::config{}, clock));
    subscriptions.push_back(breakers.back()->observe([&](const sg::event& e) {
      if (last.empty()) {
        inside.count_down();
        may_go.wait();
      }
      in_order = in_order && e.sequence > last[e.service].sequence;
      last[e.service] = e;
    }, sg::event_filter::transitions));
  }
  const std::uint64_t before = sg::dropped_events();
  breakers[0]->trip();
  inside.wait();
  for (const auto& b : breakers) b->trip();
  for (const auto& b : breakers) b->reset();
  may_go.count_down();
  sg::drain_events();
  EXPECT_TRUE(in_order);
  EXPECT_EQ(last.size(), count);
  for (const auto& [name, e] : last) EXPECT_EQ(e.state, sg::state::closed) << name;
  EXPECT_GT(sg::dropped_events() - before, 0u);
  EXPECT_LE(sg::dropped_events() - before, count);  // the trips that a reset came after
}

TEST(observers, outlive_their_breaker_safely) {
  manual_clock clock;
  auto breaker = sg::testing::make_breaker(clock);
  int seen = 0;
  auto s = breaker->observe([&](const sg::event&) { ++seen; });
  succeed_times(*breaker, 3);
  breaker.reset();
  sg::drain_events();
  EXPECT_EQ(seen, 3);
  s.end();
}

#if SWITCHGEAR_HAS_EXCEPTIONS
TEST(observers, that_throw_change_nothing) {
  small_breaker t;
  int called = 0;
  const auto s = t.breaker.observe([&](const sg::event&) {
    ++called;
    throw std::runtime_error("the handler is broken");
  });
  const event_recorder recorder(t.breaker);
  fail_times(t.breaker, 2);
  sg::drain_events();
  EXPECT_EQ(called, 3);
  EXPECT_EQ(recorder.size(), 3u);
  EXPECT_TRUE(t.breaker.is_open());
}
#endif

// --- subscriptions ---

TEST(subscription, by_default_is_none) {
  sg::subscription s;
  s.end();
}

TEST(subscription, moved_ends_once) {
  int ended = 0;
  {
    sg::subscription first([&] { ++ended; });
    sg::subscription second(std::move(first));
    first.end();
    EXPECT_EQ(ended, 0);
    sg::subscription& same = second;
    second = std::move(same);
    EXPECT_EQ(ended, 0);
  }
  EXPECT_EQ(ended, 1);
}

TEST(subscription, assigned_over_ends_the_one_before) {
  int first = 0, second = 0;
  sg::subscription s([&] { ++first; });
  s = sg::subscription([&] { ++second; });
  EXPECT_EQ(first, 1);
  EXPECT_EQ(second, 0);
}

// --- the hub itself: records that come in another order than they happened ---

struct hub_and_observer {
  explicit hub_and_observer(std::uint64_t generation = 0)
      : subscription(hub->subscribe([this](const sg::event& e) { seen.push_back(e.sequence); }, generation)) {}
  void transition(std::uint64_t generation) {
    sg::detail::event_record r;
    r.kind = event_kind::opened;
    r.change.generation = r.generation = generation;
    hub->publish(std::move(r));
  }
  void call(std::uint64_t generation) {
    sg::detail::event_record r;
    r.kind = event_kind::success;
    r.generation = generation;
    hub->publish(std::move(r));
  }
  std::shared_ptr<sg::detail::event_hub> hub = std::make_shared<sg::detail::event_hub>("payments");
  std::vector<std::uint64_t> seen;
  sg::subscription subscription;
};

TEST(event_hub, puts_transitions_into_order) {
  hub_and_observer t;
  for (const std::uint64_t generation : {3u, 1u, 4u, 2u, 5u}) t.transition(generation);
  sg::drain_events();
  EXPECT_THAT(t.seen, ElementsAre(1, 2, 3, 4, 5));
}

TEST(event_hub, tells_of_a_call_only_after_the_transition_to_its_generation) {
  hub_and_observer t;
  t.call(1);
  t.call(0);
  sg::drain_events();
  EXPECT_THAT(t.seen, ElementsAre(0));
  t.transition(1);
  sg::drain_events();
  EXPECT_THAT(t.seen, ElementsAre(0, 1, 1));
}

TEST(event_hub, does_not_tell_of_a_transition_before_the_first_subscription) {
  hub_and_observer t(7);
  t.transition(8);
  t.transition(7);
  t.transition(9);
  sg::drain_events();
  EXPECT_THAT(t.seen, ElementsAre(8, 9));
}

TEST(event_hub, waits_for_a_thread_that_is_held_up) {
  hub_and_observer t;
  for (int i = 0; i < 300; ++i) t.call(1);
  for (std::uint64_t g = 500; g >= 2; --g) t.transition(g);
  sg::drain_events();
  EXPECT_TRUE(t.seen.empty());
  t.transition(1);
  sg::drain_events();
  EXPECT_EQ(t.seen.size(), 800u);
  EXPECT_TRUE(std::is_sorted(t.seen.begin(), t.seen.end()));
}

TEST(event_hub, drops_and_counts_the_calls_that_are_too_many_to_wait) {
  hub_and_observer t;
  const std::uint64_t before = sg::dropped_events();
  for (int i = 0; i < 2000; ++i) t.call(1);
  EXPECT_EQ(sg::dropped_events() - before, 2000u - 1024u);
}

TEST(event_hub, goes_on_in_order_when_a_transition_never_comes) {
  hub_and_observer t;
  for (std::uint64_t g = 2; g <= 5000; ++g) {
    t.transition(g);
    if (g % 500 == 0) sg::drain_events();
  }
  EXPECT_FALSE(t.seen.empty());
  EXPECT_EQ(t.seen.front(), 2u);
  EXPECT_TRUE(std::is_sorted(t.seen.begin(), t.seen.end()));
}

TEST(event_hub, is_not_kept_alive_by_what_waits_for_its_turn) {
  std::weak_ptr<sg::detail::event_hub> watched;
  {
    hub_and_observer t;
    watched = t.hub;
    t.transition(5);
    sg::drain_events();
    EXPECT_TRUE(t.seen.empty());
  }
  EXPECT_TRUE(watched.expired());
}

}  // namespace
