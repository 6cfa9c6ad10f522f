// SPDX-License-Identifier: Apache-2.0
//
// Retries with a breaker: outside of it each attempt is a call, inside of it the whole loop is one.
#include "check.hpp"

#include <switchgear/guard.hpp>
#include <switchgear/pipeline.hpp>
#include <switchgear/retry.hpp>
#include <switchgear/testing/skipping_clock.hpp>

#include <exception>
#include <stdexcept>
#include <string>
#include <vector>

namespace sg = switchgear;
using namespace std::chrono_literals;
using waits = std::vector<std::chrono::nanoseconds>;

std::string refuse() { throw std::runtime_error("connection refused"); }

/// How a call ended that has to throw.
template <class Guarded>
sg::retry_report fails(const Guarded& guarded) {
  // [report]
  try {
    guarded(refuse);
  } catch (const std::exception& e) {  // the function's own exception, unchanged
    if (const auto report = sg::retry_report_of(std::current_exception())) {
      std::cout << e.what() << ": " << report->attempts << " attempts, " << to_string(report->stopped) << "\n";
      return *report;
    }
  }
  // [/report]
  expect(false);
  return {};
}

int main() {
  sg::testing::skipping_clock clock;  // a wait takes no time; a program of yours leaves the clocks out
  sg::circuit_breaker payments{"payments", {.failure_threshold = 3, .open_duration = 30s}, clock};

  // [outside]
  const auto each = sg::pipeline(sg::retry({.max_attempts = 3, .backoff = sg::exponential(1s)}, clock), sg::guard(payments));
  // [/outside]
  expect(fails(each).attempts == 3);
  expect(clock.waits() == waits{1s, 2s});
  expect(payments.snapshot().metrics.failures == 3 && payments.is_open());
  const sg::retry_report rejected = fails(each);  // an open circuit is never asked a second time
  expect(rejected.attempts == 1 && rejected.stopped == sg::retry_stop::rejected);

  // [inside]
  const sg::retry quick{{.max_attempts = 3, .backoff = sg::exponential(500ms), .total_limit = 30s}, clock};
  const auto whole = sg::pipeline(sg::guard(payments), quick);
  // [/inside]
  payments.reset();
  payments.reset_metrics();
  expect(fails(whole).stopped == sg::retry_stop::attempts_used_up);
  expect(payments.snapshot().metrics.failures == 1 && payments.is_closed());
  expect(quick.metrics().attempts_used_up == 1 && quick.metrics().retries == 2);

  // Named policies with the figures of well-tried systems: worker, storage, scheduler, api.
  const sg::retry storage{sg::retry_presets::storage(), clock};
  std::cout << storage.describe() << "\n";
  int attempt = 0;
  expect(storage.call([&] { return ++attempt < 4 ? refuse() : "a row"; }) == "a row");
  expect(storage.metrics().after_retries == 1 && storage.metrics().retries == 3);

  // A budget, shared by all who call one dependency: retries stay a tenth of the calls, and a reserve of two.
  // [budget]
  const sg::retry_budget budget{{.ratio = 0.1, .reserve = 2}};
  const auto frugal = sg::pipeline(sg::retry({.max_attempts = 3, .budget = budget}, clock));
  // [/budget]
  expect(fails(frugal).stopped == sg::retry_stop::attempts_used_up);
  for (int i = 0; i < 9; ++i) expect(fails(frugal).stopped == sg::retry_stop::budget_used_up);
  expect(budget.metrics().calls == 10 && budget.metrics().retries == 3);  // 2 + a tenth of 10, instead of 20
}
