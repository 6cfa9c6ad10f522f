// SPDX-License-Identifier: Apache-2.0
#include "support/shell.hpp"

#include <type_traits>

namespace {

using namespace shell;

static_assert(!std::is_copy_constructible_v<sg::permit> && !std::is_copy_assignable_v<sg::permit>);
static_assert(std::is_nothrow_move_constructible_v<sg::permit> && std::is_nothrow_move_assignable_v<sg::permit>);
static_assert(noexcept(std::declval<sg::circuit_breaker&>().try_acquire()));

TEST(permit, is_true_when_the_call_may_be_made) {
  small_breaker t;
  auto permit = t.breaker.try_acquire();
  EXPECT_TRUE(permit);
  permit.success();
  EXPECT_FALSE(permit);
}

TEST(permit, by_default_is_none) {
  sg::permit permit;
  EXPECT_FALSE(permit);
  permit.success();
}

TEST(permit, says_why_it_was_refused_and_when_to_come_back) {
  small_breaker t;
  t.open();
  t.clock.advance(10s);
  const auto refused = t.breaker.try_acquire();
  EXPECT_FALSE(refused);
  EXPECT_EQ(refused.rejection().reason, sg::rejection_reason::open);
  EXPECT_EQ(refused.rejection().retry_after, 20s);
  EXPECT_EQ(refused.rejection().failure_count, 2u);
}

TEST(permit, of_a_full_half_open_circuit_may_be_asked_for_again_at_once) {
  small_breaker t;
  t.half_open();
  const auto probe = t.breaker.try_acquire();
  const auto refused = t.breaker.try_acquire();
  EXPECT_FALSE(refused);
  EXPECT_EQ(refused.rejection().reason, sg::rejection_reason::half_open_limit);
  EXPECT_EQ(refused.rejection().retry_after, 0ns);
}

TEST(permit, takes_only_the_first_verdict) {  // trap 6
  small_breaker t;
  auto permit = t.breaker.try_acquire();
  permit.success();
  permit.failure();
  permit.timeout();
  permit.ignore();
  EXPECT_EQ(t.metrics().successes, 1u);
  EXPECT_EQ(t.metrics().total_calls(), 1u);
}

TEST(permit, destroyed_without_a_verdict_is_abandoned) {
  small_breaker t;
  { const auto permit = t.breaker.try_acquire(); }
  const auto s = t.breaker.snapshot();
  EXPECT_EQ(s.metrics.abandoned, 1u);
  EXPECT_EQ(s.metrics.total_calls(), 1u);
  EXPECT_EQ(s.window.calls, 0u);
}

TEST(permit, abandoned_gives_its_probe_slot_back) {  // trap 2
  small_breaker t;
  t.half_open();
  { const auto probe = t.breaker.try_acquire(); }
  EXPECT_EQ(t.breaker.snapshot().probes_in_flight, 0u);
  EXPECT_TRUE(t.breaker.try_acquire());
}

TEST(permit, ignored_gives_its_probe_slot_back_and_changes_nothing_else) {
  small_breaker t;
  t.half_open();
  t.breaker.try_acquire().ignore();
  const auto s = t.breaker.snapshot();
  EXPECT_EQ(s.state, sg::state::half_open);
  EXPECT_EQ(s.half_open_successes, 0u);
  EXPECT_EQ(s.probes_in_flight, 0u);
}

TEST(permit, ignored_leaves_the_consecutive_count) {
  small_breaker t;
  fail_times(t.breaker, 1);
  t.breaker.try_acquire().ignore();
  EXPECT_EQ(t.breaker.snapshot().consecutive_failures, 1u);
}

TEST(permit, timed_out_is_a_failure_and_a_timeout) {
  small_breaker t;
  t.breaker.try_acquire().timeout();
  EXPECT_EQ(t.metrics().failures, 1u);
  EXPECT_EQ(t.metrics().timeouts, 1u);
}

TEST(permit, keeps_the_text_of_its_failure) {
  small_breaker t;
  t.breaker.try_acquire().failure("connection refused");
  EXPECT_EQ(t.breaker.snapshot().last_failure, "connection refused");
}

TEST(permit, cuts_a_long_text_between_characters) {
  small_breaker t;
  const std::string text(46, 'x');
  t.breaker.try_acquire().failure(text + "ä");  // 48 bytes; 47 are kept
  EXPECT_EQ(t.breaker.snapshot().last_failure, text);
}

TEST(permit, moved_from_is_none_and_the_new_one_settles) {
  small_breaker t;
  auto first = t.breaker.try_acquire();
  auto second = std::move(first);
  first.failure();
  EXPECT_EQ(t.metrics().total_calls(), 0u);
  second.success();
  EXPECT_EQ(t.metrics().successes, 1u);
  EXPECT_EQ(t.metrics().total_calls(), 1u);
}

TEST(permit, assigned_over_is_abandoned) {
  small_breaker t;
  auto permit = t.breaker.try_acquire();
  permit = t.breaker.try_acquire();
  EXPECT_EQ(t.metrics().abandoned, 1u);
  permit.success();
  EXPECT_EQ(t.metrics().total_calls(), 2u);
}

TEST(permit, assigned_to_itself_stays) {
  small_breaker t;
  auto permit = t.breaker.try_acquire();
  auto& same = permit;
  permit = std::move(same);
  EXPECT_TRUE(permit);
  permit.success();
  EXPECT_EQ(t.metrics().successes, 1u);
}

TEST(permit, may_be_settled_by_another_thread) {
  small_breaker t;
  t.half_open();
  std::thread([probe = t.breaker.try_acquire()]() mutable { probe.success(); }).join();
  EXPECT_TRUE(t.breaker.is_closed());
}

TEST(permit, settled_after_its_generation_is_late_and_moves_nothing) {  // traps 1, 8
  small_breaker t;
  auto success = t.breaker.try_acquire();
  auto failure = t.breaker.try_acquire();
  t.open();
  t.clock.advance(10s);
  success.success();
  failure.failure();
  const auto s = t.breaker.snapshot();
  EXPECT_EQ(s.state, sg::state::open);
  EXPECT_EQ(s.retry_after, 20s);
  EXPECT_EQ(s.metrics.late_results, 2u);
  EXPECT_EQ(s.metrics.successes, 1u);
  EXPECT_EQ(s.metrics.failures, 3u);
}

TEST(permit, of_before_does_not_decide_half_open) {  // trap 1
  small_breaker t;
  auto old = t.breaker.try_acquire();
  t.half_open();
  auto probe = t.breaker.try_acquire();
  old.success();
  EXPECT_TRUE(t.breaker.is_half_open());
  EXPECT_EQ(t.breaker.snapshot().half_open_successes, 0u);
  probe.success();
  EXPECT_TRUE(t.breaker.is_closed());
}

TEST(permit, of_before_a_reset_is_late) {  // trap 9
  small_breaker t;
  auto old = t.breaker.try_acquire();
  fail_times(t.breaker, 1);
  t.breaker.reset();
  old.failure();
  EXPECT_EQ(t.breaker.snapshot().consecutive_failures, 0u);
  EXPECT_EQ(t.metrics().late_results, 1u);
}

TEST(permit, ignored_or_abandoned_is_never_late) {
  small_breaker t;
  auto ignored = t.breaker.try_acquire();
  {
    const auto abandoned = t.breaker.try_acquire();
    t.open();
    ignored.ignore();
  }
  EXPECT_EQ(t.metrics().late_results, 0u);
  EXPECT_EQ(t.metrics().ignored, 1u);
  EXPECT_EQ(t.metrics().abandoned, 1u);
}

TEST(permit, of_a_probe_that_takes_too_long_loses_its_slot) {  // trap 3
  small_breaker t;
  t.half_open();
  auto lost = t.breaker.try_acquire();
  t.clock.advance(30s);
  auto next = t.breaker.try_acquire();
  ASSERT_TRUE(next);
  lost.success();
  EXPECT_TRUE(t.breaker.is_half_open());
  next.success();
  EXPECT_TRUE(t.breaker.is_closed());
  EXPECT_EQ(t.metrics().expired_probes, 1u);
  EXPECT_EQ(t.metrics().late_results, 1u);
}

TEST(permit, runs_a_function_and_settles_by_what_it_brings) {
  small_breaker t;
  EXPECT_EQ(t.breaker.try_acquire().run([] { return 5; }), 5);
  EXPECT_EQ(t.metrics().successes, 1u);
}

TEST(permit, settles_by_the_value_that_the_classifier_sees) {
  small_breaker t(small_config(), sg::classifier{}.fail_if([](const int& status) { return status >= 500; }));
  EXPECT_EQ(t.breaker.try_acquire().settle_value(200), sg::verdict::success);
  EXPECT_EQ(t.breaker.try_acquire().settle_value(503), sg::verdict::failure);
  EXPECT_EQ(t.breaker.try_acquire().settle_return(), sg::verdict::success);
}

#if SWITCHGEAR_HAS_EXCEPTIONS
TEST(permit, refused_throws_when_a_call_is_required) {
  small_breaker t;
  t.open();
  auto refused = t.breaker.try_acquire();
  EXPECT_THROW(refused.require(), sg::circuit_open_error);
  EXPECT_THROW(refused.run([] {}), sg::circuit_open_error);
}

TEST(permit, settles_by_the_exception_that_is_being_handled) {
  small_breaker t(small_config(), sg::classifier{}.ignore<std::invalid_argument>());
  auto permit = t.breaker.try_acquire();
  try {
    throw std::invalid_argument("no such topic");
  } catch (...) {
    EXPECT_EQ(permit.settle_exception(), sg::verdict::ignored);
  }
  EXPECT_FALSE(permit);
}
#endif

}  // namespace
