// SPDX-License-Identifier: Apache-2.0
#include "record_store.hpp"

#include <new>

namespace switchgear::inline v1::detail {

breaker_record& record_store::take() {
  if (!free_.empty()) {
    const std::uint32_t index = free_.back();
    free_.pop_back();
    return at(index);
  }
  const std::uint32_t index = count_.load(std::memory_order_relaxed);  // written under the same exclusion
  const place p = place_of(index);
  if (p.slab == memory_.size()) {
    auto fresh = std::make_unique<line_array<breaker_record>>(first_slab << p.slab);
    memory_.reserve(p.slab + 1);
    free_.reserve(2 * (first_slab << p.slab));
    slabs_[p.slab].store(fresh->data(), std::memory_order_relaxed);
    memory_.push_back(std::move(fresh));
  }
  breaker_record* const record = new (memory_[p.slab]->data() + p.number) breaker_record;
  record->index = index;
  // Release: who sees the new count finds the slab, and the record in it.
  count_.store(index + 1, std::memory_order_release);
  return *record;
}

}  // namespace switchgear::inline v1::detail
