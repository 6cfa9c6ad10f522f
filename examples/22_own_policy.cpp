// SPDX-License-Identifier: Apache-2.0
//
// Policies of your own, in a pipeline with the others: one that rejects, and one that looks.
#include "check.hpp"

#include <switchgear/guard.hpp>
#include <switchgear/pipeline.hpp>
#include <switchgear/policy.hpp>
#include <switchgear/retry.hpp>
#include <switchgear/testing/skipping_clock.hpp>

#include <atomic>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>

namespace sg = switchgear;
using namespace std::chrono_literals;

// [own]
/// Lets nothing through while the dependency is being maintained.
class maintenance : public sg::policy_base {
 public:
  template <class Next>
  typename Next::result run(const Next& next, const sg::execution& e) const {
    if (under_way_->load()) throw sg::rejected_error("under maintenance", 15min);  // breakers and retries know what that is
    return next(e);
  }
  std::string describe() const { return "maintenance"; }

  void begin() { under_way_->store(true); }

 private:
  std::shared_ptr<std::atomic<bool>> under_way_ = std::make_shared<std::atomic<bool>>(false);  // copies share it
};
// [/own]

/// Counts how calls end. A destructor sees both ways out, whatever type the call returns.
class counted : public sg::policy_base {
 public:
  struct counts { std::atomic<int> returned{0}, threw{0}; };
  template <class Next>
  typename Next::result run(const Next& next, const sg::execution& e) const {
    struct ending {
      counts& all;
      int exceptions = std::uncaught_exceptions();
      ~ending() { ++(std::uncaught_exceptions() > exceptions ? all.threw : all.returned); }
    } const at_the_end{*counts_};
    return next(e);
  }
  std::string describe() const { return "counted"; }
  const counts& seen() const { return *counts_; }

 private:
  std::shared_ptr<counts> counts_ = std::make_shared<counts>();
};

int main() {
  sg::testing::skipping_clock clock;
  sg::circuit_breaker payments{"payments"};
  maintenance closed;
  const counted calls, attempts;
  const auto guarded = sg::pipeline(calls, sg::retry({.max_attempts = 3}, clock), attempts, sg::guard(payments), closed);
  std::cout << guarded.describe() << "\n";

  int n = 0;
  expect(guarded([&] { return ++n < 3 ? throw std::runtime_error("reset") : n; }) == 3);
  expect(calls.seen().returned == 1 && attempts.seen().threw == 2 && attempts.seen().returned == 1);

  closed.begin();
  try {
    guarded([] { expect(false); });
  } catch (const sg::rejected_error& e) {
    expect(e.retry_after() == 15min);
  }
  expect(attempts.seen().threw == 3);  // a rejection is not retried,
  expect(payments.snapshot().metrics.failures == 2);  // and no evidence
}
