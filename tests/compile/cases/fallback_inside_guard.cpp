// SPDX-License-Identifier: Apache-2.0
// refused: fallback inside a circuit breaker hides every failure
#include <switchgear/fallback.hpp>
#include <switchgear/guard.hpp>
#include <switchgear/pipeline.hpp>

namespace sg = switchgear;
using namespace std::chrono_literals;

// The circuit would never open.
int use(sg::circuit_breaker& breaker) {
#ifdef REFUSED
  const auto guarded = sg::pipeline(sg::guard(breaker), sg::fallback(1));
#else
  const auto guarded = sg::pipeline(sg::fallback(1), sg::guard(breaker));
#endif
  return guarded([] { return 2; });
}
