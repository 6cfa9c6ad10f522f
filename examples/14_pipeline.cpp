// SPDX-License-Identifier: Apache-2.0
//
// Policies together, outermost first: a stand-in answer, around retries, around a breaker, around a time limit.
#include "check.hpp"

#include <switchgear/fallback.hpp>
#include <switchgear/guard.hpp>
#include <switchgear/pipeline.hpp>
#include <switchgear/retry.hpp>
#include <switchgear/testing/manual_clock.hpp>
#include <switchgear/testing/skipping_clock.hpp>
#include <switchgear/timeout.hpp>

#include <stdexcept>
#include <stop_token>
#include <string>

namespace sg = switchgear;
using namespace std::chrono_literals;
using receipt = std::string;

// [fallback]
receipt cached_receipt(const sg::failure_info& why) {
  if (why.kind() == sg::failure_kind::rejection) return "queued for " + sg::format_duration(why.retry_after().value_or(1min));
  return "queued: " + std::string(why.what());
}
// [/fallback]

int main() {
  sg::testing::manual_clock clock;      // for limits: moved by the program
  sg::testing::skipping_clock waiting;  // for waits: they are over at once
  sg::circuit_breaker payments{"payments", {.failure_threshold = 5, .open_duration = 30s}, clock};

  // [pipeline]
  auto guarded = sg::pipeline(
      sg::fallback([](const sg::failure_info& why) { return cached_receipt(why); }),
      sg::retry({.max_attempts = 3, .backoff = sg::exponential(100ms).with_jitter()}, waiting),
      sg::guard(payments),
      sg::timeout(2s, clock));
  // [/pipeline]
  expect(guarded.describe() == "fallback → retry(3 attempts, exponential 100ms, full jitter) → guard(payments) → timeout(2s)");
  expect(guarded.warnings().empty());

  // A failure that does not last is retried away. Arguments pass through, after the stop token.
  int calls = 0;
  const auto flaky = [&](std::stop_token, const std::string& order) -> receipt {
    if (++calls == 1) throw std::runtime_error("connection reset");
    return "receipt for " + order;
  };
  expect(guarded(flaky, "a lamp") == "receipt for a lamp" && calls == 2);

  // A call that takes too long is asked to stop, and counts as a timeout, three times.
  const auto slow = [&](std::stop_token stop) -> receipt {
    while (!stop.stop_requested()) clock.advance(500ms);
    return "half a receipt";
  };
  expect(guarded(slow) == "queued: timeout: the call took longer than 2s");
  expect(payments.snapshot().metrics.timeouts == 3);

  // Then the circuit is open, nothing is called, and the fallback sees why.
  payments.trip("maintenance");
  expect(guarded(flaky, "a chair") == "queued for 30s" && calls == 2);

  // The caller may bring a stop token and a correlation id. What he stops himself has no stand-in answer.
  std::stop_source caller;
  caller.request_stop();
  payments.reset();
  try {
    guarded({.stop = caller.get_token(), .context = {.correlation_id = "4711"}}, [](std::stop_token) -> receipt {
      throw std::runtime_error("closed, as you wished");
    });
  } catch (const std::runtime_error&) {}
  expect(payments.snapshot().metrics.ignored == 1);

  // An order that is probably a mistake says so.
  const auto odd = sg::pipeline(sg::timeout(1s), sg::guard(payments), sg::timeout(2s));
  for (const std::string& warning : odd.warnings()) std::cout << warning << "\n";
  expect(odd.warnings().size() == 1);
}
