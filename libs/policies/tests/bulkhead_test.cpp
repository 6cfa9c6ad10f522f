// SPDX-License-Identifier: Apache-2.0
#include <switchgear/bulkhead.hpp>
#include <switchgear/circuit_breaker.hpp>
#include <switchgear/testing/manual_clock.hpp>
#include <switchgear/testing/skipping_clock.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace {

namespace sg = switchgear;
using namespace std::chrono_literals;
using outcome = sg::bulkhead::outcome;
using slot = sg::bulkhead::slot;
using withdrawal = sg::bulkhead::withdrawal;
using sg::testing::manual_clock;
using sg::testing::skipping_clock;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

/// Keeps the place it is granted, and writes down that it was.
struct recorded_waiter : sg::bulkhead::waiter {
  recorded_waiter(int n, std::vector<int>& grants) : number(n), order(grants) {}
  void granted(slot place) noexcept override {
    held = std::move(place);
    order.push_back(number);
  }
  int number;
  std::vector<int>& order;
  slot held;
};

/// Waits, without time, until so many calls are in the queue: the queue is the only sign that a thread blocks.
void until_queued(const sg::bulkhead& b, std::int64_t n) {
  while (b.metrics().queued != n) std::this_thread::yield();
}

std::vector<std::string> keys(const sg::bulkhead_options& o) {
  std::vector<std::string> out;
  for (const sg::problem& p : o.validate()) out.push_back(p.key);
  return out;
}

TEST(bulkhead, returns_what_the_function_returns) {
  const sg::bulkhead b;
  EXPECT_EQ(b.call([](int x) { return x + 1; }, 41), 42);
  int value = 1;
  int& reference = b.call([&]() -> int& { return value; });
  EXPECT_EQ(&reference, &value);
  EXPECT_EQ(*b.call([] { return std::make_unique<int>(7); }), 7);
  EXPECT_TRUE(b.call([] { return std::atomic<bool>(true); }));  // cannot even be moved
  b.call([&] { value = 2; });
  EXPECT_EQ(value, 2);
}

TEST(bulkhead, gives_the_place_back_after_a_success) {
  const sg::bulkhead b{{.max_concurrent = 1}};
  b.call([&] { EXPECT_EQ(b.metrics().in_use, 1); });
  EXPECT_EQ(b.metrics().in_use, 0);
  EXPECT_EQ(b.metrics().entered, 1u);
}

TEST(bulkhead, gives_the_place_back_after_an_exception) {
  const sg::bulkhead b{{.max_concurrent = 1}};
  for (int i = 0; i < 3; ++i) EXPECT_THROW(b.call([] { throw std::runtime_error("down"); }), std::runtime_error);
  EXPECT_EQ(b.metrics().in_use, 0);
  EXPECT_EQ(b.metrics().entered, 3u);
}

TEST(bulkhead, rejects_a_call_beyond_the_limit_and_says_so) {
  const sg::bulkhead b{{.name = "reports", .max_concurrent = 2}};
  const slot first = b.try_enter();
  const slot second = b.try_enter();
  bool ran = false;
  try {
    b.call([&] { ran = true; });
    FAIL() << "was let through";
  } catch (const sg::bulkhead_full_error& e) {
    EXPECT_EQ(e.name(), "reports");
    EXPECT_EQ(e.limit(), 2);
    EXPECT_FALSE(e.waited());
    EXPECT_EQ(e.retry_after(), std::nullopt);
    EXPECT_STREQ(e.what(), "bulkhead reports is full: 2 calls at a time");
  }
  EXPECT_FALSE(ran);
  EXPECT_EQ(b.metrics().rejected, 1u);
}

TEST(bulkhead, try_enter_never_waits) {
  const sg::bulkhead b{{.max_concurrent = 1, .max_queue = 5}};
  slot first = b.try_enter();
  EXPECT_TRUE(first);
  EXPECT_FALSE(b.try_enter());
  first.give_back();
  EXPECT_FALSE(first);
  EXPECT_TRUE(b.try_enter());
}

TEST(bulkhead, a_moved_slot_is_one_place) {
  const sg::bulkhead b{{.max_concurrent = 2}};
  slot a = b.try_enter();
  slot c = std::move(a);
  EXPECT_EQ(b.metrics().in_use, 1);
  slot d = b.try_enter();
  d = std::move(c);
  EXPECT_EQ(b.metrics().in_use, 1);
  d = slot();
  EXPECT_EQ(b.metrics().in_use, 0);
}

TEST(bulkhead, copies_share_places) {
  const sg::bulkhead b{{.max_concurrent = 1}};
  const sg::bulkhead copy = b;
  const slot taken = b.try_enter();
  EXPECT_FALSE(copy.try_enter());
}

TEST(bulkhead, grants_places_in_the_order_of_arrival) {
  const sg::bulkhead b{{.max_concurrent = 1, .max_queue = 10}};
  std::vector<int> order;
  recorded_waiter first(1, order), second(2, order), third(3, order);
  slot running = b.try_enter();
  for (recorded_waiter* w : {&first, &second, &third}) EXPECT_EQ(b.enter(*w).is, outcome::queued);
  EXPECT_EQ(b.metrics().queued, 3);
  running.give_back();
  first.held.give_back();
  second.held.give_back();
  EXPECT_THAT(order, ElementsAre(1, 2, 3));
  EXPECT_EQ(b.metrics().in_use, 1);
  third.held.give_back();
  EXPECT_EQ(b.metrics().in_use, 0);
  EXPECT_EQ(b.metrics().after_waiting, 3u);
  EXPECT_EQ(b.metrics().entered, 4u);
}

TEST(bulkhead, a_newcomer_never_overtakes_the_queue) {
  const sg::bulkhead b{{.max_concurrent = 1, .max_queue = 10}};
  std::vector<int> order;
  recorded_waiter first(1, order), second(2, order);
  slot running = b.try_enter();
  (void)b.enter(first);
  running.give_back();  // straight to the first waiter: at no moment is the place free
  EXPECT_FALSE(b.try_enter());
  EXPECT_EQ(b.enter(second).is, outcome::queued);
  first.held.give_back();
  EXPECT_THAT(order, ElementsAre(1, 2));
}

TEST(bulkhead, rejects_when_the_queue_is_full_too) {
  const sg::bulkhead b{{.max_concurrent = 1, .max_queue = 1}};
  std::vector<int> order;
  recorded_waiter first(1, order), second(2, order);
  slot running = b.try_enter();
  (void)b.enter(first);
  EXPECT_EQ(b.enter(second).is, outcome::full);
  EXPECT_THROW(b.call([] {}), sg::bulkhead_full_error);
  EXPECT_EQ(b.metrics().rejected, 2u);
  running.give_back();
}

TEST(bulkhead, enters_at_once_while_there_are_free_places) {
  const sg::bulkhead b{{.max_concurrent = 1, .max_queue = 1}};
  std::vector<int> order;
  recorded_waiter w(1, order);
  sg::bulkhead::entry got = b.enter(w);
  EXPECT_EQ(got.is, outcome::granted);
  EXPECT_TRUE(got.place);
  EXPECT_THAT(order, IsEmpty());
}

TEST(bulkhead, a_withdrawn_waiter_gets_nothing_and_the_next_moves_up) {
  const sg::bulkhead b{{.max_concurrent = 1, .max_queue = 3}};
  std::vector<int> order;
  recorded_waiter first(1, order), second(2, order), third(3, order);
  slot running = b.try_enter();
  for (recorded_waiter* w : {&first, &second, &third}) (void)b.enter(*w);
  EXPECT_TRUE(b.withdraw(second, withdrawal::cancelled));
  EXPECT_FALSE(b.withdraw(second, withdrawal::cancelled));
  EXPECT_TRUE(b.withdraw(first, withdrawal::timed_out));
  running.give_back();
  EXPECT_THAT(order, ElementsAre(3));
  EXPECT_EQ(b.metrics().cancelled, 1u);
  EXPECT_EQ(b.metrics().timed_out, 1u);
  EXPECT_EQ(b.metrics().queued, 0);
}

TEST(bulkhead, a_withdrawal_that_comes_after_the_grant_says_so) {
  const sg::bulkhead b{{.max_concurrent = 1, .max_queue = 1}};
  std::vector<int> order;
  recorded_waiter w(1, order);
  slot running = b.try_enter();
  (void)b.enter(w);
  running.give_back();
  EXPECT_FALSE(b.withdraw(w, withdrawal::cancelled));
  EXPECT_TRUE(w.held);
  EXPECT_EQ(b.metrics().cancelled, 0u);
}

TEST(bulkhead, a_waiter_may_enter_again) {
  const sg::bulkhead b{{.max_concurrent = 1, .max_queue = 1}};
  std::vector<int> order;
  recorded_waiter w(1, order);
  slot running = b.try_enter();
  (void)b.enter(w);
  EXPECT_TRUE(b.withdraw(w, withdrawal::cancelled));
  EXPECT_EQ(b.enter(w).is, outcome::queued);
  running.give_back();
  EXPECT_THAT(order, ElementsAre(1));
}

TEST(bulkhead, a_place_given_back_inside_a_grant_goes_to_the_next) {
  struct hasty : sg::bulkhead::waiter {
    explicit hasty(int& grants) : count(grants) {}
    void granted(slot) noexcept override { ++count; }
    int& count;
  };
  const sg::bulkhead b{{.max_concurrent = 1, .max_queue = 3}};
  int grants = 0;
  hasty first(grants), second(grants), third(grants);
  slot running = b.try_enter();
  for (hasty* w : {&first, &second, &third}) (void)b.enter(*w);
  running.give_back();
  EXPECT_EQ(grants, 3);
  EXPECT_EQ(b.metrics().in_use, 0);
}

TEST(bulkhead, waits_for_a_place_no_longer_than_max_wait) {
  skipping_clock clock;
  const sg::bulkhead b{{.name = "reports", .max_concurrent = 1, .max_queue = 1, .max_wait = 2s}, clock};
  const slot running = b.try_enter();
  try {
    b.call([] {});
    FAIL() << "was let through";
  } catch (const sg::bulkhead_full_error& e) {
    EXPECT_TRUE(e.waited());
    EXPECT_THAT(e.what(), HasSubstr("no place became free in time"));
  }
  EXPECT_THAT(clock.waits(), ElementsAre(2s));
  EXPECT_EQ(b.metrics().timed_out, 1u);
  EXPECT_EQ(b.metrics().queued, 0);
  EXPECT_EQ(b.metrics().in_use, 1);
}

TEST(bulkhead, runs_a_call_whose_place_becomes_free_during_the_wait) {
  skipping_clock clock;
  const sg::bulkhead b{{.max_concurrent = 1, .max_queue = 1, .max_wait = 2s}, clock};
  slot running = b.try_enter();
  clock.on_wait([&](std::chrono::nanoseconds) { running.give_back(); });
  EXPECT_EQ(b.call([] { return 7; }), 7);
  EXPECT_EQ(b.metrics().after_waiting, 1u);
  EXPECT_EQ(b.metrics().in_use, 0);
}

TEST(bulkhead, a_stop_request_during_the_wait_ends_it) {
  skipping_clock clock;
  const sg::bulkhead b{{.max_concurrent = 1, .max_queue = 1, .max_wait = 2s}, clock};
  const slot running = b.try_enter();
  std::stop_source stop;
  clock.on_wait([&](std::chrono::nanoseconds) { stop.request_stop(); });
  bool ran = false;
  EXPECT_THROW(b.call(sg::execution{stop.get_token()}, [&] { ran = true; }), sg::cancelled_error);
  EXPECT_FALSE(ran);
  EXPECT_EQ(b.metrics().cancelled, 1u);
  EXPECT_EQ(b.metrics().queued, 0);
  EXPECT_EQ(b.metrics().in_use, 1);
}

TEST(bulkhead, a_call_that_is_stopped_already_does_not_queue) {
  const sg::bulkhead b{{.max_concurrent = 1, .max_queue = 1}};
  const slot running = b.try_enter();
  std::stop_source stop;
  stop.request_stop();
  EXPECT_THROW(b.call(sg::execution{stop.get_token()}, [] {}), sg::cancelled_error);
  EXPECT_EQ(b.metrics().cancelled, 1u);
}

TEST(bulkhead, a_place_that_comes_together_with_the_stop_request_is_given_back) {
  skipping_clock clock;
  const sg::bulkhead b{{.max_concurrent = 1, .max_queue = 1, .max_wait = 2s}, clock};
  slot running = b.try_enter();
  std::stop_source stop;
  clock.on_wait([&](std::chrono::nanoseconds) {
    stop.request_stop();
    running.give_back();
  });
  EXPECT_THROW(b.call(sg::execution{stop.get_token()}, [] {}), sg::cancelled_error);
  EXPECT_EQ(b.metrics().in_use, 0);
  EXPECT_EQ(b.metrics().queued, 0);
}

TEST(bulkhead, a_thread_without_a_time_limit_waits_until_it_gets_a_place) {
  manual_clock clock;
  const sg::bulkhead b{{.max_concurrent = 1, .max_queue = 1}, clock};
  slot running = b.try_enter();
  int got = 0;
  std::thread other([&] { got = b.call([] { return 7; }); });
  until_queued(b, 1);
  EXPECT_EQ(clock.timers(), 0u);
  running.give_back();
  other.join();
  EXPECT_EQ(got, 7);
}

TEST(bulkhead, a_blocked_thread_is_woken_by_the_clock) {
  manual_clock clock;
  const sg::bulkhead b{{.max_concurrent = 1, .max_queue = 1, .max_wait = 2s}, clock};
  const slot running = b.try_enter();
  bool timed_out = false;
  std::thread other([&] {
    try {
      b.call([] {});
    } catch (const sg::bulkhead_full_error& e) {
      timed_out = e.waited();
    }
  });
  while (clock.timers() == 0) std::this_thread::yield();
  clock.advance(2s);
  other.join();
  EXPECT_TRUE(timed_out);
}

TEST(bulkhead, a_blocked_thread_is_woken_by_a_stop_request) {
  const sg::bulkhead b{{.max_concurrent = 1, .max_queue = 1}};
  const slot running = b.try_enter();
  std::stop_source stop;
  bool cancelled = false;
  std::thread other([&] {
    try {
      b.call(sg::execution{stop.get_token()}, [] {});
    } catch (const sg::cancelled_error&) {
      cancelled = true;
    }
  });
  until_queued(b, 1);
  stop.request_stop();
  other.join();
  EXPECT_TRUE(cancelled);
  EXPECT_EQ(b.metrics().queued, 0);
}

// trap 18: own bulkhead pollutes the rate
TEST(bulkhead, trap_18_its_rejections_are_no_evidence_for_a_breaker_around_it) {
  manual_clock clock;
  const sg::bulkhead b{{.max_concurrent = 1}, clock};
  sg::circuit_breaker breaker{"storage", {.failure_threshold = 2}, clock};
  const slot running = b.try_enter();
  for (int i = 0; i < 10; ++i) {
    EXPECT_THROW(breaker.call([&] { return b.call([] { return 1; }); }), sg::bulkhead_full_error);
  }
  EXPECT_EQ(breaker.state(), sg::state::closed);
  EXPECT_EQ(breaker.snapshot().metrics.failures, 0u);
  EXPECT_EQ(breaker.snapshot().metrics.ignored, 10u);
}

TEST(bulkhead, trap_18_its_rejections_after_waiting_are_no_evidence_either) {
  skipping_clock clock;
  const sg::bulkhead b{{.max_concurrent = 1, .max_queue = 1, .max_wait = 1s}, clock};
  sg::circuit_breaker breaker{"storage", {.failure_threshold = 2}, clock};
  const slot running = b.try_enter();
  for (int i = 0; i < 10; ++i) EXPECT_THROW(breaker.call([&] { b.call([] {}); }), sg::bulkhead_full_error);
  EXPECT_EQ(breaker.snapshot().metrics.failures, 0u);
  EXPECT_EQ(breaker.snapshot().metrics.ignored, 10u);
}

TEST(bulkhead, tells_of_rejections_and_of_calls_that_waited_too_long) {
  skipping_clock clock;
  const sg::bulkhead b{{.name = "reports", .max_concurrent = 1, .max_queue = 1, .max_wait = 2s}, clock};
  std::vector<sg::policy_event> events;
  const sg::subscription s = b.observe([&](const sg::policy_event& e) { events.push_back(e); });
  std::vector<int> order;
  slot running = b.try_enter();
  EXPECT_THROW(b.call(sg::execution{.stop = {}, .context = {.correlation_id = "abc"}}, [] {}), sg::bulkhead_full_error);
  EXPECT_FALSE(b.try_enter());
  sg::drain_events();
  ASSERT_EQ(events.size(), 2u);
  EXPECT_EQ(events[0].kind, sg::policy_event_kind::timed_out);
  EXPECT_EQ(events[0].policy, "bulkhead");
  EXPECT_EQ(events[0].name, "reports");
  EXPECT_EQ(events[0].delay, 2s);
  EXPECT_EQ(events[0].correlation_id, "abc");
  EXPECT_EQ(events[1].kind, sg::policy_event_kind::rejected);
}

TEST(bulkhead, knows_the_most_places_that_were_taken) {
  const sg::bulkhead b{{.max_concurrent = 5}};
  {
    const slot one = b.try_enter(), two = b.try_enter(), three = b.try_enter();
  }
  EXPECT_EQ(b.metrics().most_in_use, 3);
  EXPECT_EQ(b.metrics().in_use, 0);
}

TEST(bulkhead, describes_itself) {
  EXPECT_EQ(sg::bulkhead({.max_concurrent = 8}).describe(), "bulkhead(8 at a time)");
  EXPECT_EQ(sg::bulkhead({.max_concurrent = 8, .max_queue = 32, .max_wait = 2s}).describe(),
            "bulkhead(8 at a time, queue 32, waits up to 2s)");
}

TEST(bulkhead, reports_every_problem_of_its_options) {
  EXPECT_THAT(keys({}), IsEmpty());
  EXPECT_THAT(keys({.max_concurrent = 100'000, .max_queue = 1'000'000, .max_wait = 24h}), IsEmpty());
  EXPECT_THAT(keys({.name = "", .max_concurrent = 0, .max_queue = -1, .max_wait = -1ns}),
              ElementsAre("name", "max_concurrent", "max_queue", "max_wait"));
  EXPECT_THAT(keys({.max_concurrent = 100'001, .max_queue = 1'000'001, .max_wait = 24h + 1ns}),
              ElementsAre("max_concurrent", "max_queue", "max_wait"));
  EXPECT_THAT(keys({.max_wait = 1s}), ElementsAre("max_wait"));
  EXPECT_THROW(sg::bulkhead({.max_concurrent = 0}), sg::config_error);
}

}  // namespace
