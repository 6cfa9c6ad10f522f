// SPDX-License-Identifier: Apache-2.0
// The cases: what one guarded call costs, on one breaker, with one and with two threads. Every case has its baseline in the
// same run, because only ratios within one run mean something on a machine that others use too.
#include "mutex_breaker.hpp"
#include "opaque.hpp"

#include <switchgear/circuit_breaker.hpp>

#include <benchmark/benchmark.h>

#include <memory>

namespace {

namespace sg = switchgear;
using namespace std::chrono_literals;

/// Made by the first thread of a run, shared by all of them.
template <class Breaker>
std::unique_ptr<Breaker> shared;

sg::config slow_rule() {
  sg::config c;
  c.window = sg::last(60s);
  c.slow_call_duration = 1s;
  return c;
}

sg::config never_trips() {
  sg::config c;
  c.failure_threshold = 0;
  c.failure_rate_threshold = 1.0;
  c.minimum_calls = 100;
  return c;
}

sg::config rate_rule() {
  sg::config c;
  c.failure_rate_threshold = 0.5;
  return c;
}

/// Runs `body(breaker, x)` in the loop; `x` depends on the call before, so that calls cannot overlap.
template <class Body>
void run(benchmark::State& state, const sg::config& c, const Body& body, int warm_up = 1000) {
  if (state.thread_index() == 0) {
    shared<sg::circuit_breaker> = std::make_unique<sg::circuit_breaker>("bench", c);
    for (int i = 0; i < warm_up; ++i) shared<sg::circuit_breaker>->call([&] { return bench::opaque(i); });
  }
  int x = 0;
  for (auto _ : state) {
    x = body(*shared<sg::circuit_breaker>, x);
    benchmark::DoNotOptimize(x);
  }
}

int guarded(sg::circuit_breaker& b, int x) {
  return b.call([x] { return bench::opaque(x); });
}

void bare_call(benchmark::State& state) {
  int x = 0;
  for (auto _ : state) {
    x = bench::opaque(x);
    benchmark::DoNotOptimize(x);
  }
}

void mutex_breaker(benchmark::State& state) {
  if (state.thread_index() == 0) shared<bench::mutex_breaker> = std::make_unique<bench::mutex_breaker>();
  int x = 0;
  for (auto _ : state) {
    x = shared<bench::mutex_breaker>->call([x] { return bench::opaque(x); });
    benchmark::DoNotOptimize(x);
  }
}

void healthy_consecutive(benchmark::State& state) { run(state, {}, guarded); }
void healthy_count_window(benchmark::State& state) { run(state, rate_rule(), guarded); }
void healthy_time_window_slow(benchmark::State& state) { run(state, slow_rule(), guarded); }

void two_clock_reads(benchmark::State& state) {
  int x = 0;
  for (auto _ : state) {
    const auto start = std::chrono::steady_clock::now();
    x = bench::opaque(x);
    benchmark::DoNotOptimize(x);
    const auto end = std::chrono::steady_clock::now();
    benchmark::DoNotOptimize((end - start).count());
  }
}

/// One call in a hundred fails; reported by a permit, because a thrown exception would hide what the breaker costs.
void failures_1_percent(benchmark::State& state) {
  int turn = 0;
  run(state, rate_rule(), [&turn](sg::circuit_breaker& b, int x) {
    sg::permit p = b.try_acquire();
    x = bench::opaque(x);
    if (++turn == 100) {
      turn = 0;
      p.failure();
    } else {
      p.success();
    }
    return x;
  });
}

void permit_success(benchmark::State& state) {
  run(state, rate_rule(), [](sg::circuit_breaker& b, int x) {
    sg::permit p = b.try_acquire();
    x = bench::opaque(x);
    p.success();
    return x;
  });
}

void failures_all(benchmark::State& state) {
  int turn = 0;
  sg::config c = never_trips();
  c.minimum_calls = {};
  c.failure_rate_threshold = 0;
  c.failure_count_threshold = 1 << 20;
  run(state, c, [&turn](sg::circuit_breaker& b, int x) {
    (void)turn;
    sg::permit p = b.try_acquire();
    x = bench::opaque(x);
    p.failure();
    return x;
  });
}

void rejected(benchmark::State& state) {
  sg::config c;
  c.open_duration = 24h;
  if (state.thread_index() == 0) {
    shared<sg::circuit_breaker> = std::make_unique<sg::circuit_breaker>("bench", c);
    shared<sg::circuit_breaker>->trip();
  }
  for (auto _ : state) {
    const sg::permit p = shared<sg::circuit_breaker>->try_acquire();
    benchmark::DoNotOptimize(static_cast<bool>(p));
  }
}

void rejected_throw(benchmark::State& state) {
  sg::config c;
  c.open_duration = 24h;
  if (state.thread_index() == 0) {
    shared<sg::circuit_breaker> = std::make_unique<sg::circuit_breaker>("bench", c);
    shared<sg::circuit_breaker>->trip();
  }
  int x = 0;
  for (auto _ : state) {
    try {
      x = guarded(*shared<sg::circuit_breaker>, x);
    } catch (const sg::circuit_open_error&) {
      ++x;
    }
    benchmark::DoNotOptimize(x);
  }
}

void throw_catch(benchmark::State& state) {
  int x = 0;
  for (auto _ : state) {
    try {
      x = bench::opaque_failure(x);
    } catch (int thrown) {
      x = thrown + 1;
    }
    benchmark::DoNotOptimize(x);
  }
}

void guard(benchmark::State& state) {
  run(state, {}, [](sg::circuit_breaker& b, int x) {
    const auto scope = b.protect();
    return bench::opaque(x);
  });
}

void decorate(benchmark::State& state) {
  if (state.thread_index() == 0) {
    shared<sg::circuit_breaker> = std::make_unique<sg::circuit_breaker>("bench");
    for (int i = 0; i < 1000; ++i) shared<sg::circuit_breaker>->call([&] { return bench::opaque(i); });
  }
  int x = 0;
  auto decorated = [](auto& b) { return b.decorate([](int n) { return bench::opaque(n); }); };
  std::optional<decltype(decorated(*shared<sg::circuit_breaker>))> f;
  for (auto _ : state) {
    if (!f) f.emplace(decorated(*shared<sg::circuit_breaker>));
    x = (*f)(x);
    benchmark::DoNotOptimize(x);
  }
}

void snapshot(benchmark::State& state) {
  if (state.thread_index() == 0) shared<sg::circuit_breaker> = std::make_unique<sg::circuit_breaker>("bench");
  for (auto _ : state) benchmark::DoNotOptimize(shared<sg::circuit_breaker>->snapshot().metrics.successes);
}

BENCHMARK(bare_call)->Threads(1)->Threads(2);
BENCHMARK(mutex_breaker)->Threads(1)->Threads(2);
BENCHMARK(healthy_consecutive)->Threads(1)->Threads(2);
BENCHMARK(healthy_count_window)->Threads(1)->Threads(2);
BENCHMARK(healthy_time_window_slow)->Threads(1)->Threads(2);
BENCHMARK(two_clock_reads)->Threads(1)->Threads(2);
BENCHMARK(failures_1_percent)->Threads(1)->Threads(2);
BENCHMARK(failures_all)->Threads(1)->Threads(2);
BENCHMARK(permit_success)->Threads(1)->Threads(2);
BENCHMARK(rejected)->Threads(1)->Threads(2);
BENCHMARK(rejected_throw)->Threads(1)->Threads(2);
BENCHMARK(throw_catch)->Threads(1)->Threads(2);
BENCHMARK(guard)->Threads(1)->Threads(2);
BENCHMARK(decorate)->Threads(1)->Threads(2);
BENCHMARK(snapshot)->Threads(1)->Threads(2);

}  // namespace
