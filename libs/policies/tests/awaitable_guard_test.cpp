// SPDX-License-Identifier: Apache-2.0
#include <switchgear/any_breaker.hpp>
#include <switchgear/awaitable_guard.hpp>
#include <switchgear/circuit_breaker.hpp>
#include <switchgear/testing/event_recorder.hpp>
#include <switchgear/testing/manual_clock.hpp>

#include <gtest/gtest.h>

#include <exception>
#include <memory>
#include <optional>
#include <stdexcept>
#include <utility>

namespace {

namespace sg = switchgear;
using namespace std::chrono_literals;

/// The smallest coroutine: runs at once, keeps what it returns or throws, and destroys its frame with itself.
template <class T>
struct task {
  struct promise_type {
    std::optional<T> value;
    std::exception_ptr error;
    task get_return_object() { return task(std::coroutine_handle<promise_type>::from_promise(*this)); }
    std::suspend_never initial_suspend() noexcept { return {}; }
    std::suspend_always final_suspend() noexcept { return {}; }
    void return_value(T v) { value = std::move(v); }
    void unhandled_exception() { error = std::current_exception(); }
  };
  explicit task(std::coroutine_handle<promise_type> h) : handle(h) {}
  task(task&& o) noexcept : handle(std::exchange(o.handle, nullptr)) {}
  ~task() {
    if (handle) handle.destroy();
  }
  [[nodiscard]] bool done() const { return handle.done(); }
  T get() {
    if (handle.promise().error) std::rethrow_exception(handle.promise().error);
    return *handle.promise().value;
  }
  std::coroutine_handle<promise_type> handle;
};

/// What a test answers by hand.
struct gate {
  std::coroutine_handle<> waiting;
  int value = 0;
  bool fails = false;
  int awaited = 0;

  void open(int v) {
    value = v;
    std::exchange(waiting, nullptr).resume();
  }
  void fail() {
    fails = true;
    std::exchange(waiting, nullptr).resume();
  }
};

/// A plain awaiter, which can neither be copied nor moved.
struct plain {
  gate& g;
  explicit plain(gate& of) : g(of) {}
  plain(const plain&) = delete;
  bool await_ready() {
    ++g.awaited;
    return false;
  }
  void await_suspend(std::coroutine_handle<> h) { g.waiting = h; }
  int await_resume() {
    if (g.fails) throw std::runtime_error("refused");
    return g.value;
  }
};
struct with_member {
  gate& g;
  plain operator co_await() && { return plain(g); }
};
struct with_function {
  gate& g;
};
plain operator co_await(with_function w) { return plain(w.g); }

struct awaitable_guard : testing::Test {
  gate g;
  sg::testing::manual_clock clock;
  sg::circuit_breaker breaker{"b", {.failure_threshold = 1}, clock};
  [[nodiscard]] auto metrics() const { return breaker.snapshot().metrics; }

  task<int> member() { co_return co_await sg::guarded(breaker, with_member{g}); }
};

TEST_F(awaitable_guard, counts_a_value_as_success) {
  task<int> t = member();
  EXPECT_EQ(metrics().total_calls(), 0u);
  g.open(3);
  EXPECT_EQ(t.get(), 3);
  EXPECT_EQ(metrics().successes, 1u);
}

TEST_F(awaitable_guard, counts_an_exception_as_failure_and_passes_it) {
  task<int> t = member();
  g.fail();
  EXPECT_THROW(t.get(), std::runtime_error);
  EXPECT_EQ(metrics().failures, 1u);
  EXPECT_TRUE(breaker.is_open());
}

TEST_F(awaitable_guard, rejects_without_awaiting) {
  breaker.trip();
  task<int> t = member();
  EXPECT_TRUE(t.done());
  EXPECT_THROW(t.get(), sg::circuit_open_error);
  EXPECT_EQ(g.awaited, 0);
}

TEST_F(awaitable_guard, takes_awaitables_with_a_free_operator) {
  const auto coroutine = [&]() -> task<int> { co_return co_await sg::guarded(breaker, with_function{g}); };
  task<int> t = coroutine();
  g.open(4);
  EXPECT_EQ(t.get(), 4);
}

TEST_F(awaitable_guard, takes_plain_awaiters_that_the_caller_keeps) {
  plain mine(g);
  const auto coroutine = [&]() -> task<int> { co_return co_await sg::guarded(breaker, mine); };
  task<int> t = coroutine();
  g.open(5);
  EXPECT_EQ(t.get(), 5);
  EXPECT_EQ(metrics().successes, 1u);
}

TEST_F(awaitable_guard, takes_a_handle) {
  const auto shared = std::make_shared<sg::circuit_breaker>("shared");
  const auto coroutine = [&]() -> task<int> { co_return co_await sg::guarded(shared, with_member{g}); };
  task<int> t = coroutine();
  g.open(5);
  EXPECT_EQ(t.get(), 5);
  EXPECT_EQ(shared->snapshot().metrics.successes, 1u);
}

TEST_F(awaitable_guard, holds_a_handle_that_is_made_for_the_call) {
  const auto coroutine = [&]() -> task<int> { co_return co_await sg::guarded(sg::any_breaker(breaker), with_member{g}); };
  task<int> t = coroutine();
  g.open(5);
  EXPECT_EQ(t.get(), 5);
  EXPECT_EQ(metrics().successes, 1u);
}

// trap 2
TEST_F(awaitable_guard, gives_the_permit_back_when_the_coroutine_is_destroyed_while_it_waits) {
  breaker.trip();
  clock.advance(60s);
  {
    task<int> t = member();
    EXPECT_EQ(breaker.snapshot().probes_in_flight, 1u);
  }
  EXPECT_EQ(breaker.snapshot().probes_in_flight, 0u);
  EXPECT_EQ(metrics().abandoned, 1u);
}

TEST_F(awaitable_guard, asks_the_classifier_about_values) {
  sg::circuit_breaker strict{"strict", {}, sg::classifier{}.fail_if([](const int& v) { return v == 503; })};
  const auto coroutine = [&]() -> task<int> { co_return co_await sg::guarded(strict, with_member{g}); };
  task<int> t = coroutine();
  g.open(503);
  EXPECT_EQ(t.get(), 503);
  EXPECT_EQ(strict.snapshot().metrics.failures, 1u);
}

TEST_F(awaitable_guard, calls_a_value_that_comes_after_the_call_timeout_a_timeout) {
  sg::circuit_breaker limited{"limited", {.call_timeout = 1s}, clock};
  const auto coroutine = [&]() -> task<int> { co_return co_await sg::guarded(limited, with_member{g}); };
  task<int> t = coroutine();
  clock.advance(1s);
  g.open(1);
  EXPECT_THROW(t.get(), sg::call_timeout_error);
  EXPECT_EQ(limited.snapshot().metrics.timeouts, 1u);
}

TEST_F(awaitable_guard, counts_what_is_thrown_before_the_coroutine_is_suspended) {
  struct throwing {
    bool await_ready() { throw std::runtime_error("at once"); }
    void await_suspend(std::coroutine_handle<>) {}
    int await_resume() { return 0; }
  };
  const auto coroutine = [&]() -> task<int> { co_return co_await sg::guarded(breaker, throwing{}); };
  task<int> t = coroutine();
  EXPECT_THROW(t.get(), std::runtime_error);
  EXPECT_EQ(metrics().failures, 1u);
}

TEST_F(awaitable_guard, tells_whose_call_failed) {
  const sg::testing::event_recorder recorder(breaker);
  const sg::call_context request{.correlation_id = "order-4711"};
  const auto coroutine = [&]() -> task<int> { co_return co_await sg::guarded(breaker, with_member{g}, request); };
  task<int> t = coroutine();
  g.fail();
  sg::drain_events();
  ASSERT_EQ(recorder.count(sg::event_kind::failure), 1u);
  EXPECT_EQ(recorder.events(sg::event_kind::failure)[0].correlation_id, "order-4711");
}

TEST_F(awaitable_guard, tells_whose_call_failed_before_the_coroutine_was_suspended) {
  struct throwing {
    bool await_ready() { throw std::runtime_error("at once"); }
    void await_suspend(std::coroutine_handle<>) {}
    int await_resume() { return 0; }
  };
  const sg::testing::event_recorder recorder(breaker);
  const sg::call_context request{.correlation_id = "order-4711"};
  const auto coroutine = [&]() -> task<int> { co_return co_await sg::guarded(breaker, throwing{}, request); };
  task<int> t = coroutine();
  sg::drain_events();
  ASSERT_EQ(recorder.count(sg::event_kind::failure), 1u);
  EXPECT_EQ(recorder.events(sg::event_kind::failure)[0].correlation_id, "order-4711");
}

}  // namespace
