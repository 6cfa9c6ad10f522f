// SPDX-License-Identifier: Apache-2.0
//
// A function that blocks and cannot be asked to stop: it runs on another thread, and nobody waits longer than the limit.
#include "check.hpp"

#include <switchgear/guard.hpp>
#include <switchgear/pipeline.hpp>
#include <switchgear/testing/skipping_clock.hpp>
#include <switchgear/thread_pool.hpp>
#include <switchgear/time_limiter.hpp>
#include <switchgear/timeout.hpp>

#include <latch>
#include <semaphore>
#include <stop_token>
#include <string>

namespace sg = switchgear;
using namespace std::chrono_literals;

int main() {
  sg::circuit_breaker directory{"ldap", {.failure_threshold = 2}};
  sg::testing::skipping_clock clock;  // on this clock the limit has passed as soon as somebody waits for it
  std::counting_semaphore<> searching{0};
  clock.on_wait([&](std::chrono::nanoseconds) { searching.acquire(); });  // it passes while the function is blocked
  std::latch server_answers{1};
  const auto ldap_search = [&](const std::string& user) {
    searching.release();
    server_answers.wait();
    return "entry of " + user;
  };
  {
    // [time_limiter]
    sg::thread_pool threads{{.name = "ldap", .threads = 2, .max_queue = 0}};
    const sg::time_limiter limit{{.limit = 2s, .executor = &threads}, clock};
    const auto guarded = sg::pipeline(sg::guard(directory), limit);
    const auto lookup = [&](const std::string& user) {
      return guarded([ldap_search, user] { return ldap_search(user); });  // by value: the call may outlive its caller
    };
    // [/time_limiter]

    // The caller goes on at the limit, and the breaker counts a timeout then, not when the server answers at last.
    for (const std::string user : {"ada", "grace"}) {
      try {
        (void)lookup(user);
        expect(false);
      } catch (const sg::call_timeout_error& e) {
        std::cout << e.what() << "\n";
      }
    }
    expect(directory.is_open() && directory.snapshot().metrics.timeouts == 2);

    // The threads stay taken until the function returns. An open circuit takes no more of them; without it the pool would
    // have none for the next caller.
    expect(limit.metrics().abandoned == 2);
    try {
      (void)limit.call(ldap_search, "alan");
      expect(false);
    } catch (const sg::executor_full_error& e) {
      std::cout << e.what() << "\n";
    }
    expect(limit.metrics().refused == 1);
    server_answers.count_down();
  }  // the pool waits for its threads here

  // A function that looks at a stop token needs no other thread: it is asked to stop at the deadline.
  // [timeout]
  const sg::timeout quick{2s};
  const int found = quick.call([](std::stop_token stop) { return stop.stop_requested() ? 0 : 42; });
  // [/timeout]
  expect(found == 42 && quick.metrics().timeouts == 0);
}
