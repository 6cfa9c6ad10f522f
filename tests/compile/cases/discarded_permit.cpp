// SPDX-License-Identifier: Apache-2.0
// refused: (unused-result|nodiscard)
#include <switchgear/circuit_breaker.hpp>

// A permit that is thrown away at once is abandoned: the call that follows would be unprotected.
void use(switchgear::circuit_breaker& breaker) {
#ifdef REFUSED
  breaker.try_acquire();
#else
  switchgear::permit permit = breaker.try_acquire();
  permit.success();
#endif
}
