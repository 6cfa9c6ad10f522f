// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>

/// Counts what the global operator new is asked for. Linked into a test program, it replaces that operator; the thread sanitizer
/// keeps it for itself, so such programs stay out of its build.
namespace counted_new {

/// How often this thread has allocated.
[[nodiscard]] std::size_t allocations() noexcept;
/// How many bytes this thread has asked for.
[[nodiscard]] std::size_t bytes() noexcept;

/// How often `f` allocates on this thread.
template <class F>
[[nodiscard]] std::size_t allocations_of(F&& f) {
  const std::size_t before = allocations();
  f();
  return allocations() - before;
}

}  // namespace counted_new
