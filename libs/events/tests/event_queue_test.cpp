// SPDX-License-Identifier: Apache-2.0
#include "event_samples.hpp"

#include <switchgear/detail/event_queue.hpp>

#include <gtest/gtest.h>

#include <future>
#include <thread>

namespace {

namespace sg = switchgear;
using namespace event_samples;
using namespace std::chrono_literals;
using texts = std::vector<std::string>;

struct event_queue : testing::Test {
  sg::detail::event_queue queue{4};
  sg::detail::event_queue::batch batch;
  texts seen;

  texts take() {
    seen.clear();
    EXPECT_TRUE(queue.wait(batch));
    batch.for_each([this](const sg::event& e) {
      seen.push_back(e.service + std::to_string(e.sequence) + (e.present ? "p" : ""));
    });
    queue.done();
    return seen;
  }
  void fill() {
    for (int i = 0; i < 4; ++i) EXPECT_TRUE(queue.push(call("x", 0)));
  }
  void note(const std::string& text) {
    EXPECT_TRUE(queue.run_in_turn([this, text] { seen.push_back(text); }));
  }
};

TEST_F(event_queue, hands_over_in_order_what_was_put_in) {
  for (int i = 1; i <= 3; ++i) EXPECT_TRUE(queue.push(call("a", static_cast<std::uint64_t>(i))));
  EXPECT_EQ(take(), (texts{"a1", "a2", "a3"}));
  EXPECT_TRUE(queue.push(call("b", 1)));
  EXPECT_EQ(take(), texts{"b1"});
}

TEST_F(event_queue, drops_calls_when_it_is_full_and_says_how_many) {
  fill();
  EXPECT_FALSE(queue.push(call("a", 1)));
  EXPECT_FALSE(queue.push(call("a", 2)));
  EXPECT_EQ(queue.dropped(), 2u);
  EXPECT_EQ(queue.pushed(), 6u);
  EXPECT_EQ(take().size(), 4u);
  EXPECT_EQ(batch.dropped(), 2u);
  EXPECT_TRUE(queue.push(call("a", 3)));
  take();
  EXPECT_EQ(batch.dropped(), 0u);
}

TEST_F(event_queue, keeps_the_last_transition_of_each_circuit_when_it_is_full) {
  fill();
  for (std::uint64_t i = 1; i <= 5; ++i) EXPECT_TRUE(queue.push(transition("a", i)));
  EXPECT_TRUE(queue.push(transition("b", 9)));
  EXPECT_EQ(queue.dropped(), 4u);
  EXPECT_EQ(take(), (texts{"x0", "x0", "x0", "x0", "a5", "b9"}));
  EXPECT_EQ(batch.size(), 6u);
}

TEST_F(event_queue, tells_breakers_of_one_name_apart_when_it_is_full) {
  fill();
  sg::event other = transition("a", 1);
  other.instance = "another";
  EXPECT_TRUE(queue.push(transition("a", 7)));
  EXPECT_TRUE(queue.push(other));
  EXPECT_EQ(take(), (texts{"x0", "x0", "x0", "x0", "a7", "a1"}));
}

TEST_F(event_queue, does_not_let_an_older_present_state_displace_a_transition) {
  fill();
  EXPECT_TRUE(queue.push(transition("a", 5)));
  EXPECT_FALSE(queue.push(present("a", 4)));
  EXPECT_FALSE(queue.push(present("a", 5)));
  EXPECT_EQ(take().back(), "a5");
}

TEST_F(event_queue, lets_a_transition_displace_the_present_state_of_the_same_moment) {
  fill();
  EXPECT_TRUE(queue.push(present("a", 5)));
  EXPECT_TRUE(queue.push(transition("a", 5)));
  EXPECT_EQ(take().back(), "a5");
}

TEST_F(event_queue, tells_all_of_a_newer_present_state_in_place_of_a_transition) {
  fill();
  EXPECT_TRUE(queue.push(transition("a", 5)));
  EXPECT_TRUE(queue.push(present("a", 6)));
  EXPECT_EQ(take().back(), "a6");
}

TEST_F(event_queue, runs_actions_in_their_turn) {
  queue.push(call("a", 1));
  note("one");
  queue.push(call("a", 2));
  note("two");
  note("three");
  EXPECT_EQ(take(), (texts{"a1", "one", "a2", "two", "three"}));
}

TEST_F(event_queue, runs_actions_in_their_turn_also_when_it_is_full) {
  note("first");
  fill();
  queue.push(transition("a", 1));
  queue.push(transition("b", 1));
  note("between");
  queue.push(transition("a", 2));
  queue.push(transition("a", 3));
  queue.push(transition("c", 1));
  EXPECT_EQ(take(), (texts{"first", "x0", "x0", "x0", "x0", "b1", "between", "a3", "c1"}));
  EXPECT_EQ(queue.dropped(), 2u);
}

TEST_F(event_queue, is_woken_without_anything_to_do) {
  queue.wake();
  EXPECT_EQ(take(), texts{});
}

TEST_F(event_queue, gives_out_what_it_has_after_it_is_closed_and_then_ends) {
  queue.push(call("a", 1));
  queue.close();
  EXPECT_FALSE(queue.push(call("a", 2)));
  EXPECT_FALSE(queue.run_in_turn([] {}));
  EXPECT_EQ(take(), texts{"a1"});
  EXPECT_FALSE(queue.wait(batch));
  EXPECT_EQ(queue.dropped(), 1u);
}

TEST_F(event_queue, clears_events_and_keeps_actions) {
  fill();
  queue.push(transition("a", 1));
  queue.push(transition("a", 2));
  note("kept");
  EXPECT_EQ(queue.clear(), 5u);
  EXPECT_EQ(queue.dropped(), 6u);
  EXPECT_EQ(take(), texts{"kept"});
}

TEST_F(event_queue, has_nothing_left_to_flush_when_it_is_abandoned) {
  fill();
  bool done = false;
  EXPECT_TRUE(queue.run_in_turn([&done] { done = true; }));
  queue.abandon();
  EXPECT_TRUE(queue.flush(0ns));
  EXPECT_FALSE(queue.push(call("a", 1)));
  EXPECT_EQ(queue.dropped(), 5u);
  EXPECT_FALSE(queue.wait(batch));
  EXPECT_FALSE(done);
}

TEST_F(event_queue, has_nothing_to_flush_when_it_is_empty) {
  EXPECT_TRUE(queue.flush(0ns));
  queue.push(call("a", 1));
  EXPECT_FALSE(queue.flush(0ns));
  EXPECT_FALSE(queue.flush(-1s));
  take();
  EXPECT_TRUE(queue.flush(0ns));
}

TEST_F(event_queue, is_flushed_only_when_the_batch_is_dealt_with) {
  queue.push(call("a", 1));
  ASSERT_TRUE(queue.wait(batch));
  EXPECT_FALSE(queue.flush(0ns));
  queue.done();
  EXPECT_TRUE(queue.flush(0ns));
}

TEST_F(event_queue, flushes_for_however_long) {
  queue.push(call("a", 1));
  auto flushed = std::async(std::launch::async, [this] { return queue.flush(std::chrono::nanoseconds::max()); });
  std::this_thread::yield();
  take();
  EXPECT_TRUE(flushed.get());
}

TEST_F(event_queue, wakes_the_thread_that_waits) {
  auto taken = std::async(std::launch::async, [this] { return take(); });
  queue.push(call("a", 1));
  EXPECT_EQ(taken.get(), texts{"a1"});
}

}  // namespace
