// SPDX-License-Identifier: Apache-2.0
// refused: (unused-result|unused-value|nodiscard)
#include <switchgear/circuit_breaker.hpp>

// A subscription ends with its object; without a name it would never see an event.
void use(switchgear::circuit_breaker& breaker) {
#ifdef REFUSED
  breaker.observe([](const switchgear::event&) {});
#else
  auto subscription = breaker.observe([](const switchgear::event&) {});
#endif
}
