// SPDX-License-Identifier: Apache-2.0
#include "support/shell.hpp"

#include <switchgear/any_breaker.hpp>

namespace {

using namespace shell;

static_assert(sg::breaker<sg::circuit_breaker>);
static_assert(sg::breaker<sg::any_breaker>);
static_assert(!sg::breaker<int>);
static_assert(!sg::breaker<sg::permit>);

TEST(any_breaker, calls_through_the_breaker_it_refers_to) {
  small_breaker t;
  sg::any_breaker handle(t.breaker);
  EXPECT_EQ(handle.name(), "payments");
  EXPECT_EQ(handle.call([] { return 3; }), 3);
  EXPECT_EQ(handle.call([](std::stop_token) { return 4; }), 4);
  EXPECT_EQ(t.metrics().successes, 2u);
  EXPECT_EQ(handle.snapshot().metrics.successes, 2u);
}

TEST(any_breaker, keeps_a_shared_breaker_alive) {
  std::optional<sg::any_breaker> handle;
  std::weak_ptr<sg::circuit_breaker> watched;
  {
    const auto breaker = std::make_shared<sg::circuit_breaker>("orders");
    watched = breaker;
    handle.emplace(breaker);
  }
  EXPECT_FALSE(watched.expired());
  EXPECT_EQ(handle->name(), "orders");
  handle.reset();
  EXPECT_TRUE(watched.expired());
}

TEST(any_breaker, copied_refers_to_the_same_breaker) {
  small_breaker t;
  sg::any_breaker first(t.breaker);
  sg::any_breaker second = first;
  fail_times(first, 2);
  EXPECT_EQ(second.state(), sg::state::open);
}

TEST(any_breaker, operates_like_the_breaker) {
  small_breaker t;
  sg::any_breaker handle(t.breaker);
  handle.trip("bad deploy");
  EXPECT_TRUE(t.breaker.is_open());
  handle.reset("fixed");
  EXPECT_TRUE(t.breaker.is_closed());
  handle.force_open("maintenance", "alice", 1min);
  EXPECT_EQ(handle.snapshot().operator_override->owner, "alice");
  handle.release("done");
  handle.disable("false alarms", "bob");
  EXPECT_TRUE(t.breaker.is_disabled());
  handle.reset_metrics();
  EXPECT_EQ(t.metrics().transitions, 0u);
}

TEST(any_breaker, gives_permits) {
  small_breaker t;
  sg::any_breaker handle(t.breaker);
  handle.try_acquire().failure();
  EXPECT_EQ(t.metrics().failures, 1u);
}

#if SWITCHGEAR_HAS_EXCEPTIONS
TEST(any_breaker, throws_the_same_error_with_the_callers_context) {
  small_breaker t;
  t.open();
  sg::any_breaker handle(t.breaker);
  EXPECT_EQ(thrown_by<sg::circuit_open_error>([&] { handle.call([] {}, {"request-17"}); }).correlation_id(),
            "request-17");
}
#endif

}  // namespace
