// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace effects_tests {

/// While it lives, this thread gets no memory any more: `operator new` throws std::bad_alloc.
class no_memory {
 public:
  no_memory() noexcept;
  no_memory(const no_memory&) = delete;
  no_memory& operator=(const no_memory&) = delete;
  ~no_memory();
};

}  // namespace effects_tests
