// SPDX-License-Identifier: Apache-2.0
// Which call an event tells of, and which events an observer hears.
#include "support/shell.hpp"

#include <algorithm>
#include <initializer_list>
#include <optional>

namespace {

using namespace shell;
using sg::event_filter;
using sg::event_kind;
using testing::ElementsAre;

const sg::call_context request{.correlation_id = "order-4711"};

/// The correlation ids of the events of one kind.
std::vector<std::string> ids_of(const event_recorder& recorder, event_kind kind) {
  sg::drain_events();
  std::vector<std::string> out;
  for (const sg::event& e : recorder.events(kind)) out.push_back(e.correlation_id);
  return out;
}

// --- correlation ids ---

TEST(correlation_id, of_a_value_that_counts_as_failure_is_told) {
  small_breaker t(small_config(), sg::classifier{}.fail_if([](const int& v) { return v == 503; }));
  const event_recorder recorder(t.breaker);
  EXPECT_EQ(t.breaker.call([] { return 503; }, request), 503);
  EXPECT_THAT(ids_of(recorder, event_kind::failure), ElementsAre("order-4711"));
}

TEST(correlation_id, of_a_value_that_is_ignored_is_told) {
  small_breaker t(small_config(), sg::classifier{}.ignore_if([](const int& v) { return v == 404; }));
  const event_recorder recorder(t.breaker);
  EXPECT_EQ(t.breaker.call([] { return 404; }, request), 404);
  EXPECT_THAT(ids_of(recorder, event_kind::ignored), ElementsAre("order-4711"));
}

TEST(correlation_id, of_a_success_is_told_to_who_hears_of_them) {
  small_breaker t;
  const event_recorder recorder(t.breaker);
  t.breaker.call([] {}, request);
  t.breaker.call([] {});
  EXPECT_THAT(ids_of(recorder, event_kind::success), ElementsAre("order-4711", ""));
}

TEST(correlation_id, of_a_slow_call_is_told) {
  small_breaker t(small_with([](auto& c) { c.slow_call_duration = 1s; }));
  const event_recorder recorder(t.breaker);
  t.breaker.call([&] { t.clock.advance(1s); }, request);
  EXPECT_THAT(ids_of(recorder, event_kind::slow), ElementsAre("order-4711"));
}

TEST(correlation_id, of_a_failed_permit_is_told) {
  small_breaker t;
  const event_recorder recorder(t.breaker);
  auto p = t.breaker.try_acquire();
  p.failure("connection refused", request);
  sg::drain_events();
  ASSERT_EQ(recorder.count(event_kind::failure), 1u);
  EXPECT_EQ(recorder.events().at(0).correlation_id, "order-4711");
  EXPECT_EQ(recorder.events().at(0).reason, "connection refused");
}

TEST(correlation_id, of_one_permit_is_not_that_of_the_next) {
  small_breaker t;
  const event_recorder recorder(t.breaker);
  t.breaker.try_acquire().failure("first", request);
  t.breaker.try_acquire().failure("second");
  EXPECT_THAT(ids_of(recorder, event_kind::failure), ElementsAre("order-4711", ""));
}

TEST(correlation_id, of_a_late_verdict_is_told) {
  small_breaker t;
  const event_recorder recorder(t.breaker);
  auto late = t.breaker.try_acquire();
  t.breaker.reset();
  late.failure("connection refused", request);
  EXPECT_THAT(ids_of(recorder, event_kind::late), ElementsAre("order-4711"));
}

TEST(correlation_id, of_a_refused_permit_is_told) {
  small_breaker t;
  t.open();
  const event_recorder recorder(t.breaker);
  EXPECT_FALSE(t.breaker.try_acquire(request));
  EXPECT_THAT(ids_of(recorder, event_kind::rejected), ElementsAre("order-4711"));
}

TEST(correlation_id, is_cut_to_what_events_keep) {
  small_breaker t;
  const event_recorder recorder(t.breaker);
  const std::string long_id(100, 'x');
  t.breaker.try_acquire().failure({}, {.correlation_id = long_id});
  EXPECT_THAT(ids_of(recorder, event_kind::failure), ElementsAre(std::string(39, 'x')));
}

#if SWITCHGEAR_HAS_EXCEPTIONS

void refuse() { throw std::runtime_error("connection refused"); }

TEST(correlation_id, of_a_thrown_failure_is_told) {
  small_breaker t;
  const event_recorder recorder(t.breaker);
  EXPECT_THROW(t.breaker.call(refuse, request), std::runtime_error);
  EXPECT_THAT(ids_of(recorder, event_kind::failure), ElementsAre("order-4711"));
}

TEST(correlation_id, of_a_thrown_failure_is_told_while_good_calls_go_the_quick_way) {
  small_breaker t;
  std::vector<std::string> heard;
  const auto subscription =
      t.breaker.observe([&](const sg::event& e) { heard.push_back(e.correlation_id); }, event_filter::failures);
  t.breaker.call([] {}, request);
  EXPECT_THROW(t.breaker.call(refuse, request), std::runtime_error);
  sg::drain_events();
  EXPECT_THAT(heard, ElementsAre("order-4711"));
}

TEST(correlation_id, of_a_thrown_exception_that_is_ignored_is_told) {
  small_breaker t;
  const event_recorder recorder(t.breaker);
  EXPECT_THROW(t.breaker.call([] { throw sg::cancelled_error("gave up"); }, request), sg::cancelled_error);
  EXPECT_THAT(ids_of(recorder, event_kind::ignored), ElementsAre("order-4711"));
}

TEST(correlation_id, of_a_call_that_took_longer_than_its_call_timeout_is_told) {
  small_breaker t(small_with([](auto& c) { c.call_timeout = 1s; }));
  const event_recorder recorder(t.breaker);
  EXPECT_THROW(t.breaker.call([&] { t.clock.advance(1s); }, request), sg::call_timeout_error);
  EXPECT_THROW(t.breaker.call([&] { t.clock.advance(1s), refuse(); }, request), sg::call_timeout_error);
  EXPECT_THAT(ids_of(recorder, event_kind::failure), ElementsAre("order-4711", "order-4711"));
}

TEST(correlation_id, of_a_rejected_call_is_told_and_thrown) {
  small_breaker t;
  t.open();
  const event_recorder recorder(t.breaker);
  const auto e = thrown_by<sg::circuit_open_error>([&] { t.breaker.call([] {}, request); });
  EXPECT_EQ(e.correlation_id(), "order-4711");
  EXPECT_THAT(ids_of(recorder, event_kind::rejected), ElementsAre("order-4711"));
}

TEST(correlation_id, of_a_call_that_comes_back_late_is_told) {
  small_breaker t;
  const event_recorder recorder(t.breaker);
  EXPECT_THROW(t.breaker.call([&] { t.breaker.reset(), refuse(); }, request), std::runtime_error);
  EXPECT_THAT(ids_of(recorder, event_kind::failure), ElementsAre("order-4711"));
  EXPECT_THAT(ids_of(recorder, event_kind::late), ElementsAre("order-4711"));
}

TEST(correlation_id, of_an_exception_that_is_settled_by_hand_is_told) {
  small_breaker t;
  const event_recorder recorder(t.breaker);
  auto p = t.breaker.try_acquire();
  try {
    refuse();
  } catch (...) {
    EXPECT_EQ(p.settle_exception(request), sg::verdict::failure);
  }
  EXPECT_THAT(ids_of(recorder, event_kind::failure), ElementsAre("order-4711"));
}

TEST(correlation_id, of_a_failed_probe_is_told) {
  small_breaker t;
  t.half_open();
  const event_recorder recorder(t.breaker);
  EXPECT_THROW(t.breaker.call(refuse, request), std::runtime_error);
  EXPECT_THAT(ids_of(recorder, event_kind::failure), ElementsAre("order-4711"));
}

#endif

// --- what an observer hears ---

/// The kinds that are heard while everything happens once.
std::vector<event_kind> heard_with(event_filter filter) {
  small_breaker t(small_with([](auto& c) { c.slow_call_duration = 1s; }));
  std::vector<event_kind> out;
  const auto subscription = t.breaker.observe([&](const sg::event& e) { out.push_back(e.kind); }, filter);
  t.breaker.try_acquire().success();
  t.breaker.try_acquire().ignore();
  t.breaker.try_acquire().failure();
  auto slow = t.breaker.try_acquire();
  t.clock.advance(1s);
  slow.success();
  auto late = t.breaker.try_acquire();
  t.breaker.trip();
  (void)t.breaker.try_acquire();
  late.failure();
  t.clock.advance(30s);
  auto lost = t.breaker.try_acquire();
  t.clock.advance(30s);
  (void)t.breaker.try_acquire();
  (void)t.breaker.reconfigure([](sg::config& c) { c.jitter = 0.5; });
  sg::drain_events();
  return out;
}

/// Of all that happens, in its order, what these kinds are.
std::vector<event_kind> only(std::initializer_list<event_kind> kinds) {
  std::vector<event_kind> out = heard_with(event_filter::everything);
  std::erase_if(out, [&](event_kind k) { return std::find(kinds.begin(), kinds.end(), k) == kinds.end(); });
  return out;
}

TEST(an_observer, of_transitions_hears_of_these_alone) {
  EXPECT_THAT(heard_with(event_filter::transitions), ElementsAre(event_kind::opened, event_kind::half_open));
}

TEST(an_observer, of_failures_hears_of_them_and_of_what_is_late_expired_or_configured_anew) {
  const auto wanted = only({event_kind::opened, event_kind::half_open, event_kind::failure, event_kind::late,
                            event_kind::probe_expired, event_kind::config_changed});
  EXPECT_EQ(heard_with(event_filter::failures), wanted);
  for (const event_kind k : {event_kind::failure, event_kind::late, event_kind::probe_expired, event_kind::config_changed}) {
    EXPECT_NE(std::count(wanted.begin(), wanted.end(), k), 0) << to_string(k);
  }
}

TEST(an_observer, of_problems_hears_of_rejections_and_slow_calls_too) {
  const auto wanted = only({event_kind::opened, event_kind::half_open, event_kind::failure, event_kind::late,
                            event_kind::probe_expired, event_kind::config_changed, event_kind::rejected, event_kind::slow});
  EXPECT_EQ(heard_with(event_filter::problems), wanted);
  for (const event_kind k : {event_kind::rejected, event_kind::slow}) {
    EXPECT_NE(std::count(wanted.begin(), wanted.end(), k), 0) << to_string(k);
  }
}

TEST(an_observer, of_everything_hears_of_good_and_ignored_calls_too) {
  const auto all = heard_with(event_filter::everything);
  for (const event_kind k : {event_kind::success, event_kind::ignored}) {
    EXPECT_NE(std::count(all.begin(), all.end(), k), 0) << to_string(k);
  }
}

TEST(an_observer, hears_what_it_asked_for_beside_one_that_asked_for_more) {
  small_breaker t;
  std::vector<event_kind> failures;
  const auto first = t.breaker.observe([&](const sg::event& e) { failures.push_back(e.kind); }, event_filter::failures);
  const event_recorder all(t.breaker);
  succeed_times(t.breaker, 2);
  fail_times(t.breaker, 1);
  sg::drain_events();
  EXPECT_EQ(all.size(), 3u);
  EXPECT_THAT(failures, ElementsAre(event_kind::failure));
}

#if SWITCHGEAR_HAS_EXCEPTIONS  // without them there is one way only

/// Counts how often it is moved on its way to the caller, which the quick way does less often.
struct moved_result {
  int moves = 0;
  moved_result() = default;
  moved_result(moved_result&& other) noexcept : moves(other.moves + 1) {}
};

int moves_of(small_breaker& t) {
  succeed_times(t.breaker, 200);  // the quick way is for windows full of successes
  return t.breaker.call([] { return moved_result(); }).moves;
}
int moves_with(std::optional<event_filter> filter) {
  small_breaker t;
  sg::subscription subscription;
  if (filter) subscription = t.breaker.observe([](const sg::event&) {}, *filter);
  return moves_of(t);
}

TEST(an_observer, leaves_good_calls_their_quick_way_unless_it_hears_of_them) {
  const int quick = moves_with(std::nullopt);
  EXPECT_EQ(moves_with(event_filter::transitions), quick);
  EXPECT_EQ(moves_with(event_filter::failures), quick);
  EXPECT_EQ(moves_with(event_filter::problems), quick);
  EXPECT_GT(moves_with(event_filter::everything), quick);
}

TEST(an_observer, of_everything_that_has_gone_leaves_the_quick_way_to_one_of_failures) {
  small_breaker t;
  const auto failures = t.breaker.observe([](const sg::event&) {}, event_filter::failures);
  {
    const event_recorder all(t.breaker);
    EXPECT_GT(moves_of(t), moves_with(std::nullopt));
  }
  EXPECT_EQ(moves_of(t), moves_with(std::nullopt));
}

#endif

}  // namespace
