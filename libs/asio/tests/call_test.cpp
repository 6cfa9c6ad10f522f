// SPDX-License-Identifier: Apache-2.0
#include "support.hpp"

#include <switchgear/any_breaker.hpp>
#include <switchgear/guard.hpp>
#include <switchgear/pipeline.hpp>
#include <switchgear/retry.hpp>
#include <switchgear/timeout.hpp>

#include <boost/asio/bind_allocator.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/use_future.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <memory>
#include <string>
#include <tuple>

namespace {

using namespace tests;

/// An operation with any completion signature that is ready at once.
template <class Signature, class... A>
auto ready(asio::io_context& io, A... arguments) {
  return [&io, arguments...](auto token) {
    return asio::async_initiate<decltype(token), Signature>(
        [&io](auto handler, A... a) {
          const auto executor = asio::get_associated_executor(handler, io.get_executor());
          asio::post(executor, [h = std::move(handler), a...]() mutable { std::move(h)(std::move(a)...); });
        },
        token, arguments...);
  };
}

template <class T>
T run(asio::io_context& io, asio::awaitable<T> a) {
  std::optional<T> out;
  std::exception_ptr error;
  asio::co_spawn(io, std::move(a), [&](std::exception_ptr e, T v) {
    error = std::move(e);
    out = std::move(v);
  });
  io.restart();
  io.run();
  if (error) std::rethrow_exception(error);
  return std::move(*out);
}

struct asio_call : testing::Test {
  world w;
  sg::circuit_breaker breaker{"b"};
};

// --- tokens ---

TEST_F(asio_call, is_awaited_in_a_coroutine) {
  const auto coroutine = [&]() -> asio::awaitable<int> {
    const int first = co_await sg::asio::call(breaker, ready<void(error_code, int)>(*w.io, error_code(), 4), asio::use_awaitable);
    co_return first + 1;
  };
  EXPECT_EQ(run(*w.io, coroutine()), 5);
  EXPECT_EQ(breaker.snapshot().metrics.successes, 1u);
}

TEST_F(asio_call, throws_in_a_coroutine) {
  breaker.trip();
  const auto coroutine = [&]() -> asio::awaitable<std::string> {
    try {
      (void)co_await sg::asio::call(breaker, ready<void(error_code, int)>(*w.io, error_code(), 4), asio::use_awaitable);
    } catch (const sg::circuit_open_error& e) {
      co_return e.name();
    }
    co_return "";
  };
  EXPECT_EQ(run(*w.io, coroutine()), "b");
}

TEST_F(asio_call, gives_a_future) {
  auto good = sg::asio::call(*w.io, breaker, ready<void(error_code, int)>(*w.io, error_code(), 4), asio::use_future);
  auto bad = sg::asio::call(w.io->get_executor(), breaker, ready<void(error_code)>(*w.io, asio::error::connection_reset),
                            asio::use_future);
  w.io->run();
  EXPECT_EQ(good.get(), 4);
  EXPECT_THROW(bad.get(), boost::system::system_error);
}

TEST_F(asio_call, can_be_deferred_and_starts_when_it_is_wanted) {
  auto later = sg::asio::call(*w.io, breaker, ready<void(error_code, int)>(*w.io, error_code(), 4), asio::deferred);
  w.run();
  EXPECT_EQ(breaker.snapshot().metrics.total_calls(), 0u);
  ending e;
  std::move(later)(w.handler(e));
  w.run();
  EXPECT_EQ(e.value, 4);
}

TEST_F(asio_call, can_be_detached) {
  sg::asio::call(*w.io, breaker, ready<void(error_code, int)>(*w.io, error_code(), 4), asio::detached);
  w.run();
  EXPECT_EQ(breaker.snapshot().metrics.successes, 1u);
}

TEST_F(asio_call, uses_the_default_token_of_an_executor) {
  using executor = asio::use_awaitable_t<>::executor_with_default<asio::io_context::executor_type>;
  const auto coroutine = [&]() -> asio::awaitable<int> {
    co_return co_await sg::asio::call(executor(w.io->get_executor()), breaker,
                                      ready<void(error_code, int)>(*w.io, error_code(), 4));
  };
  EXPECT_EQ(run(*w.io, coroutine()), 4);
}

TEST_F(asio_call, runs_on_the_threads_of_the_system_without_any_executor) {
  const auto elsewhere = [](auto token) {
    return asio::async_initiate<decltype(token), void(int)>(
        [](auto handler) {
          const auto executor = asio::get_associated_executor(handler);
          asio::post(executor, [h = std::move(handler)]() mutable { std::move(h)(5); });
        },
        token);
  };
  EXPECT_EQ(sg::asio::call(sg::pipeline(sg::guard(breaker), sg::timeout(1h)), elsewhere, asio::use_future).get(), 5);
}

// --- signatures ---

TEST_F(asio_call, takes_every_completion_signature) {
  const auto coroutine = [&]() -> asio::awaitable<int> {
    co_await sg::asio::call(breaker, ready<void()>(*w.io), asio::use_awaitable);
    co_await sg::asio::call(breaker, ready<void(error_code)>(*w.io, error_code()), asio::use_awaitable);
    co_await sg::asio::call(breaker, ready<void(std::exception_ptr)>(*w.io, std::exception_ptr()), asio::use_awaitable);
    int sum = co_await sg::asio::call(breaker, ready<void(int)>(*w.io, 1), asio::use_awaitable);
    sum += co_await sg::asio::call(breaker, ready<void(std::exception_ptr, int)>(*w.io, std::exception_ptr(), 10),
                                   asio::use_awaitable);
    sum +=
        co_await sg::asio::call(breaker, ready<void(std::error_code, int)>(*w.io, std::error_code(), 100), asio::use_awaitable);
    const std::tuple<int, std::string> both = co_await sg::asio::call(
        breaker, ready<void(error_code, int, std::string)>(*w.io, error_code(), 1000, std::string("x")), asio::use_awaitable);
    co_return sum + std::get<0>(both);
  };
  EXPECT_EQ(run(*w.io, coroutine()), 1111);
  EXPECT_EQ(breaker.snapshot().metrics.successes, 7u);
}

TEST_F(asio_call, takes_results_that_can_only_be_moved) {
  const auto op = [&](auto token) {
    return asio::async_initiate<decltype(token), void(std::unique_ptr<int>)>(
        [&](auto handler) { asio::post(*w.io, [h = std::move(handler)]() mutable { std::move(h)(std::make_unique<int>(3)); }); },
        token);
  };
  const auto coroutine = [&]() -> asio::awaitable<std::unique_ptr<int>> {
    co_return co_await sg::asio::call(breaker, op, asio::use_awaitable);
  };
  EXPECT_EQ(*run(*w.io, coroutine()), 3);
}

TEST_F(asio_call, takes_a_function_that_returns_an_awaitable) {
  const auto coroutine = [&]() -> asio::awaitable<int> {
    co_return co_await sg::asio::call(
        breaker,
        [&]() -> asio::awaitable<int> {
          co_await asio::post(asio::use_awaitable);
          co_return 6;
        },
        asio::use_awaitable);
  };
  EXPECT_EQ(run(*w.io, coroutine()), 6);
}

TEST_F(asio_call, cancels_a_coroutine_whose_time_is_up) {
  ending e;
  sg::asio::call(
      sg::timeout(1s, w.clock),
      [&]() -> asio::awaitable<int> {
        asio::steady_timer never(*w.io, asio::steady_timer::time_point::max());
        co_await never.async_wait(asio::use_awaitable);
        co_return 1;
      },
      w.handler(e));
  w.run();
  w.advance(1s);
  EXPECT_TRUE(is<sg::call_timeout_error>(e.error));
}

TEST_F(asio_call, passes_what_the_function_throws_instead_of_starting) {
  ending e;
  sg::asio::call(
      breaker,
      [&](auto token) {
        if (w.dependency.started() == 0) throw std::logic_error("not connected");
        return w.dependency.async_ask(token);
      },
      w.handler(e));
  EXPECT_EQ(e.times, 0);
  w.run();
  EXPECT_TRUE(is<std::logic_error>(e.error));
  EXPECT_EQ(breaker.snapshot().metrics.failures, 1u);
}

TEST_F(asio_call, takes_a_function_that_can_only_be_moved) {
  ending e;
  sg::asio::call(
      breaker, [this, owned = std::make_unique<int>(3)](auto token) { return w.dependency.async_ask(token); }, w.handler(e));
  w.dependency.answer(0, 3);
  w.run();
  EXPECT_EQ(e.value, 3);
}

// --- targets ---

TEST_F(asio_call, goes_through_breakers_handles_policies_and_pipelines) {
  const auto shared = std::make_shared<sg::circuit_breaker>("shared");
  const sg::retry retry({}, w.clock);
  const auto p = sg::pipeline(retry, sg::guard(shared));
  std::array<ending, 5> e;
  w.start_apart(breaker, e[0]);
  w.start_apart(shared, e[1]);
  w.start_apart(sg::any_breaker(shared), e[2]);
  w.start_apart(retry, e[3]);
  w.start_apart(p, e[4]);
  for (std::size_t i = 0; i < e.size(); ++i) w.dependency.answer(i, 1);
  w.run();
  for (const ending& one : e) EXPECT_EQ(one.value, 1);
  EXPECT_EQ(breaker.snapshot().metrics.successes, 1u);
  EXPECT_EQ(shared->snapshot().metrics.successes, 3u);
  EXPECT_EQ(retry.metrics().first_try, 2u);
}

TEST_F(asio_call, shares_a_pipeline_with_blocking_code) {
  const auto p = sg::pipeline(sg::guard(breaker));
  p([] {});
  ending e;
  w.start(p, e);
  w.dependency.answer(0, 1);
  w.run();
  EXPECT_EQ(breaker.snapshot().metrics.successes, 2u);
}

TEST_F(asio_call, keeps_a_handle_until_it_has_completed) {
  ending e;
  {
    const auto shared = std::make_shared<sg::circuit_breaker>("shared");
    w.start(shared, e);
  }
  w.dependency.answer(0, 2);
  w.run();
  EXPECT_EQ(e.value, 2);
}

TEST_F(asio_call, without_policies_is_the_bare_operation) {
  ending e;
  w.start(sg::pipeline(), e);
  w.dependency.answer(0, 2);
  w.run();
  EXPECT_EQ(e.value, 2);
}

// --- what goes with a handler ---

TEST_F(asio_call, calls_the_handler_on_its_own_executor_and_the_function_on_the_other) {
  asio::io_context other(1);
  bool done = false;
  const auto on = [&](auto token) {
    EXPECT_TRUE(w.io->get_executor().running_in_this_thread());
    return w.dependency.async_ask(token);
  };
  sg::asio::call(*w.io, sg::timeout(1s, w.clock), on, asio::bind_executor(other.get_executor(), [&](std::exception_ptr, int) {
    EXPECT_TRUE(other.get_executor().running_in_this_thread());
    done = true;
  }));
  EXPECT_EQ(w.dependency.started(), 0u);
  w.run();
  w.dependency.answer(0, 1);
  EXPECT_EQ(other.poll(), 0u);
  EXPECT_FALSE(other.stopped()) << "work is tracked on the executor of the handler";
  w.run();
  EXPECT_FALSE(done);
  other.run();
  EXPECT_TRUE(done);
}

TEST_F(asio_call, takes_its_memory_from_the_handler_and_gives_it_back_before_calling_it) {
  counted_memory memory;
  std::size_t at_the_end = 1;
  const auto p = sg::pipeline(sg::retry({.backoff = sg::constant(1s)}, w.clock), sg::guard(breaker));
  sg::asio::call(p, w.ask(),
                 asio::bind_allocator(counting_allocator<void>(memory),
                                      asio::bind_executor(*w.io, [&](std::exception_ptr, int) { at_the_end = memory.now; })));
  EXPECT_GT(memory.now, 0u);
  w.dependency.fail(0);
  w.run();
  EXPECT_GT(memory.now, 0u) << "also while it waits";
  w.advance(1s);
  w.dependency.answer(1, 1);
  w.run();
  EXPECT_EQ(at_the_end, 0u);
  EXPECT_EQ(memory.now, 0u);
}

TEST_F(asio_call, runs_on_a_strand_that_it_is_given_without_another) {
  auto strand = asio::make_strand(*w.io);
  ending e;
  bool on_strand = false;
  sg::asio::call(
      sg::timeout(1s, w.clock),
      [&](auto token) {
        on_strand = strand.running_in_this_thread();
        return w.dependency.async_ask(token);
      },
      asio::bind_executor(strand, [&](std::exception_ptr error, int) { e.error = std::move(error), ++e.times; }));
  w.run();
  EXPECT_TRUE(on_strand);
  w.advance(1s);
  EXPECT_EQ(e.times, 1);
  EXPECT_TRUE(is<sg::call_timeout_error>(e.error));
}

TEST_F(asio_call, uses_timers_of_its_own_where_the_clock_is_the_steady_one) {
  ending e;
  w.start(sg::retry({.max_attempts = 2, .backoff = sg::constant(1ns)}), e);
  w.dependency.fail(0);
  w.io->restart();
  while (w.dependency.started() < 2) w.io->run_one();
  w.dependency.answer(1, 3);
  w.run();
  EXPECT_EQ(e.value, 3);
}

}  // namespace
