// SPDX-License-Identifier: Apache-2.0
#include <switchgear/testing/breakers.hpp>
#include <switchgear/testing/event_recorder.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace {

namespace sg = switchgear;
using namespace std::chrono_literals;
using sg::event_kind;
using sg::testing::event_recorder;
using sg::testing::fail_times;
using testing::ElementsAre;
using testing::IsEmpty;

TEST(event_recorder, writes_down_what_happens_in_order) {
  sg::testing::manual_clock clock;
  const auto breaker = sg::testing::make_breaker(clock);
  const event_recorder recorder{*breaker};
  fail_times(*breaker, 3);
  clock.advance(30s);
  sg::testing::succeed_times(*breaker, 1);
  sg::drain_events();
  EXPECT_THAT(recorder.kinds(),
              ElementsAre(event_kind::failure, event_kind::failure, event_kind::opened, event_kind::rejected,
                          event_kind::half_open, event_kind::success, event_kind::closed));
  EXPECT_THAT(recorder.transitions(), ElementsAre("closed>open", "open>half_open", "half_open>closed"));
  EXPECT_EQ(recorder.size(), 7u);
  EXPECT_EQ(recorder.count(event_kind::failure), 2u);
  EXPECT_EQ(recorder.events(event_kind::opened).at(0).reason, "2 consecutive failures (threshold 2)");
  EXPECT_EQ(recorder.events().at(0).service, "test");
}

TEST(event_recorder, begins_anew_after_forget) {
  sg::testing::manual_clock clock;
  const auto breaker = sg::testing::make_breaker(clock);
  event_recorder recorder{*breaker};
  fail_times(*breaker, 1);
  sg::drain_events();
  recorder.forget();
  EXPECT_THAT(recorder.events(), IsEmpty());
  fail_times(*breaker, 1);
  sg::drain_events();
  EXPECT_THAT(recorder.kinds(), ElementsAre(event_kind::failure, event_kind::opened));
}

TEST(event_recorder, keeps_what_it_has_when_it_stops) {
  sg::testing::manual_clock clock;
  const auto breaker = sg::testing::make_breaker(clock);
  event_recorder recorder{*breaker};
  fail_times(*breaker, 1);
  sg::drain_events();
  recorder.stop();
  fail_times(*breaker, 1);
  sg::drain_events();
  EXPECT_EQ(recorder.size(), 1u);
}

TEST(event_recorder, may_be_read_while_events_arrive) {
  sg::testing::manual_clock clock;
  const auto breaker = sg::testing::make_breaker(clock);
  event_recorder recorder{*breaker};
  std::size_t seen = 0;
  for (int i = 0; i < 200; ++i) {
    sg::testing::succeed_times(*breaker, 1);
    const std::size_t now = recorder.events().size();
    EXPECT_GE(now, seen);
    seen = now;
  }
  sg::drain_events();
  EXPECT_EQ(recorder.size(), 200u);
}

}  // namespace
