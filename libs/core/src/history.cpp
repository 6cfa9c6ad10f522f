// SPDX-License-Identifier: Apache-2.0
#include <switchgear/detail/history.hpp>

#include <algorithm>

namespace switchgear::inline v1::detail {

void history::add(const machine::transition& t, const std::string* text) {
  if (limit_ == 0) return;
  entry e{.at = t.at,
          .generation = t.generation,
          .from = static_cast<std::uint64_t>(t.from),
          .to = static_cast<std::uint64_t>(t.to),
          .why = static_cast<std::uint64_t>(t.trigger),
          .observed = static_cast<std::uint32_t>(t.observed),
          .limit = static_cast<std::uint32_t>(t.limit),
          .calls = static_cast<std::uint32_t>(t.calls),
          .failure_count = t.failure_count,
          .text = text == nullptr ? nullptr : std::make_unique<const std::string>(*text)};
  if (entries_.size() < limit_) {
    if (entries_.size() == entries_.capacity()) entries_.reserve(std::min<std::size_t>(limit_, 2 * entries_.size()));
    entries_.push_back(std::move(e));
    return;
  }
  entries_[oldest_] = std::move(e);
  oldest_ = (oldest_ + 1) % limit_;
}

void history::set_limit(std::uint32_t limit) {
  std::rotate(entries_.begin(), entries_.begin() + oldest_, entries_.end());
  oldest_ = 0;
  limit_ = limit;
  if (entries_.size() > limit) entries_.erase(entries_.begin(), entries_.end() - limit);
}

std::vector<history::item> history::list() const {
  std::vector<item> out;
  out.reserve(entries_.size());
  for (const entry& e : entries_) {
    out.push_back({{.from = static_cast<state>(e.from), .to = static_cast<state>(e.to),
                    .trigger = static_cast<machine::trigger>(e.why), .generation = e.generation, .at = e.at,
                    .failure_count = e.failure_count, .observed = e.observed, .limit = e.limit, .calls = e.calls},
                   e.text ? *e.text : std::string()});
  }
  // Two threads may add their transitions the other way round.
  std::stable_sort(out.begin(), out.end(),
                   [](const item& a, const item& b) { return a.change.generation < b.change.generation; });
  return out;
}

}  // namespace switchgear::inline v1::detail
