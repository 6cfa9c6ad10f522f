// SPDX-License-Identifier: Apache-2.0
// The cases: what a guarded call costs in a coroutine, and what it holds while it is in flight.
#include "async_cases.hpp"
#include "opaque.hpp"

#include <switchgear/asio/call.hpp>
#include <switchgear/circuit_breaker.hpp>
#include <switchgear/fallback.hpp>
#include <switchgear/guard.hpp>
#include <switchgear/pipeline.hpp>
#include <switchgear/retry.hpp>

#include <benchmark/benchmark.h>
#include <boost/asio.hpp>

#include <malloc.h>

#include <cstddef>
#include <deque>
#include <exception>
#include <memory>
#include <utility>

namespace {

namespace sg = switchgear;
namespace net = boost::asio;

/// An operation that has its answer at once and completes through the executor, as every operation does.
template <class Token>
auto ready(int x, Token&& token) {
  return net::async_initiate<Token, void(int)>(
      [](auto handler, int value) {
        auto executor = net::get_associated_executor(handler);
        net::post(executor, [h = std::move(handler), value]() mutable { std::move(h)(bench::opaque(value)); });
      },
      token, x);
}

/// Runs `body(x)`, which gives an awaitable, in the loop.
template <class Body>
void run(benchmark::State& state, const Body& body) {
  net::io_context io(1);
  net::co_spawn(
      io,
      [&]() -> net::awaitable<void> {
        int x = 0;
        for (auto _ : state) {
          x = co_await body(x);
          benchmark::DoNotOptimize(x);
        }
      },
      net::detached);
  io.run();
}

/// The same operation without a guard.
void coroutine_bare(benchmark::State& state) {
  run(state, [](int x) { return ready(x, net::use_awaitable); });
}

void coroutine_call(benchmark::State& state) {
  sg::circuit_breaker breaker{"bench"};
  run(state, [&breaker](int x) {
    return sg::asio::call(breaker, [x](auto token) { return ready(x, std::move(token)); }, net::use_awaitable);
  });
}

void coroutine_pipeline_3(benchmark::State& state) {
  sg::circuit_breaker breaker{"bench"};
  const auto guarded = sg::pipeline(sg::fallback(-1), sg::retry(), sg::guard(breaker));
  run(state, [&guarded](int x) {
    return sg::asio::call(guarded, [x](auto token) { return ready(x, std::move(token)); }, net::use_awaitable);
  });
}

BENCHMARK(coroutine_bare)->Threads(1);
BENCHMARK(coroutine_call)->Threads(1);
BENCHMARK(coroutine_pipeline_3)->Threads(1);

/// Operations that are under way until they are let go.
class pending {
 public:
  template <class Token>
  auto operator()(Token&& token) {
    return net::async_initiate<Token, void(int)>(
        [this](auto handler) {
          struct held final : operation {
            explicit held(decltype(handler) h) : done(std::move(h)) {}
            void complete() override { std::move(done)(1); }
            decltype(handler) done;
          };
          held_.push_back(std::make_unique<held>(std::move(handler)));
        },
        token);
  }
  void complete_all() {
    for (auto& o : std::exchange(held_, {})) o->complete();
  }

 private:
  struct operation {
    virtual ~operation() = default;
    virtual void complete() = 0;
  };
  std::deque<std::unique_ptr<operation>> held_;
};

/// Bytes of the heap for each of ten thousand operations started by `start(io, operations)` and not completed.
template <class Start>
double bytes_of(const Start& start) {
  constexpr std::size_t count = 10'000;
  net::io_context io(1);
  pending operations;
  // Once before, so that what is kept for the next call (threads, strands, recycled memory) is not counted.
  start(io, operations);
  io.poll();
  io.restart();
  const std::size_t before = mallinfo2().uordblks;
  for (std::size_t i = 0; i < count; ++i) start(io, operations);
  io.poll();
  io.restart();
  const double bytes = static_cast<double>(mallinfo2().uordblks - before) / static_cast<double>(count);
  operations.complete_all();
  io.run();
  return bytes;
}

}  // namespace

bench::bytes_in_flight bench::measure_bytes_in_flight() {
  sg::circuit_breaker breaker{"bench"};
  const auto guarded = sg::pipeline(sg::fallback(-1), sg::retry(), sg::guard(breaker));
  const auto done = [](std::exception_ptr, int) {};
  const double bare = bytes_of([&](net::io_context& io, pending& p) { net::post(io, [&p] { p([](int) {}); }); });
  const auto through = [&](const auto& target) {
    return bytes_of([&](net::io_context& io, pending& p) {
      sg::asio::call(io, target, [&p](auto token) { return p(std::move(token)); }, done);
    }) - bare;
  };
  return {through(sg::pipeline(sg::guard(breaker))), through(guarded)};
}
