// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdlib>
#include <iostream>
#include <source_location>

/// Ends an example with exit status 1 when something is not as it says. A program of yours has tests instead.
inline void expect(bool holds, std::source_location where = std::source_location::current()) {
  if (holds) return;
  std::cerr << where.file_name() << ":" << where.line() << ": not as expected\n";
  std::exit(1);
}
