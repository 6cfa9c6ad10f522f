// SPDX-License-Identifier: Apache-2.0
// refused: (deleted function|call to (deleted|implicitly-deleted) (copy )?constructor)
#include <switchgear/circuit_breaker.hpp>

#include <utility>

// Two copies would settle one call twice.
void use(switchgear::circuit_breaker& breaker) {
  switchgear::permit permit = breaker.try_acquire();
#ifdef REFUSED
  switchgear::permit other = permit;
#else
  switchgear::permit other = std::move(permit);
#endif
  other.success();
}
