// SPDX-License-Identifier: Apache-2.0
// Threads racing on one executor.
#include "support.hpp"

#include <switchgear/effect_executor.hpp>

#include <gtest/gtest.h>

#include <barrier>
#include <thread>

namespace {

using namespace effects_tests;
using namespace std::chrono_literals;
using sg::testing::skipping_clock;

/// Runs `f(number)` on `n` threads at the same time.
template <class F>
void on_threads(int n, const F& f) {
  std::barrier start(n);
  std::vector<std::jthread> all;
  for (int i = 0; i < n; ++i) {
    all.emplace_back([&, i] {
      start.arrive_and_wait();
      f(i);
    });
  }
}

TEST(effect_threads, on_one_type_lose_no_verdict_and_no_undo) {
  constexpr int threads = 4, each = 200;
  skipping_clock clock;
  sg::effect_executor effects({.breakers = hermetic()}, clock);
  effects.define("e", {.circuit_breaker = true,
                       .retry = sg::retry_options{.max_attempts = 2, .backoff = sg::constant(0s)},
                       .breaker = sg::config{.failure_threshold = 1 << 20}});
  std::atomic<int> balance{0};
  std::atomic<unsigned> undone{0};
  on_threads(threads, [&](int) {
    for (int i = 0; i < each; ++i) {
      int attempt = 0;
      try {
        effects.execute("e", [&](sg::transaction& undo) {
          undo.run("count", [&] { ++balance; }, [&] { --balance, ++undone; });
          ++attempt;
          if (i % 3 == 0 || (i % 3 == 1 && attempt == 1)) throw outage("down");
        });
      } catch (const outage&) {
      }
    }
  });
  const auto m = effects.metrics("e");
  const auto counts = effects.breakers().find("e")->snapshot().metrics;
  EXPECT_EQ(m.executed, threads * each * 1u);
  EXPECT_EQ(balance.load(), static_cast<int>(m.committed));
  EXPECT_EQ(m.committed + m.rolled_back, m.executed);
  EXPECT_EQ(m.rollbacks, undone.load());
  EXPECT_EQ(counts.successes, m.committed);
  EXPECT_EQ(counts.failures, m.rolled_back);
  EXPECT_EQ(m.rolled_back, threads * 67u);
}

TEST(effect_threads, may_define_and_execute_and_look_at_types_at_the_same_time) {
  constexpr int each = 200;
  skipping_clock clock;
  sg::effect_executor effects({.breakers = hermetic()}, clock);
  on_threads(4, [&](int n) {
    for (int i = 0; i < each; ++i) {
      const std::string type = "t" + std::to_string(i % 5);
      if (n == 0) {
        effects.define(type, {.circuit_breaker = i % 2 == 0, .retry = sg::retry_options{.max_attempts = 1 + i % 3}});
      } else if (n == 1) {
        (void)effects.metrics_by_type();
        (void)effects.definition(type);
      } else {
        effects.execute(type, [](sg::transaction& undo) { undo.on_commit("nothing", [] {}); });
      }
    }
  });
  EXPECT_EQ(effects.metrics().committed, 2u * each);
}

TEST(effect_threads, that_race_with_an_open_circuit_run_their_effect_or_nothing) {
  constexpr int threads = 4, each = 200;
  skipping_clock clock;
  sg::effect_executor effects({.breakers = hermetic()}, clock);
  effects.define("e", {.circuit_breaker = true, .breaker = small()});
  std::atomic<unsigned> ran{0}, rejected{0};
  on_threads(threads, [&](int n) {
    for (int i = 0; i < each; ++i) {
      if (n == 0) clock.advance(10s);
      try {
        effects.execute("e", [&] {
          ++ran;
          throw outage("down");
        });
      } catch (const sg::circuit_open_error&) {
        ++rejected;
      } catch (const outage&) {
      }
    }
  });
  const auto m = effects.metrics("e");
  EXPECT_EQ(m.executed, ran.load());
  EXPECT_EQ(m.rejected, rejected.load());
  EXPECT_EQ(m.executed + m.rejected, threads * each * 1u);
}

}  // namespace
