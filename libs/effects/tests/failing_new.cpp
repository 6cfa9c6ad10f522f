// SPDX-License-Identifier: Apache-2.0
// Replaces the global allocation functions of this program.
#include "failing_new.hpp"

#include <cstdlib>
#include <new>

namespace {

thread_local bool refuses = false;

}  // namespace

effects_tests::no_memory::no_memory() noexcept { refuses = true; }
effects_tests::no_memory::~no_memory() { refuses = false; }

void* operator new(std::size_t n) {
  if (refuses) throw std::bad_alloc();
  if (void* p = std::malloc(n == 0 ? 1 : n)) return p;
  throw std::bad_alloc();
}
void operator delete(void* p) noexcept { std::free(p); }
void operator delete(void* p, std::size_t) noexcept { std::free(p); }
