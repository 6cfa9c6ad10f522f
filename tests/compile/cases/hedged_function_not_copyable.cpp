// SPDX-License-Identifier: Apache-2.0
// refused: so it and its arguments have to be copyable
#include <switchgear/hedge.hpp>

#include <memory>

namespace sg = switchgear;

// Each attempt has a copy of the function.
int use(const sg::hedge& hedge) {
#ifdef REFUSED
  return hedge.call([held = std::make_unique<int>(2)] { return *held; });
#else
  return hedge.call([held = std::make_shared<int>(2)] { return *held; });
#endif
}
