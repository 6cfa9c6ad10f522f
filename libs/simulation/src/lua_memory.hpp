// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>
#include <utility>
#include <vector>

namespace switchgear::inline v1::simulation {

/// Memory for one Lua machine, in which each run of a script makes and drops some hundred small things: pieces of the same size
/// are kept for the next of that size. One thread at a time.
class lua_memory {
 public:
  lua_memory() = default;
  lua_memory(const lua_memory&) = delete;
  lua_memory& operator=(const lua_memory&) = delete;

  /// A lua_Alloc; `self` is a lua_memory.
  static void* serve(void* self, void* old, std::size_t old_size, std::size_t size) noexcept {
    auto& memory = *static_cast<lua_memory*>(self);
    if (old == nullptr) return size == 0 ? nullptr : memory.take(size);
    if (size != 0 && is_small(size) && is_small(old_size) && kind_of(size) == kind_of(old_size)) return old;
    if (size != 0 && !is_small(size) && !is_small(old_size)) return std::realloc(old, size);
    void* out = nullptr;
    if (size != 0) {
      out = memory.take(size);
      if (out == nullptr) return nullptr;
      std::memcpy(out, old, old_size < size ? old_size : size);
    }
    memory.give(old, old_size);
    return out;
  }

 private:
  static constexpr std::size_t grain = 16;
  static constexpr std::size_t most = 512;
  static constexpr std::size_t chunk = 64 * 1024;

  struct piece {
    piece* next;
  };

  static bool is_small(std::size_t size) noexcept { return size > 0 && size <= most; }
  static std::size_t kind_of(std::size_t size) noexcept { return (size - 1) / grain; }

  void* take(std::size_t size) noexcept {
    if (!is_small(size)) return std::malloc(size);
    piece*& first = free_[kind_of(size)];
    if (first != nullptr) return std::exchange(first, first->next);
    const std::size_t whole = (kind_of(size) + 1) * grain;
    if (left_ < whole) {
      chunks_.push_back(std::make_unique<std::byte[]>(chunk));
      at_ = chunks_.back().get();
      left_ = chunk;
    }
    left_ -= whole;
    return std::exchange(at_, at_ + whole);
  }

  void give(void* old, std::size_t size) noexcept {
    if (!is_small(size)) return std::free(old);
    piece*& first = free_[kind_of(size)];
    first = new (old) piece{first};
  }

  std::array<piece*, most / grain> free_{};
  std::vector<std::unique_ptr<std::byte[]>> chunks_;
  std::byte* at_ = nullptr;
  std::size_t left_ = 0;
};

}  // namespace switchgear::inline v1::simulation
