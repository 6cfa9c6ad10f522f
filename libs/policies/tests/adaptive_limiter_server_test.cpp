// SPDX-License-Identifier: Apache-2.0
// The adaptive limiter before a server with a queue, on virtual time.
#include "support/queueing_server.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>

namespace {

namespace sg = switchgear;
using namespace std::chrono_literals;
using std::chrono::nanoseconds;
using switchgear::testing::queueing_server;
using testing::AllOf;
using testing::Ge;
using testing::Le;

sg::adaptive_limiter_options for_server() {
  return {.initial_limit = 20, .min_limit = 2, .max_limit = 500, .window = 100ms, .long_window = 20};
}

TEST(adaptive_limiter_with_a_server, finds_about_what_an_overloaded_server_can_work_off) {
  queueing_server s(for_server(), {.workers = 10, .service_time = 10ms, .arrivals_per_second = 2000});
  s.run(60s);
  // Ten workers: fewer than ten calls in flight waste some, twenty double the latency.
  EXPECT_THAT(s.usual_limit_of_last(20s), AllOf(Ge(10), Le(25)));
  EXPECT_GT(s.completed_per_second_of_last(20s), 950);
}

TEST(adaptive_limiter_with_a_server, finds_it_from_far_above_and_from_far_below) {
  for (const std::int64_t initial : {2, 500}) {
    sg::adaptive_limiter_options o = for_server();
    o.initial_limit = initial;
    queueing_server s(o, {.workers = 10, .service_time = 10ms, .arrivals_per_second = 2000});
    s.run(60s);
    EXPECT_THAT(s.usual_limit_of_last(10s), AllOf(Ge(10), Le(25))) << "from " << initial;
  }
}

TEST(adaptive_limiter_with_a_server, falls_when_latency_rises_and_recovers_when_it_falls) {
  queueing_server s(for_server(), {.workers = 20, .service_time = 10ms, .arrivals_per_second = 3000});
  s.run(60s);
  const std::int64_t healthy = s.usual_limit_of_last(10s);
  EXPECT_GE(healthy, 15);
  s.server.workers = 3;  // the server loses most of itself: the same calls queue
  s.run(15s);
  EXPECT_LE(s.usual_limit_of_last(5s), healthy / 3);
  s.server.workers = 20;
  s.run(15s);
  EXPECT_GE(s.usual_limit_of_last(5s), healthy * 3 / 4);
}

TEST(adaptive_limiter_with_a_server, does_not_creep_up_under_overload_that_lasts) {
  queueing_server s(for_server(), {.workers = 10, .service_time = 10ms, .arrivals_per_second = 2000});
  s.run(60s);
  const std::int64_t before = s.highest_limit_of_last(20s);
  s.run(300s);
  EXPECT_LE(s.highest_limit_of_last(100s), before + 5);
  EXPECT_LE(s.limiter.metrics().normal_latency, 15ms);
}

TEST(adaptive_limiter_with_a_server, takes_a_dependency_that_is_slower_for_good_as_the_new_normal) {
  queueing_server s(for_server(), {.workers = 20, .service_time = 10ms, .arrivals_per_second = 3000});
  s.run(30s);
  const std::int64_t healthy = s.usual_limit_of_last(10s);
  s.server.service_time = 100ms;  // each call takes ten times as long, queue or not
  s.run(1500ms);
  EXPECT_LE(s.limiter.limit(), healthy * 6 / 10);
  s.run(60s);
  EXPECT_GE(s.limiter.metrics().normal_latency, 90ms);
  EXPECT_LE(s.limiter.metrics().normal_latency, 130ms);
  EXPECT_GE(s.usual_limit_of_last(20s), 20);
  EXPECT_GT(s.completed_per_second_of_last(20s), 180);  // of 200
}

TEST(adaptive_limiter_with_a_server, never_gets_stuck_at_the_minimum) {
  sg::adaptive_limiter_options o = for_server();
  o.min_limit = 5;
  o.long_window = 200;
  queueing_server s(o, {.workers = 20, .service_time = 1ms, .arrivals_per_second = 3000});
  s.run(5s);
  s.server.service_time = 200ms;
  s.run(20s);
  EXPECT_EQ(s.lowest_limit_of_last(10s), 5);
  s.run(120s);
  EXPECT_GE(s.usual_limit_of_last(20s), 20);
  EXPECT_GT(s.completed_per_second_of_last(20s), 90);  // of 100
}

TEST(adaptive_limiter_with_a_server, stays_within_its_bounds_whatever_the_server_does) {
  sg::adaptive_limiter_options o = for_server();
  o.min_limit = 4;
  o.max_limit = 40;
  queueing_server s(o, {.workers = 10, .service_time = 10ms, .arrivals_per_second = 2000});
  for (const int workers : {10, 1, 50, 2, 10}) {
    for (const nanoseconds service : {10ms, 1ms, 200ms}) {
      s.server.workers = workers;
      s.server.service_time = service;
      s.run(10s);
    }
  }
  EXPECT_GE(s.lowest_limit_of_last(150s), 4);
  EXPECT_LE(s.highest_limit_of_last(150s), 40);
  EXPECT_LE(s.most_in_flight(), 40u);
}

TEST(adaptive_limiter_with_a_server, the_same_calls_give_the_same_limits) {
  const auto limits = [] {
    queueing_server s(for_server(), {.workers = 7, .service_time = 13ms, .arrivals_per_second = 1700});
    s.run(20s);
    return s.limits;
  };
  EXPECT_EQ(limits(), limits());
}

}  // namespace
