// SPDX-License-Identifier: Apache-2.0
// What those need who own breakers for others: registries, timers, buses.
#include "support/shell.hpp"

#include <algorithm>

namespace {

using namespace shell;
using sg::event_filter;
using sg::event_kind;
using testing::ElementsAre;

// --- observers of transitions alone ---

TEST(observers_of_transitions, hear_of_transitions_and_of_nothing_else) {
  small_breaker t;
  std::vector<event_kind> heard;
  const auto subscription =
      t.breaker.observe([&](const sg::event& e) { heard.push_back(e.kind); }, event_filter::transitions);
  fail_times(t.breaker, 3);
  t.clock.advance(30s);
  succeed_times(t.breaker, 1);
  sg::drain_events();
  EXPECT_THAT(heard, ElementsAre(event_kind::opened, event_kind::half_open, event_kind::closed));
}

TEST(observers_of_transitions, do_not_keep_those_of_everything_from_hearing_the_calls) {
  small_breaker t;
  int all = 0, transitions = 0;
  const auto first = t.breaker.observe([&](const sg::event&) { ++transitions; }, event_filter::transitions);
  {
    const auto second = t.breaker.observe([&](const sg::event&) { ++all; });
    succeed_times(t.breaker, 3);
    sg::drain_events();
  }
  succeed_times(t.breaker, 3);
  t.breaker.trip();
  sg::drain_events();
  EXPECT_EQ(all, 3);
  EXPECT_EQ(transitions, 1);
}

TEST(observers_of_transitions, leave_the_quick_way_of_calls_open) {
  // With an observer of everything each call makes an event; too many at once are dropped and counted.
  small_breaker t;
  const auto subscription = t.breaker.observe([](const sg::event&) {}, event_filter::transitions);
  const auto before = sg::dropped_events();
  succeed_times(t.breaker, 5000);
  sg::drain_events();
  EXPECT_EQ(sg::dropped_events(), before);
  EXPECT_EQ(t.metrics().successes, 5000u);
}

// --- advancing one generation ---

TEST(advancing_a_generation, makes_the_transition_that_is_due_in_it) {
  small_breaker t;
  t.open();
  t.clock.advance(30s);
  t.breaker.advance(t.breaker.snapshot().generation);
  EXPECT_EQ(t.breaker.snapshot().generation, 2u);
  EXPECT_EQ(t.breaker.history().size(), 2u);
}

TEST(advancing_a_generation, does_nothing_before_it_is_due) {
  small_breaker t;
  t.open();
  t.clock.advance(30s - 1ns);
  t.breaker.advance(1);
  EXPECT_TRUE(t.breaker.is_open());
}

// trap 9: reset leaves an old timer that moves the new open state
TEST(advancing_a_generation, does_nothing_to_another_one) {
  small_breaker t;
  t.open();
  const auto seen = t.breaker.snapshot().generation;
  t.breaker.reset();
  t.open();
  t.clock.advance(30s);
  t.breaker.advance(seen);
  EXPECT_EQ(t.breaker.history().size(), 3u);  // opened, closed by reset, opened
  t.breaker.advance();
  EXPECT_EQ(t.breaker.history().size(), 4u);
}

// --- watching transitions ---

struct watcher final : sg::detail::transition_watcher {
  void changed(sg::circuit_breaker& which, const sg::machine::transition& change) noexcept override {
    seen.push_back(change);
    snapshots.push_back(which.snapshot());  // no lock is held
  }
  std::vector<sg::machine::transition> seen;
  std::vector<sg::snapshot> snapshots;
};

TEST(a_watcher, is_told_at_once_by_the_thread_that_made_the_transition) {
  small_breaker t;
  watcher w;
  sg::detail::breaker_access::watch(t.breaker, &w);
  t.open();
  ASSERT_EQ(w.seen.size(), 1u);
  EXPECT_EQ(w.seen[0].to, sg::state::open);
  EXPECT_EQ(w.seen[0].generation, 1u);
  EXPECT_EQ(nanoseconds(w.seen[0].until - w.seen[0].at), 30s);
  EXPECT_EQ(w.snapshots[0].state, sg::state::open);
}

TEST(a_watcher, is_told_when_an_override_gets_another_end) {
  small_breaker t;
  t.breaker.force_open("maintenance", "alice", 1h);
  watcher w;
  sg::detail::breaker_access::watch(t.breaker, &w);
  t.breaker.force_open("maintenance", "alice", 2h);
  ASSERT_EQ(w.seen.size(), 1u);
  EXPECT_EQ(w.seen[0].from, w.seen[0].to);
  EXPECT_EQ(nanoseconds(w.seen[0].until - w.seen[0].at), 2h);
}

TEST(a_watcher, hears_nothing_after_it_was_taken_away) {
  small_breaker t;
  watcher w;
  sg::detail::breaker_access::watch(t.breaker, &w);
  sg::detail::breaker_access::watch(t.breaker, nullptr);
  t.open();
  EXPECT_TRUE(w.seen.empty());
}

#if SWITCHGEAR_HAS_EXCEPTIONS

// --- what policies further in throw ---

TEST(a_limit_imposed_further_in, is_a_timeout_and_passes_unchanged) {
  small_breaker t;
  const auto e = thrown_by<sg::call_timeout_error>([&] { t.breaker.call([] { throw sg::call_timeout_error("inner", 2s); }); });
  EXPECT_EQ(e.name(), "inner");
  EXPECT_EQ(e.limit(), 2s);
  EXPECT_EQ(t.metrics().timeouts, 1u);
  EXPECT_EQ(t.metrics().failures, 1u);
}

TEST(a_limit_imposed_further_in, is_a_timeout_whatever_the_classifier_says) {
  small_breaker t(small_config(), sg::classifier{}.fail_only<std::logic_error>());
  EXPECT_THROW(t.breaker.call([] { throw sg::call_timeout_error("inner", 2s); }), sg::call_timeout_error);
  EXPECT_EQ(t.metrics().timeouts, 1u);
}

TEST(a_limit_imposed_further_in, stays_the_inner_one_when_the_call_timeout_has_passed_too) {
  small_breaker t(small_with([](auto& c) { c.call_timeout = 1s; }));
  const auto e = thrown_by<sg::call_timeout_error>([&] {
    t.breaker.call([&] {
      t.clock.advance(2s);
      throw sg::call_timeout_error("inner", 2s);
    });
  });
  EXPECT_EQ(e.name(), "inner");
}

TEST(a_rejection, says_when_to_come_back_whoever_rejected) {
  small_breaker t;
  t.open();
  t.clock.advance(10s);
  const auto e = thrown_by<sg::rejected_error>([&] { t.breaker.call([] {}); });
  EXPECT_EQ(e.retry_after(), std::optional<nanoseconds>(20s));
  EXPECT_EQ(sg::rejected_error("full").retry_after(), std::nullopt);
}

#endif

}  // namespace
