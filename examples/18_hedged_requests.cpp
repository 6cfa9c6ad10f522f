// SPDX-License-Identifier: Apache-2.0
//
// A second request beside one that is slow: the first good answer wins, the loser is asked to stop and is no evidence.
#include "check.hpp"

#include <switchgear/guard.hpp>
#include <switchgear/hedge.hpp>
#include <switchgear/pipeline.hpp>
#include <switchgear/testing/skipping_clock.hpp>
#include <switchgear/thread_pool.hpp>

#include <atomic>
#include <condition_variable>
#include <latch>
#include <mutex>
#include <stdexcept>
#include <stop_token>
#include <string>

namespace sg = switchgear;
using namespace std::chrono_literals;

/// An index on several servers. The first request meets one that is busy for as long as anybody waits for it.
struct index {
  std::atomic<int> requests{0};
  std::latch first_has_come{1};

  std::string find(const std::string& words, std::stop_token stop) {
    if (++requests > 1) return "hits for " + words;
    first_has_come.count_down();
    std::mutex mutex;
    std::condition_variable_any changed;
    std::unique_lock lock(mutex);
    changed.wait(lock, stop, [] { return false; });
    return "nothing, I was told to stop";
  }
};

int main() {
  index servers;
  sg::testing::skipping_clock clock;  // the delay is over as soon as somebody waits for it
  clock.on_wait([&](std::chrono::nanoseconds) { servers.first_has_come.wait(); });
  sg::circuit_breaker search{"search"};
  {
    // [hedge]
    sg::thread_pool threads{{.name = "search", .threads = 4}};
    const sg::hedge hedge{{.delay = 50ms, .executor = &threads}, clock};
    const auto guarded = sg::pipeline(hedge, sg::guard(search));  // so that the circuit sees each attempt
    const std::string query = "open circuits";
    const std::string hits = guarded([&servers, query](std::stop_token stop) { return servers.find(query, stop); });
    // [/hedge]
    expect(hits == "hits for open circuits");
    expect(hedge.metrics().hedges == 1 && hedge.metrics().won == 1);
    std::cout << guarded.describe() << "\n";

    // A call that is not slow stays alone, and one that fails at once is tried again at once.
    std::atomic<int> attempts{0};
    expect(hedge.call([&attempts](std::stop_token) {
      if (++attempts == 1) throw std::runtime_error("connection reset");
      return 42;
    }) == 42);

    // What must not happen twice is marked, and does not compile with a hedge: sg::non_idempotent([&] { bank.transfer(); }).
  }  // the pool waits for the loser here
  const auto seen = search.snapshot().metrics;
  expect(seen.successes == 1 && seen.ignored == 1 && seen.failures == 0);
}
