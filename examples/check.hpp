// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdlib>
#include <iostream>

/// Ends an example with exit status 1 when something is not as it says. A program of yours has tests instead.
/// (The built-ins are what std::source_location is made of, which clang 14 does not have yet.)
inline void expect(bool holds, const char* file = __builtin_FILE(), int line = __builtin_LINE()) {
  if (holds) return;
  std::cerr << file << ":" << line << ": not as expected\n";
  std::exit(1);
}
