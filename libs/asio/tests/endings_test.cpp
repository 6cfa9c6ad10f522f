// SPDX-License-Identifier: Apache-2.0
#include "support.hpp"

#include <switchgear/adaptive_limiter.hpp>
#include <switchgear/bulkhead.hpp>
#include <switchgear/guard.hpp>
#include <switchgear/hedge.hpp>
#include <switchgear/pipeline.hpp>
#include <switchgear/retry.hpp>
#include <switchgear/timeout.hpp>

#include <boost/asio/dispatch.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/thread_pool.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <future>
#include <memory>
#include <stdexcept>

// How calls end in unusual ways and at unusual moments.

namespace {

using namespace tests;
using asio::cancellation_type;

/// Ends where it is started.
const auto ends_inline = [](auto token) { return asio::dispatch(token); };

/// A handler of calls without a result.
auto counts(world& w, ending& e) {
  return asio::bind_executor(w.io->get_executor(), [&e](std::exception_ptr error) {
    ++e.times;
    e.error = std::move(error);
  });
}

// --- destroyed ---

TEST(asio_destroyed_call, settles_on_a_breaker_that_its_handler_owns) {
  world w;
  const auto abandoned = std::make_shared<int>(0);
  {
    auto breaker = std::make_unique<sg::circuit_breaker>("b", sg::config{}, w.clock);
    sg::circuit_breaker& b = *breaker;
    struct owner {
      std::unique_ptr<sg::circuit_breaker> breaker;
      std::shared_ptr<int> abandoned;
      owner(std::unique_ptr<sg::circuit_breaker> o, std::shared_ptr<int> a) : breaker(std::move(o)), abandoned(std::move(a)) {}
      owner(owner&&) noexcept = default;
      ~owner() {
        if (breaker) *abandoned = static_cast<int>(breaker->snapshot().metrics.abandoned);
      }
      void operator()(std::exception_ptr, int) const {}
    };
    sg::asio::call(b, w.ask(), asio::bind_executor(w.io->get_executor(), owner(std::move(breaker), abandoned)));
  }
  w.io.reset();
  EXPECT_EQ(*abandoned, 1);
}

// --- operations that end while they are started ---

TEST(asio_inline_operation, in_a_hedge_calls_the_handler_once) {
  world w;
  const sg::hedge hedge({.delay = 1s, .max_hedges = 2}, w.clock);
  ending e;
  asio::post(*w.io, [&] { sg::asio::call(hedge, ends_inline, counts(w, e)); });
  w.run();
  EXPECT_EQ(e.times, 1);
  EXPECT_EQ(e.error, nullptr);
}

TEST(asio_inline_operation, that_fails_in_a_hedge_is_followed_by_the_others) {
  world w;
  ending e;
  int calls = 0;
  const auto fails_inline = [&](auto token) {
    ++calls;
    return asio::async_initiate<decltype(token), void(error_code)>(
        [](auto handler) { std::move(handler)(error_code(asio::error::connection_refused)); }, token);
  };
  asio::post(*w.io, [&] {
    sg::asio::call(sg::hedge({.delay = 1s, .max_hedges = 2}, w.clock), fails_inline, counts(w, e));
  });
  w.run();
  EXPECT_EQ(e.times, 1);
  EXPECT_EQ(calls, 3);
  EXPECT_TRUE(is<boost::system::system_error>(e.error));
  EXPECT_FALSE(is_aborted(e.error));
}

/// Says whether a function is still there when it returns.
struct presence {
  struct owner {
    std::shared_ptr<bool> gone;
    explicit owner(std::shared_ptr<bool> g) : gone(std::move(g)) {}
    owner(owner&&) noexcept = default;
    ~owner() {
      if (gone) *gone = true;
    }
  };
  struct check {
    std::shared_ptr<bool> gone, was_gone;
    ~check() { *was_gone = *gone; }
  };
  std::shared_ptr<bool> gone = std::make_shared<bool>(false), was_gone = std::make_shared<bool>(true);
};

TEST(asio_inline_operation, is_heard_when_the_function_that_starts_it_has_returned) {
  world w;
  presence p;
  ending e;
  int attempts = 0;
  // The second attempt, since the first is within call(), which calls no handler.
  sg::asio::call(
      sg::retry({.max_attempts = 2, .backoff = sg::constant(1s)}, w.clock),
      [own = presence::owner(p.gone), was_gone = p.was_gone, &attempts](auto token) {
        if (++attempts == 1) throw std::runtime_error("not yet");
        const presence::check last{own.gone, was_gone};
        return asio::dispatch(token);
      },
      counts(w, e));
  w.run();
  w.advance(1s);
  EXPECT_EQ(attempts, 2);
  EXPECT_EQ(e.times, 1);
  EXPECT_EQ(e.error, nullptr);
  EXPECT_FALSE(*p.was_gone);
  EXPECT_TRUE(*p.gone);
}

TEST(asio_inline_operation, on_another_thread_is_heard_when_the_function_that_starts_it_has_returned) {
  presence p;
  asio::thread_pool pool(2);
  std::promise<void> done;
  sg::circuit_breaker breaker{"b"};
  auto op = [own = presence::owner(p.gone), was_gone = p.was_gone, &pool](auto token) {
    const presence::check last{own.gone, was_gone};
    return asio::async_initiate<decltype(token), void()>(
        [&pool](auto handler) {
          std::promise<void> called;
          asio::post(pool, [&called, h = std::move(handler)]() mutable {
            std::move(h)();
            called.set_value();
          });
          called.get_future().wait();
        },
        token);
  };
  sg::asio::call(pool, breaker, std::move(op),
                 asio::bind_executor(pool, [&](std::exception_ptr) { done.set_value(); }));
  done.get_future().wait();
  pool.join();
  EXPECT_FALSE(*p.was_gone);
  EXPECT_EQ(breaker.snapshot().metrics.successes, 1u);
}

TEST(asio_inline_operation, a_thousand_attempts_need_no_stack) {
  world w;
  ending e;
  int attempts = 0;
  const char* first = nullptr;
  std::ptrdiff_t deepest = 0;
  const auto fails_inline = [&](auto token) {
    const char here = 0;
    const char* volatile where = &here;
    if (attempts++ == 0) first = where;
    deepest = std::max(deepest, std::abs(first - where));
    return asio::async_initiate<decltype(token), void(error_code)>(
        [](auto handler) { std::move(handler)(error_code(asio::error::connection_refused)); }, token);
  };
  asio::post(*w.io, [&] {
    sg::asio::call(sg::retry({.max_attempts = 1000, .backoff = sg::constant(0ns)}, w.clock), fails_inline, counts(w, e));
  });
  w.run();
  EXPECT_EQ(attempts, 1000);
  EXPECT_EQ(e.times, 1);
  EXPECT_LT(deepest, 10000);
}

// --- who was first ---

TEST(asio_who_is_first, a_cancellation_that_is_ignored_until_the_call_timeout_is_no_evidence) {
  world w;
  w.dependency.how = remote::manners::stubborn;
  sg::circuit_breaker breaker{"b", {.failure_threshold = 1, .call_timeout = 1s}, w.clock};
  ending e;
  w.start(breaker, e);
  w.run();
  w.cancel.emit(cancellation_type::total);
  w.run();
  w.advance(1s);
  w.advance(100ms);
  EXPECT_EQ(e.times, 1) << "the limit holds";
  EXPECT_TRUE(is_aborted(e.error));
  EXPECT_EQ(breaker.snapshot().metrics.ignored, 1u);
  EXPECT_EQ(breaker.snapshot().metrics.timeouts, 0u);
  EXPECT_TRUE(breaker.is_closed());
}

TEST(asio_who_is_first, a_cancellation_that_is_ignored_until_a_time_limit_outside_is_no_evidence) {
  world w;
  w.dependency.how = remote::manners::stubborn;
  sg::circuit_breaker breaker{"b", {.failure_threshold = 1}, w.clock};
  const sg::adaptive_limiter limiter({}, w.clock);
  ending e;
  w.start(sg::pipeline(sg::timeout(1s, w.clock), sg::guard(breaker), limiter), e);
  w.run();
  w.cancel.emit(cancellation_type::total);
  w.run();
  w.advance(1s);
  w.advance(100ms);
  EXPECT_EQ(e.times, 1) << "the limit holds";
  EXPECT_TRUE(is_aborted(e.error));
  EXPECT_EQ(breaker.snapshot().metrics.ignored, 1u);
  EXPECT_EQ(breaker.snapshot().metrics.timeouts, 0u);
  EXPECT_EQ(limiter.metrics().dropped, 0u);
  EXPECT_EQ(limiter.metrics().ignored, 1u);
}

TEST(asio_who_is_first, a_time_limit_before_the_cancellation_is_a_timeout) {
  world w;
  w.dependency.how = remote::manners::stubborn;
  sg::circuit_breaker breaker{"b", {.failure_threshold = 1, .call_timeout = 1s}, w.clock};
  ending e;
  w.start(breaker, e);
  w.run();
  w.advance(1s);
  w.cancel.emit(cancellation_type::total);
  w.run();
  w.advance(100ms);
  EXPECT_TRUE(is<sg::call_timeout_error>(e.error));
  EXPECT_EQ(breaker.snapshot().metrics.timeouts, 1u);
}

TEST(asio_who_is_first, a_rejection_on_its_way_when_the_caller_cancels_is_not_waited_for) {
  world w;
  sg::circuit_breaker elsewhere{"elsewhere", {.open_duration = 60s}, w.clock};
  elsewhere.trip();
  const sg::retry retry({.max_attempts = 3, .wait_for_retry_after = true}, w.clock);
  int calls = 0;
  const auto is_rejected = [&](auto token) {
    ++calls;
    return asio::async_initiate<decltype(token), void(std::exception_ptr, int)>(
        [&](auto handler) {
          asio::post(*w.io, [&, h = std::move(handler)]() mutable {
            std::exception_ptr error;
            try {
              elsewhere.call([] {});
            } catch (...) {
              error = std::current_exception();
            }
            std::move(h)(error, 0);
          });
        },
        token);
  };
  ending e;
  const std::size_t timers = w.clock.timers();
  sg::asio::call(retry, is_rejected, w.handler(e));
  w.cancel.emit(cancellation_type::terminal);
  w.run();
  EXPECT_EQ(w.clock.timers(), timers) << "no back-off";
  EXPECT_EQ(e.times, 1);
  EXPECT_TRUE(is_aborted(e.error));
  EXPECT_TRUE(is<sg::circuit_open_error>(nested_in(e.error)));
  w.advance(1h);
  EXPECT_EQ(calls, 1);
  EXPECT_EQ(retry.metrics().cancelled, 1u);
}

// --- where, and woken by whom ---

TEST(asio_executor, that_is_given_is_where_the_first_attempt_runs) {
  world w;
  sg::circuit_breaker breaker{"b"};
  auto strand = asio::make_strand(*w.io);
  bool was_there = false;
  ending e;
  sg::asio::call(
      strand, breaker,
      [&](auto token) {
        was_there = strand.running_in_this_thread();
        return w.dependency.async_ask(token);
      },
      w.plain_handler(e));
  EXPECT_EQ(w.dependency.started(), 0u);
  w.run();
  EXPECT_TRUE(was_there);
  w.dependency.answer(0, 2);
  w.run();
  EXPECT_EQ(e.value, 2);
}

TEST(asio_bulkhead, a_place_wakes_the_newest_wait_whatever_order_they_are_told_in) {
  world w;
  const sg::bulkhead places({.max_concurrent = 1, .max_queue = 1}, w.clock);
  auto taken = places.try_enter({});
  const auto queued = std::make_shared<sg::asio::detail::queued_call>(places);
  ASSERT_EQ(queued->enter({}).is, sg::bulkhead::outcome::queued);
  asio::steady_timer older(*w.io, asio::steady_timer::time_point::max()), newer(*w.io, asio::steady_timer::time_point::max());
  bool is_newer_woken = false;
  older.async_wait([](error_code) {});
  newer.async_wait([&](error_code) { is_newer_woken = true; });
  const auto wakes = [&](asio::steady_timer& t) {
    return std::make_shared<sg::asio::detail::wake_up>(w.io->get_executor(), t);
  };
  const auto first = wakes(older), second = wakes(newer);
  queued->wake_by(second, 2);
  queued->wake_by(first, 1);
  taken.give_back();
  w.run();
  EXPECT_TRUE(is_newer_woken);
  EXPECT_TRUE(queued->take());
  first->forget();
  second->forget();
}

}  // namespace
