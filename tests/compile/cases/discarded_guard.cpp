// SPDX-License-Identifier: Apache-2.0
// refused: (unused-result|unused-value|nodiscard)
#include <switchgear/circuit_breaker.hpp>

// A guard without a name ends before the call it should guard begins.
void use(switchgear::circuit_breaker& breaker) {
#ifdef REFUSED
  breaker.protect();
#else
  auto guard = breaker.protect();
#endif
}
