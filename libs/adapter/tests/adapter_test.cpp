// SPDX-License-Identifier: Apache-2.0
#include <switchgear/adapter.hpp>

#include <switchgear/testing/event_recorder.hpp>
#include <switchgear/testing/skipping_clock.hpp>

#include <gtest/gtest.h>

#include <stdexcept>

namespace {

namespace sg = switchgear;
using namespace std::chrono_literals;

struct adapters : testing::Test {
  sg::testing::skipping_clock clock;
  sg::adapter guarded{"cache", "cache.sessions", {.breaker = {.failure_threshold = 2}, .clock = &clock}};

  void fail() {
    EXPECT_THROW(guarded.run("get", "Failed to get", {}, [](const auto&) { throw std::runtime_error("reset"); }),
                 sg::connection_error);
  }
};

TEST_F(adapters, return_what_the_function_returns) {
  EXPECT_EQ(guarded.run("get", "Failed to get", {}, [](const sg::adapter::attempt& a) { return a.number; }), 1);
}

TEST_F(adapters, wrap_what_was_thrown_with_its_context) {
  try {
    guarded.run("get", "Failed to get x", {.correlation_id = "abc"},
                [](const auto&) -> int { throw std::runtime_error("reset"); });
    FAIL();
  } catch (const sg::connection_error& e) {
    EXPECT_STREQ(e.what(), "Failed to get x: reset");
    EXPECT_EQ(e.context().transport, "cache");
    EXPECT_EQ(e.context().operation, "get");
    EXPECT_EQ(e.context().target, "cache.sessions");
    EXPECT_EQ(e.correlation_id(), "abc");
    EXPECT_THROW(std::rethrow_if_nested(e), std::runtime_error);
  }
}

TEST_F(adapters, say_what_was_rejected_for_whom) {
  fail();
  fail();
  try {
    guarded.run("get", "Failed to get", {.correlation_id = "abc"}, [](const auto&) {});
    FAIL();
  } catch (const sg::circuit_open_error& e) {
    EXPECT_EQ(e.name(), "cache.sessions");
    EXPECT_EQ(e.context().operation, "get");
    EXPECT_EQ(e.correlation_id(), "abc");
  }
}

TEST_F(adapters, tell_observers_whose_call_failed_was_refused_or_rejected) {
  const sg::testing::event_recorder recorder(guarded.breaker());
  const auto one = [&](const auto& f) {
    EXPECT_ANY_THROW(guarded.run("get", "Failed to get", {.correlation_id = "abc"}, f));
    sg::drain_events();
  };
  one([](const sg::adapter::attempt& a) { throw a.refused("no such key", "404"); });
  one([](const auto&) { throw std::runtime_error("reset"); });
  guarded.breaker().trip();
  one([](const auto&) {});
  for (const sg::event_kind k : {sg::event_kind::ignored, sg::event_kind::failure, sg::event_kind::rejected}) {
    ASSERT_EQ(recorder.count(k), 1u) << to_string(k);
    EXPECT_EQ(recorder.events(k)[0].correlation_id, "abc") << to_string(k);
  }
}

TEST_F(adapters, take_a_refusal_for_no_evidence) {
  for (int i = 0; i < 5; ++i) {
    EXPECT_THROW(guarded.run("get", "Failed to get", {}, [](const auto& a) { throw a.refused("no such key", "404"); }),
                 sg::refused_error);
  }
  EXPECT_TRUE(guarded.breaker().is_closed());
  EXPECT_EQ(guarded.breaker().snapshot().metrics.ignored, 5u);
}

TEST_F(adapters, repeat_within_one_call_of_the_breaker) {
  const int attempts = guarded.repeat("get", "Failed to get", {}, [](const sg::adapter::attempt& a) {
    if (a.number < 3) throw std::runtime_error("reset");
    return a.number;
  });
  EXPECT_EQ(attempts, 3);
  EXPECT_EQ(guarded.breaker().snapshot().metrics.total_calls(), 1u);
}

TEST_F(adapters, do_not_repeat_what_was_refused) {
  int calls = 0;
  EXPECT_THROW(guarded.repeat("get", "Failed to get", {},
                              [&](const sg::adapter::attempt& a) {
                                ++calls;
                                throw a.refused("no such key");
                              }),
               sg::refused_error);
  EXPECT_EQ(calls, 1);
}

}  // namespace
