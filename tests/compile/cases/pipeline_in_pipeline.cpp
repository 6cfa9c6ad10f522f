// SPDX-License-Identifier: Apache-2.0
// refused: list the policies of the inner one
#include <switchgear/guard.hpp>
#include <switchgear/pipeline.hpp>
#include <switchgear/retry.hpp>

namespace sg = switchgear;

// A pipeline is called, it is not a policy.
int use(sg::circuit_breaker& breaker) {
#ifdef REFUSED
  return sg::pipeline(sg::retry(), sg::pipeline(sg::guard(breaker)))([] { return 2; });
#else
  return sg::pipeline(sg::retry(), sg::guard(breaker))([] { return 2; });
#endif
}
