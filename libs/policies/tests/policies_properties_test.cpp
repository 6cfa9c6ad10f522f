// SPDX-License-Identifier: Apache-2.0
// What holds for any sequence of outcomes and any options, drawn at random.
#include <switchgear/adaptive_limiter.hpp>
#include <switchgear/bulkhead.hpp>
#include <switchgear/circuit_breaker.hpp>
#include <switchgear/guard.hpp>
#include <switchgear/pipeline.hpp>
#include <switchgear/rate_limiter.hpp>
#include <switchgear/retry.hpp>
#include <switchgear/testing/manual_clock.hpp>
#include <switchgear/testing/skipping_clock.hpp>
#include <switchgear/timeout.hpp>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <optional>
#include <stdexcept>
#include <vector>

namespace {

namespace sg = switchgear;
using std::chrono::milliseconds;
using std::chrono::nanoseconds;

struct outage : std::runtime_error {
  outage() : runtime_error("outage") {}
};

sg::backoff any_backoff() {
  const auto base = milliseconds(*rc::gen::inRange(0, 2000));
  const auto most = base + milliseconds(*rc::gen::inRange(0, 5000));
  sg::backoff b = *rc::gen::element(sg::constant(base), sg::exponential(base), sg::decorrelated(base)).as("backoff");
  b = b.up_to(most);
  const int jitter = *rc::gen::inRange(0, 3);
  return jitter == 0 ? b : jitter == 1 ? b.with_jitter() : b.with_equal_jitter();
}

RC_GTEST_PROP(retry_properties, never_exceeds_attempts_time_or_budget, ()) {
  sg::testing::skipping_clock clock;
  const int attempts = *rc::gen::inRange(1, 12);
  const auto limit = milliseconds(*rc::gen::inRange(0, 8000));
  const std::int64_t reserve = *rc::gen::inRange(0, 5);
  const sg::retry_budget budget({.ratio = 0.0, .reserve = reserve});
  const sg::retry retry({.max_attempts = attempts, .backoff = any_backoff(), .total_limit = limit, .budget = budget}, clock);
  const auto fails = *rc::gen::container<std::vector<bool>>(15, rc::gen::arbitrary<bool>());
  const auto takes = *rc::gen::container<std::vector<int>>(15, rc::gen::inRange(0, 1500));

  const nanoseconds began = clock.now();
  std::size_t calls = 0;
  bool last_failed = false;
  bool threw = false;
  try {
    retry.call([&] {
      RC_ASSERT(calls == 0 || limit.count() == 0 || clock.now() - began < limit);
      const std::size_t i = calls++;
      clock.advance(milliseconds(takes[i]));
      last_failed = fails[i];
      if (last_failed) throw outage();
    });
  } catch (const outage&) {
    threw = true;
  }
  RC_ASSERT(calls >= 1u);
  RC_ASSERT(calls <= static_cast<std::size_t>(attempts));
  RC_ASSERT(calls <= static_cast<std::size_t>(reserve) + 1);
  RC_ASSERT(threw == last_failed);  // what leaves is what the last attempt brought
  for (std::size_t i = 0; i + 1 < calls; ++i) RC_ASSERT(fails[i]);
  RC_ASSERT(retry.metrics().calls() == 1u);
  RC_ASSERT(retry.metrics().retries == calls - 1);
}

RC_GTEST_PROP(retry_properties, the_share_of_the_budget_holds_over_any_sequence, ()) {
  const double ratio = *rc::gen::inRange(0, 101) / 100.0;
  const std::int64_t reserve = *rc::gen::inRange(0, 20);
  const std::int64_t saved = reserve + *rc::gen::inRange(0, 100);
  const sg::retry_budget budget({.ratio = ratio, .reserve = reserve, .max_saved = saved});
  const auto steps = *rc::gen::arbitrary<std::vector<bool>>();
  double model = static_cast<double>(reserve);
  std::int64_t calls = 0, retries = 0;
  for (const bool earn : steps) {
    if (earn) {
      budget.earn();
      ++calls;
      model = std::min(static_cast<double>(saved), model + ratio);
    } else {
      const bool paid = budget.spend();
      retries += paid;
      RC_ASSERT(paid == (model >= 1.0 - 1e-6));
      if (paid) model -= 1.0;
    }
    RC_ASSERT(static_cast<double>(retries) <= ratio * static_cast<double>(calls) + static_cast<double>(reserve) + 1e-6);
  }
}

/// Passes everything on.
struct neutral : sg::policy_base {
  template <class Next>
  typename Next::result run(const Next& next, const sg::execution& e) const {
    return next(e);
  }
  std::string describe() const { return "neutral"; }
};

template <class F>
std::pair<std::optional<int>, std::string> outcome_of(F&& f) {
  try {
    return {f(), ""};
  } catch (const std::exception& e) {
    return {std::nullopt, e.what()};
  }
}

RC_GTEST_PROP(pipeline_properties, of_neutral_policies_equals_the_bare_call, (int argument, bool throws)) {
  sg::circuit_breaker breaker{"b", {.failure_threshold = 1 << 20}};
  const auto f = [throws](int x) {
    if (throws) throw std::runtime_error(std::to_string(x));
    return x ^ 5;
  };
  const auto bare = outcome_of([&] { return f(argument); });
  RC_ASSERT(outcome_of([&] { return sg::pipeline()(f, argument); }) == bare);
  RC_ASSERT(outcome_of([&] { return sg::pipeline(neutral{})(f, argument); }) == bare);
  RC_ASSERT(outcome_of([&] { return sg::pipeline(neutral{}, neutral{}, neutral{})(f, argument); }) == bare);
  RC_ASSERT(outcome_of([&] { return sg::pipeline(neutral{}, sg::retry({.max_attempts = 1}), sg::guard(breaker))(f, argument); }) == bare);
  // Policies whose limits are never reached.
  sg::testing::manual_clock clock;
  const auto idle = sg::pipeline(sg::timeout(std::chrono::hours(24), clock), sg::bulkhead({.max_concurrent = 2}, clock),
                                 sg::rate_limiter({.permits = 100}, clock), sg::adaptive_limiter({}, clock),
                                 sg::retry({.max_attempts = 1}, clock), sg::guard(breaker));
  RC_ASSERT(outcome_of([&] { return idle(f, argument); }) == bare);
}

}  // namespace
