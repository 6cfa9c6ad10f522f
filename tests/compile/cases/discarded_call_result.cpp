// SPDX-License-Identifier: Apache-2.0
// refused: (unused-result|unused-value|nodiscard)
#include <switchgear/circuit_breaker.hpp>

// Nobody would learn of the failure or of the rejection.
bool use(switchgear::circuit_breaker& breaker) {
#ifdef REFUSED
  breaker.try_call([] { return 1; });
  return true;
#else
  return breaker.try_call([] { return 1; }).has_value();
#endif
}
