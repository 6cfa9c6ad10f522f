// SPDX-License-Identifier: Apache-2.0
// refused: (deleted function|copy assignment operator|overload resolution selected (implicitly-)?deleted)
#include <switchgear/circuit_breaker.hpp>

#include <utility>

// Assigning is copying, too.
void use(switchgear::circuit_breaker& breaker) {
  switchgear::permit permit = breaker.try_acquire();
  switchgear::permit other = breaker.try_acquire();
#ifdef REFUSED
  other = permit;
#else
  other = std::move(permit);
#endif
  other.success();
}
