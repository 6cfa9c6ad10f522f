// SPDX-License-Identifier: Apache-2.0
// refused: last_known_good inside a circuit breaker hides failures
#include <switchgear/guard.hpp>
#include <switchgear/last_known_good.hpp>
#include <switchgear/pipeline.hpp>

namespace sg = switchgear;

// The circuit would stay closed while old answers come.
int use(sg::circuit_breaker& breaker) {
  const sg::last_known_good<int> remembered;
#ifdef REFUSED
  const auto guarded = sg::pipeline(sg::guard(breaker), remembered);
#else
  const auto guarded = sg::pipeline(remembered, sg::guard(breaker));
#endif
  return guarded([] { return 2; });
}
