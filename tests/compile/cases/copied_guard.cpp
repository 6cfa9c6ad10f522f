// SPDX-License-Identifier: Apache-2.0
// refused: (deleted function|call to (deleted|implicitly-deleted) (copy )?constructor)
#include <switchgear/circuit_breaker.hpp>

#include <utility>

// Two guards would settle one call twice.
void use(switchgear::circuit_breaker& breaker) {
  auto guard = breaker.protect();
#ifdef REFUSED
  auto other = guard;
#else
  auto other = std::move(guard);
#endif
}
