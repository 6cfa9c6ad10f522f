// SPDX-License-Identifier: Apache-2.0
// refused: write sg::guard\(breaker\)
#include <switchgear/circuit_breaker.hpp>
#include <switchgear/guard.hpp>
#include <switchgear/pipeline.hpp>
#include <switchgear/retry.hpp>

#include <memory>

namespace sg = switchgear;

// A breaker is no policy, nor is a pointer to one.
int use(const std::shared_ptr<sg::circuit_breaker>& breaker) {
#ifdef REFUSED
  return sg::pipeline(sg::retry(), breaker)([] { return 2; });
#else
  return sg::pipeline(sg::retry(), sg::guard(breaker))([] { return 2; });
#endif
}
