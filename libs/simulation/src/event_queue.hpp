// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace switchgear::inline v1::simulation {

/// What is to happen at a moment of virtual time. Small, because there are millions.
template <class Kind>
struct event_at {
  std::int64_t time = 0;     ///< nanoseconds of virtual time
  std::uint64_t order = 0;   ///< of two events of one moment the one that was put in first comes first
  std::uint64_t detail = 0;  ///< the kind knows what it is
  std::uint32_t who = 0;
  Kind kind{};
};

/// A queue of events by time: a heap with four children a node, which is shallow and lies close together in memory.
template <class Kind>
class event_queue {
 public:
  using event = event_at<Kind>;

  void put(std::int64_t time, Kind kind, std::uint32_t who, std::uint64_t detail = 0) {
    heap_.push_back({time, ++last_, detail, who, kind});
    std::size_t at = heap_.size() - 1;
    const event moved = heap_[at];
    while (at > 0 && before(moved, heap_[(at - 1) / 4])) {
      heap_[at] = heap_[(at - 1) / 4];
      at = (at - 1) / 4;
    }
    heap_[at] = moved;
  }

  [[nodiscard]] bool empty() const noexcept { return heap_.empty(); }
  [[nodiscard]] std::size_t size() const noexcept { return heap_.size(); }
  /// Of a queue that is not empty.
  [[nodiscard]] const event& first() const noexcept { return heap_.front(); }

  /// Of a queue that is not empty.
  event take() {
    const event out = heap_.front();
    const event moved = heap_.back();
    heap_.pop_back();
    if (heap_.empty()) return out;
    std::size_t at = 0;
    for (;;) {
      std::size_t least = 4 * at + 1;
      if (least >= heap_.size()) break;
      const std::size_t end = least + 4 < heap_.size() ? least + 4 : heap_.size();
      for (std::size_t child = least + 1; child < end; ++child) {
        if (before(heap_[child], heap_[least])) least = child;
      }
      if (!before(heap_[least], moved)) break;
      heap_[at] = heap_[least];
      at = least;
    }
    heap_[at] = moved;
    return out;
  }

 private:
  static bool before(const event& a, const event& b) noexcept {
    return a.time != b.time ? a.time < b.time : a.order < b.order;
  }

  std::vector<event> heap_;
  std::uint64_t last_ = 0;
};

}  // namespace switchgear::inline v1::simulation
