// SPDX-License-Identifier: Apache-2.0
// refused: (deleted function|call to (deleted|implicitly-deleted) (copy )?constructor)
#include <switchgear/circuit_breaker.hpp>

// A copy would count for itself: two breakers of one name, none of which sees all failures.
void use(switchgear::circuit_breaker& breaker) {
#ifdef REFUSED
  auto other = breaker;
#else
  auto& other = breaker;
#endif
  other.trip();
}
