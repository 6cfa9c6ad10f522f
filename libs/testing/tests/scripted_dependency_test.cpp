// SPDX-License-Identifier: Apache-2.0
#include <switchgear/testing/scripted_dependency.hpp>

#include <gtest/gtest.h>

#include <thread>
#include <vector>

namespace {

using namespace std::chrono_literals;
using switchgear::testing::manual_clock;
using switchgear::testing::scripted_dependency;

struct service_and_clock {
  manual_clock clock;
  scripted_dependency service{clock};
};

TEST(scripted_dependency, succeeds_without_a_script) {
  service_and_clock t;
  EXPECT_EQ(t.service(), 0);
  EXPECT_EQ(t.service.calls(), 1u);
}

TEST(scripted_dependency, plays_its_steps_in_order_and_then_succeeds) {
  service_and_clock t;
  t.service.answer(503, 2).succeed().answer(200);
  EXPECT_EQ(t.service.steps_left(), 4u);
  EXPECT_EQ(t.service(), 503);
  EXPECT_EQ(t.service(), 503);
  EXPECT_EQ(t.service(), 0);
  EXPECT_EQ(t.service(), 200);
  EXPECT_EQ(t.service(), 0);
  EXPECT_EQ(t.service.steps_left(), 0u);
  EXPECT_EQ(t.service.calls(), 5u);
}

TEST(scripted_dependency, takes_time_on_the_manual_clock_for_one_step) {
  service_and_clock t;
  t.service.take(2s).succeed().succeed();
  t.service();
  EXPECT_EQ(t.clock.now(), 2s);
  t.service();
  EXPECT_EQ(t.clock.now(), 2s);
}

TEST(scripted_dependency, performs_what_it_is_told) {
  service_and_clock t;
  std::size_t inside = 0;
  t.service.perform([&] { inside = t.service.inside(); });
  t.service();
  EXPECT_EQ(inside, 1u);
  EXPECT_EQ(t.service.inside(), 0u);
}

TEST(scripted_dependency, hangs_until_it_is_asked_to_stop) {
  service_and_clock t;
  t.service.hang();
  std::stop_source stop;
  std::thread caller([&] { t.service(stop.get_token()); });
  t.service.wait_until_inside(1);
  EXPECT_EQ(t.service.stopped(), 0u);
  stop.request_stop();
  caller.join();
  EXPECT_EQ(t.service.stopped(), 1u);
}

TEST(scripted_dependency, hangs_until_it_is_released) {
  service_and_clock t;
  t.service.hang();
  std::thread caller([&] { t.service(); });
  t.service.wait_until_inside(1);
  t.service.release();
  caller.join();
  EXPECT_EQ(t.service.stopped(), 0u);
}

TEST(scripted_dependency, counts_the_calls_that_are_inside_at_once) {
  service_and_clock t;
  t.service.hang(3);
  std::vector<std::thread> callers;
  for (int i = 0; i < 3; ++i) callers.emplace_back([&] { t.service(); });
  t.service.wait_until_inside(3);
  EXPECT_EQ(t.service.inside(), 3u);
  t.service.release();
  for (auto& c : callers) c.join();
  EXPECT_EQ(t.service.inside(), 0u);
  EXPECT_EQ(t.service.most_inside(), 3u);
}

#if SWITCHGEAR_HAS_EXCEPTIONS
TEST(scripted_dependency, fails_with_an_exception) {
  service_and_clock t;
  t.service.fail(1, "connection refused").fail_with(std::out_of_range("no such order"));
  try {
    t.service();
    FAIL();
  } catch (const switchgear::testing::scripted_failure& e) {
    EXPECT_STREQ(e.what(), "connection refused");
  }
  EXPECT_THROW(t.service(), std::out_of_range);
  EXPECT_EQ(t.service.inside(), 0u);
  EXPECT_EQ(t.service.calls(), 2u);
}
#endif

}  // namespace
