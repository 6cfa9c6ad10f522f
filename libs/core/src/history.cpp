// SPDX-License-Identifier: Apache-2.0
#include <switchgear/detail/history.hpp>

#include <algorithm>

namespace switchgear::inline v1::detail {

void history::add(const machine::transition& t, std::shared_ptr<const std::string> text) {
  const std::lock_guard lock(mutex_);
  if (limit_ == 0) return;
  entry e{t.generation, t.at, static_cast<std::uint32_t>(t.observed), static_cast<std::uint32_t>(t.limit),
          static_cast<std::uint32_t>(t.calls), t.failure_count, t.from, t.to, t.trigger, std::move(text)};
  if (entries_.size() < limit_) {
    if (entries_.size() == entries_.capacity()) entries_.reserve(std::min<std::size_t>(limit_, 2 * entries_.size()));
    entries_.push_back(std::move(e));
    return;
  }
  entries_[oldest_] = std::move(e);
  oldest_ = (oldest_ + 1) % limit_;
}

void history::set_limit(std::uint32_t limit) {
  const std::lock_guard lock(mutex_);
  std::rotate(entries_.begin(), entries_.begin() + oldest_, entries_.end());
  oldest_ = 0;
  limit_ = limit;
  if (entries_.size() > limit) entries_.erase(entries_.begin(), entries_.end() - limit);
}

std::vector<history::item> history::list() const {
  std::vector<item> out;
  {
    const std::lock_guard lock(mutex_);
    out.reserve(entries_.size());
    for (const entry& e : entries_) {
      out.push_back({{.from = e.from, .to = e.to, .trigger = e.why, .generation = e.generation, .at = e.at,
                      .failure_count = e.failure_count, .observed = e.observed, .limit = e.limit, .calls = e.calls},
                     e.text});
    }
  }
  // Two threads may add their transitions the other way round.
  std::stable_sort(out.begin(), out.end(),
                   [](const item& a, const item& b) { return a.change.generation < b.change.generation; });
  return out;
}

std::shared_ptr<const std::string> history::text_of(std::uint64_t generation) const {
  const std::lock_guard lock(mutex_);
  for (const entry& e : entries_) {
    if (e.generation == generation) return e.text;
  }
  return nullptr;
}

}  // namespace switchgear::inline v1::detail
