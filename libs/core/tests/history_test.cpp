// SPDX-License-Identifier: Apache-2.0
#include "support/shell.hpp"

namespace {

using namespace shell;

/// A circuit that was tripped and reset `n` times, with reasons t0, r0, t1, r1, …
void trip_and_reset(sg::circuit_breaker& b, int n) {
  for (int i = 0; i < n; ++i) {
    b.trip("t" + std::to_string(i));
    b.reset("r" + std::to_string(i));
  }
}

std::vector<std::string> reasons(const sg::circuit_breaker& b) {
  std::vector<std::string> out;
  for (const auto& c : b.history()) out.push_back(c.reason);
  return out;
}

sg::config keeping(std::int64_t n) {
  return small_with([n](auto& c) { c.state_history = n; });
}

TEST(history, is_empty_at_the_start) {
  EXPECT_TRUE(sg::circuit_breaker("payments").history().empty());
}

TEST(history, tells_of_each_transition) {
  small_breaker t;
  t.half_open();
  succeed_times(t.breaker, 1);
  const auto h = t.breaker.history();
  ASSERT_EQ(h.size(), 3u);
  EXPECT_EQ(h[0].from_state, sg::state::closed);
  EXPECT_EQ(h[0].to_state, sg::state::open);
  EXPECT_EQ(h[0].reason, "2 consecutive failures (threshold 2)");
  EXPECT_EQ(h[0].failure_count, 2u);
  EXPECT_EQ(h[0].generation, 1u);
  EXPECT_EQ(h[1].to_state, sg::state::half_open);
  EXPECT_EQ(h[1].reason, "open duration passed");
  EXPECT_EQ(h[1].failure_count, 2u);
  EXPECT_EQ(h[1].generation, 2u);
  EXPECT_EQ(h[2].to_state, sg::state::closed);
  EXPECT_EQ(h[2].reason, "1 probe succeeded (threshold 1)");
  EXPECT_EQ(h[2].failure_count, 0u);
  EXPECT_EQ(h[2].generation, 3u);
}

TEST(history, counts_failed_probes_on_top_of_the_failures) {
  small_breaker t;
  t.half_open();
  fail_times(t.breaker, 1);
  EXPECT_EQ(t.breaker.history().back().failure_count, 3u);
  EXPECT_EQ(t.breaker.history().back().reason, "a probe failed");
}

TEST(history, shows_when_it_was_on_the_clock_on_the_wall) {
  small_breaker t;
  t.open();
  t.clock.advance(1h);
  const auto ago = std::chrono::system_clock::now() - t.breaker.history().at(0).timestamp;
  EXPECT_GT(ago, 59min);
  EXPECT_LT(ago, 61min);
}

TEST(history, keeps_the_newest_in_order) {
  small_breaker t(keeping(5));
  trip_and_reset(t.breaker, 4);
  EXPECT_THAT(reasons(t.breaker), testing::ElementsAre("r1", "t2", "r2", "t3", "r3"));
}

TEST(history, of_exactly_the_limit_loses_nothing) {
  small_breaker t(keeping(6));
  trip_and_reset(t.breaker, 3);
  EXPECT_THAT(reasons(t.breaker), testing::ElementsAre("t0", "r0", "t1", "r1", "t2", "r2"));
}

TEST(history, of_nothing_keeps_nothing) {  // trap 21
  small_breaker t(keeping(0));
  trip_and_reset(t.breaker, 2);
  EXPECT_TRUE(t.breaker.history().empty());
  EXPECT_EQ(t.metrics().transitions, 4u);
}

TEST(history, grows_past_its_first_room) {
  small_breaker t(keeping(1000));
  trip_and_reset(t.breaker, 50);
  EXPECT_EQ(t.breaker.history().size(), 100u);
  EXPECT_EQ(reasons(t.breaker).back(), "r49");
}

TEST(history, shrinks_and_grows_with_its_configuration) {
  small_breaker t(keeping(5));
  trip_and_reset(t.breaker, 4);
  EXPECT_TRUE(t.breaker.reconfigure([](sg::config& c) { c.state_history = 2; }).empty());
  EXPECT_THAT(reasons(t.breaker), testing::ElementsAre("t3", "r3"));
  trip_and_reset(t.breaker, 1);
  EXPECT_THAT(reasons(t.breaker), testing::ElementsAre("t0", "r0"));
  EXPECT_TRUE(t.breaker.reconfigure([](sg::config& c) { c.state_history = 4; }).empty());
  trip_and_reset(t.breaker, 1);
  EXPECT_THAT(reasons(t.breaker), testing::ElementsAre("t0", "r0", "t0", "r0"));
  EXPECT_TRUE(t.breaker.reconfigure([](sg::config& c) { c.state_history = 0; }).empty());
  EXPECT_TRUE(t.breaker.history().empty());
  EXPECT_TRUE(t.breaker.reconfigure([](sg::config& c) { c.state_history = 3; }).empty());
  trip_and_reset(t.breaker, 2);
  EXPECT_THAT(reasons(t.breaker), testing::ElementsAre("r0", "t1", "r1"));
}

TEST(history, names_the_action_when_the_operator_gave_no_reason) {
  small_breaker t;
  t.breaker.trip();
  t.breaker.force_open();
  t.breaker.disable();
  t.breaker.release();
  t.breaker.trip();
  t.breaker.reset();
  EXPECT_THAT(reasons(t.breaker),
              testing::ElementsAre("tripped by hand", "forced open by hand", "disabled by hand", "released by hand",
                                   "tripped by hand", "reset by hand"));
}

TEST(history, stays_in_order_when_many_threads_make_it) {
  small_breaker t(keeping(1000));
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) threads.emplace_back([&] { trip_and_reset(t.breaker, 100); });
  for (auto& thread : threads) thread.join();
  const auto h = t.breaker.history();
  EXPECT_EQ(h.size(), t.metrics().transitions);
  for (std::size_t i = 1; i < h.size(); ++i) EXPECT_LT(h[i - 1].generation, h[i].generation);
}

}  // namespace
