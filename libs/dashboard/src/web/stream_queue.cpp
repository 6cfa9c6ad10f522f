// SPDX-License-Identifier: Apache-2.0
#include "stream_queue.hpp"

#include <algorithm>

namespace switchgear::inline v1::detail {

bool stream_queue::push(piece p) {
  if (!p || p->empty()) return true;
  const std::lock_guard lock(mutex_);
  if (ended_) return false;
  bool fits = waiting_.empty() || (bytes_ < limits_.bytes && p->size() <= limits_.bytes - bytes_ &&
                                   waiting_.size() < limits_.pieces);
  if (fits) {
    try {
      waiting_.push_back(std::move(p));
      bytes_ += waiting_.back()->size();
    } catch (...) {
      fits = false;  // no memory: better no stream than one with a gap in it
    }
  }
  if (!fits) {
    overflowed_ = ended_ = true;
    waiting_.clear();
  }
  if (!awake_ || !fits) {
    awake_ = true;
    try {
      wake_();
    } catch (...) {
      awake_ = false;  // no memory: the next piece tries again
    }
  }
  return fits;
}

std::vector<stream_queue::piece> stream_queue::take(std::size_t most) {
  const std::lock_guard lock(mutex_);
  const auto end = waiting_.begin() + static_cast<std::ptrdiff_t>(std::min(most, waiting_.size()));
  std::vector<piece> taken(std::make_move_iterator(waiting_.begin()), std::make_move_iterator(end));
  waiting_.erase(waiting_.begin(), end);
  for (const piece& p : taken) bytes_ -= p->size();
  awake_ = !taken.empty();
  return taken;
}

void stream_queue::end() noexcept {
  const std::lock_guard lock(mutex_);
  ended_ = true;
  waiting_.clear();
}

bool stream_queue::has_overflowed() const {
  const std::lock_guard lock(mutex_);
  return overflowed_;
}

}  // namespace switchgear::inline v1::detail
