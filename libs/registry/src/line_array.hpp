// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <new>
#include <type_traits>

#ifdef __linux__
#include <sys/mman.h>
#endif

namespace switchgear::inline v1::detail {

/// Memory for `count` objects that fill cache lines. A large array is offered huge pages: a lookup among a million names would
/// otherwise wait for the page tables too. Who uses it makes the objects, and they need no destruction.
template <class T>
class line_array {
  static_assert(std::is_trivially_destructible_v<T>);

 public:
  explicit line_array(std::size_t count)
      : count_(count), memory_(static_cast<T*>(::operator new(count * sizeof(T), std::align_val_t(alignment())))) {
#ifdef __linux__
    // Only an offer: what comes of it is of no consequence but speed.
    if (is_large()) (void)madvise(memory_, count * sizeof(T), MADV_HUGEPAGE);
#endif
  }
  line_array(const line_array&) = delete;
  line_array& operator=(const line_array&) = delete;
  ~line_array() { ::operator delete(memory_, std::align_val_t(alignment())); }

  [[nodiscard]] T* data() const noexcept { return memory_; }
  [[nodiscard]] std::size_t size() const noexcept { return count_; }

 private:
  static constexpr std::size_t huge_page = std::size_t{1} << 21;
  [[nodiscard]] bool is_large() const noexcept { return count_ * sizeof(T) >= huge_page; }
  [[nodiscard]] std::size_t alignment() const noexcept { return is_large() ? huge_page : 64; }

  std::size_t count_;
  T* memory_;
};

}  // namespace switchgear::inline v1::detail
