// SPDX-License-Identifier: Apache-2.0
// The cases: what policies cost on the happy path, each alone and several in a pipeline.
#include "opaque.hpp"

#include <switchgear/adaptive_limiter.hpp>
#include <switchgear/bulkhead.hpp>
#include <switchgear/circuit_breaker.hpp>
#include <switchgear/fallback.hpp>
#include <switchgear/guard.hpp>
#include <switchgear/hedge.hpp>
#include <switchgear/last_known_good.hpp>
#include <switchgear/pipeline.hpp>
#include <switchgear/provider_chain.hpp>
#include <switchgear/rate_limiter.hpp>
#include <switchgear/retry.hpp>
#include <switchgear/time_limiter.hpp>
#include <switchgear/timeout.hpp>

#include <benchmark/benchmark.h>

#include <optional>

namespace {

namespace sg = switchgear;
using namespace std::chrono_literals;

/// Made by `make` on the first thread of a run, shared by all of them.
template <class Callable, class Make>
void run(benchmark::State& state, const Make& make) {
  static std::optional<Callable> shared;
  if (state.thread_index() == 0) shared.emplace(make());
  int x = 0;
  for (auto _ : state) {
    x = (*shared)(x);
    benchmark::DoNotOptimize(x);
  }
}

/// A function object that calls through `policies`.
template <class... Policies>
auto calling(Policies... policies) {
  return [p = sg::pipeline(std::move(policies)...)](int x) { return p([x] { return bench::opaque(x); }); };
}

sg::circuit_breaker& breaker() {
  static sg::circuit_breaker instance{"bench"};
  static const bool warm = [] {
    for (int i = 0; i < 1000; ++i) instance.call([&] { return bench::opaque(i); });
    return true;
  }();
  (void)warm;
  return instance;
}

#define POLICY_CASE(name, ...)                                              \
  void name(benchmark::State& state) {                                      \
    const auto make = [] { return calling(__VA_ARGS__); };                  \
    run<decltype(make())>(state, make);                                     \
  }                                                                         \
  BENCHMARK(name)->Threads(1)->Threads(2)

POLICY_CASE(policy_guard, sg::guard(breaker()));
POLICY_CASE(policy_retry, sg::retry());
POLICY_CASE(policy_retry_with_budget, sg::retry({.budget = sg::retry_budget()}));
POLICY_CASE(policy_fallback, sg::fallback(-1));
POLICY_CASE(policy_timeout, sg::timeout(1s));
POLICY_CASE(policy_bulkhead, sg::bulkhead({.max_concurrent = 100}));
POLICY_CASE(policy_rate_limiter, sg::rate_limiter({.permits = 1'000'000'000}));
POLICY_CASE(policy_adaptive_limiter, sg::adaptive_limiter());
POLICY_CASE(policy_last_known_good, sg::last_known_good<int>());

POLICY_CASE(pipeline_1, sg::guard(breaker()));
POLICY_CASE(pipeline_3, sg::fallback(-1), sg::retry(), sg::guard(breaker()));
POLICY_CASE(pipeline_5, sg::fallback(-1), sg::retry(), sg::guard(breaker()), sg::bulkhead({.max_concurrent = 100}), sg::timeout(1s));

}  // namespace
