// SPDX-License-Identifier: Apache-2.0
#include "support.hpp"

#include <switchgear/bulkhead.hpp>
#include <switchgear/fallback.hpp>
#include <switchgear/guard.hpp>
#include <switchgear/hedge.hpp>
#include <switchgear/pipeline.hpp>
#include <switchgear/rate_limiter.hpp>
#include <switchgear/retry.hpp>
#include <switchgear/timeout.hpp>

#include <boost/asio/bind_allocator.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <thread>
#include <vector>

namespace {

using namespace tests;

/// Counts the bytes of one thread.
template <class T>
struct counting_allocator {
  using value_type = T;
  std::size_t* bytes;
  explicit counting_allocator(std::size_t& b) : bytes(&b) {}
  template <class U>
  counting_allocator(const counting_allocator<U>& o) : bytes(o.bytes) {}  // NOLINT: conversions of allocators are implicit
  T* allocate(std::size_t n) {
    *bytes += n * sizeof(T);
    return std::allocator<T>().allocate(n);
  }
  void deallocate(T* p, std::size_t n) {
    *bytes -= n * sizeof(T);
    std::allocator<T>().deallocate(p, n);
  }
  template <class U>
  bool operator==(const counting_allocator<U>& o) const {
    return bytes == o.bytes;
  }
};

template <class Target>
void ten_thousand_in_flight(world& w, const Target& target, std::size_t most_bytes_each) {
  constexpr std::size_t calls = 10'000;
  std::size_t bytes = 0;
  std::size_t done = 0;
  for (std::size_t i = 0; i < calls; ++i) {
    sg::asio::call(target, w.ask(),
                   asio::bind_allocator(
                       counting_allocator<void>(bytes),
                       asio::bind_executor(w.io->get_executor(), [&](std::exception_ptr e, int) { done += e == nullptr; })));
  }
  w.run();
  ASSERT_EQ(w.dependency.started(), calls);
  ::testing::Test::RecordProperty("bytes_per_call", static_cast<int>(bytes / calls));
  EXPECT_LE(bytes / calls, most_bytes_each);
  for (std::size_t i = 0; i < calls; ++i) w.dependency.answer(i, 1);
  w.run();
  EXPECT_EQ(done, calls);
  EXPECT_EQ(bytes, 0u);
}

TEST(asio_in_flight, ten_thousand_calls_through_a_breaker_on_one_thread) {
  world w;
  sg::circuit_breaker breaker{"b", {}, w.clock};
  ten_thousand_in_flight(w, sg::pipeline(sg::guard(breaker)), 1000);
  EXPECT_EQ(breaker.snapshot().metrics.successes, 10'000u);
}

TEST(asio_in_flight, ten_thousand_calls_through_retry_breaker_and_fallback_on_one_thread) {
  world w;
  sg::circuit_breaker breaker{"b", {}, w.clock};
  ten_thousand_in_flight(w, sg::pipeline(sg::fallback(-1), sg::retry({}, w.clock), sg::guard(breaker)), 1200);
}

TEST(asio_in_flight, ten_thousand_coroutines_with_time_limits_on_one_thread) {
  world w;
  sg::circuit_breaker breaker{"b", {}, w.clock};
  const auto p = sg::pipeline(sg::guard(breaker), sg::timeout(1s, w.clock));
  std::size_t timeouts = 0;
  for (int i = 0; i < 10'000; ++i) {
    asio::co_spawn(
        *w.io,
        [&]() -> asio::awaitable<void> {
          try {
            (void)co_await sg::asio::call(p, w.ask(), asio::use_awaitable);
          } catch (const sg::call_timeout_error&) {
            ++timeouts;
          }
        },
        asio::detached);
  }
  w.run();
  EXPECT_EQ(w.clock.timers(), 10'000u);
  w.advance(1s);
  EXPECT_EQ(timeouts, 10'000u);
  EXPECT_EQ(w.clock.timers(), 0u);
}

/// An operation that runs on a pool and ends by itself, well or not, or when it is cancelled.
auto quick(asio::thread_pool& pool, std::atomic<unsigned>& count) {
  return [&](auto token) {
    return asio::async_initiate<decltype(token), void(error_code, int)>(
        [&](auto handler) {
          const unsigned n = count.fetch_add(1);
          if (n % 7 == 0) {
            const auto timer = std::make_shared<asio::steady_timer>(pool, 100us);
            auto executor = asio::get_associated_executor(handler, pool.get_executor());
            auto slot = asio::get_associated_cancellation_slot(handler);
            timer->async_wait(asio::bind_cancellation_slot(
                slot,
                asio::bind_executor(executor, [timer, h = std::move(handler)](error_code e) mutable { std::move(h)(e, 1); })));
            return;
          }
          asio::post(pool, asio::bind_executor(pool.get_executor(), [h = std::move(handler), n]() mutable {
                       const auto executor = asio::get_associated_executor(h);
                       asio::dispatch(executor, [h = std::move(h), n]() mutable {
                         std::move(h)(n % 3 == 0 ? error_code(asio::error::connection_reset) : error_code(), 1);
                       });
                     }));
        },
        token);
  };
}

TEST(asio_threads, many_threads_cancellations_and_time_limits_give_everything_back) {
  constexpr int calls = 2'000;
  asio::thread_pool pool(4);
  sg::circuit_breaker breaker{"b", {.failure_threshold = 0, .failure_count_threshold = 1 << 20}};
  const sg::bulkhead places({.max_concurrent = 8, .max_queue = 10'000});
  const auto p = sg::pipeline(sg::timeout(2ms), sg::retry({.max_attempts = 3, .backoff = sg::constant(10us)}), places,
                              sg::guard(breaker), sg::hedge({.delay = 50us}));
  std::atomic<unsigned> operations{0};
  std::atomic<int> ends{0};
  struct one {
    explicit one(asio::thread_pool& pool) : strand(asio::make_strand(pool)) {}
    asio::strand<asio::thread_pool::executor_type> strand;
    asio::cancellation_signal cancel;
    std::atomic<int> times{0};
  };
  std::vector<std::unique_ptr<one>> all;
  for (int i = 0; i < calls; ++i) all.push_back(std::make_unique<one>(pool));
  for (int i = 0; i < calls; ++i) {
    one& o = *all[static_cast<std::size_t>(i)];
    asio::post(o.strand, [&, i] {
      sg::asio::call(
          pool, p, quick(pool, operations),
          asio::bind_cancellation_slot(o.cancel.slot(), asio::bind_executor(o.strand, [&](const std::exception_ptr&, int) {
                                         ++o.times;
                                         ++ends;
                                       })));
      if (i % 2 == 0) asio::post(o.strand, [&] { o.cancel.emit(asio::cancellation_type::terminal); });
    });
  }
  pool.join();
  EXPECT_EQ(ends.load(), calls);
  for (const auto& o : all) EXPECT_EQ(o->times.load(), 1);
  EXPECT_EQ(places.metrics().in_use, 0);
  EXPECT_EQ(places.metrics().queued, 0);
  EXPECT_EQ(breaker.snapshot().metrics.abandoned, 0u);
  EXPECT_EQ(breaker.snapshot().probes_in_flight, 0u);
}

TEST(asio_threads, policies_that_do_not_act_beside_the_operation_need_no_strand) {
  constexpr int calls = 3'000;
  asio::thread_pool pool(4);
  sg::circuit_breaker breaker{"b", {.failure_threshold = 0, .failure_count_threshold = 1 << 20}};
  const sg::bulkhead places({.max_concurrent = 4, .max_queue = 10'000, .max_wait = 1ms});
  const sg::rate_limiter rate({.permits = 1'000'000, .per = 1s, .burst = 1, .max_wait = 1s});
  const auto p = sg::pipeline(sg::retry({.max_attempts = 3, .backoff = sg::constant(1us)}), rate, places, sg::guard(breaker));
  std::atomic<unsigned> operations{0};
  std::atomic<int> ends{0};
  for (int i = 0; i < calls; ++i) {
    sg::asio::call(p, quick(pool, operations),
                   asio::bind_executor(pool.get_executor(), [&](const std::exception_ptr&, int) { ++ends; }));
  }
  pool.join();
  EXPECT_EQ(ends.load(), calls);
  EXPECT_EQ(places.metrics().in_use, 0);
  EXPECT_EQ(places.metrics().queued, 0);
}

TEST(asio_threads, a_clock_that_runs_while_execution_contexts_come_and_go_does_no_harm) {
  sg::testing::manual_clock clock;
  std::atomic<bool> over{false};
  std::thread time([&] {
    while (!over.load()) clock.advance(1ms);
  });
  for (int round = 0; round < 300; ++round) {
    asio::io_context io(1);
    remote dependency(io);
    const auto p = sg::pipeline(sg::timeout(5ms, clock), sg::retry({.max_attempts = 1000, .backoff = sg::constant(1ms)}, clock));
    for (int i = 0; i < 10; ++i) {
      sg::asio::call(
          p, [&](auto token) { return dependency.async_ask(token); },
          asio::bind_executor(io.get_executor(), [](const std::exception_ptr&, int) {}));
    }
    io.poll();
    while (dependency.end_oldest(false)) io.poll();
  }
  over = true;
  time.join();
  EXPECT_EQ(clock.timers(), 0u);
}

TEST(asio_threads, places_that_are_granted_by_other_threads_while_their_contexts_go_come_back) {
  const sg::bulkhead places({.max_concurrent = 1, .max_queue = 100});
  for (int round = 0; round < 300; ++round) {
    auto mine = places.try_enter();
    ASSERT_TRUE(mine);
    auto io = std::make_unique<asio::io_context>(1);
    remote dependency(*io);
    for (int i = 0; i < 5; ++i) {
      sg::asio::call(
          places, [&](auto token) { return dependency.async_ask(token); },
          asio::bind_executor(io->get_executor(), [](const std::exception_ptr&, int) {}));
    }
    std::thread other([&] { mine.give_back(); });
    io.reset();
    other.join();
    ASSERT_EQ(places.metrics().in_use, 0);
    ASSERT_EQ(places.metrics().queued, 0);
  }
}

}  // namespace
