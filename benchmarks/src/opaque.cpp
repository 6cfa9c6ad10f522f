// SPDX-License-Identifier: Apache-2.0
#include "opaque.hpp"

namespace bench {

int opaque(int x) noexcept { return x + 1; }
int opaque_failure(int x) { throw x; }

}  // namespace bench
