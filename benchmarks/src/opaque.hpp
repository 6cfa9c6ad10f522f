// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace bench {

/// The guarded function: compiled apart, so that no call of it can be inlined or foreseen.
int opaque(int x) noexcept;

/// The same, but it always throws an int.
int opaque_failure(int x);

}  // namespace bench
