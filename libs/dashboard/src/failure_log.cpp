// SPDX-License-Identifier: Apache-2.0
#include "failure_log.hpp"

#include "circuit_row.hpp"

#include <switchgear/detail/event_queue.hpp>

#include <iterator>
#include <utility>

namespace switchgear::inline v1::detail {

void failure_log::add(const event& e) {
  if (e.kind != event_kind::failure && e.kind != event_kind::probe_expired) return;
  recent_failure failure{e.time, e.kind, kept_text(e.reason), kept_text(e.correlation_id)};
  if (failure.text.empty() && e.kind == event_kind::probe_expired) failure.text = "a probe gave no verdict in time";
  const std::lock_guard lock(mutex_);
  std::string key = circuit_key(e.service, instance_of(e));
  auto& own = circuits_[key];
  own.emplace_back();
  try {
    all_.push_back({std::move(key), std::move(failure)});
  } catch (...) {  // no memory: whatever is in one of the two is in the other
    own.pop_back();
    throw;
  }
  own.back() = std::prev(all_.end());
  if (own.size() > most_of_one_) {
    all_.erase(own.front());
    own.pop_front();
  }
  if (all_.size() > most_of_all_) {
    const auto oldest = circuits_.find(all_.front().circuit);
    oldest->second.pop_front();  // of one circuit the order is the same
    if (oldest->second.empty()) circuits_.erase(oldest);
    all_.pop_front();
  }
}

void failure_log::forget(std::string_view name, std::string_view instance) {
  const std::lock_guard lock(mutex_);
  const auto found = circuits_.find(circuit_key(name, instance));
  if (found == circuits_.end()) return;
  for (const auto& one : found->second) all_.erase(one);
  circuits_.erase(found);
}

std::vector<recent_failure> failure_log::of(std::string_view name, std::string_view instance) const {
  std::vector<recent_failure> out;
  const std::lock_guard lock(mutex_);
  const auto found = circuits_.find(circuit_key(name, instance));
  if (found == circuits_.end()) return out;
  out.reserve(found->second.size());
  for (auto one = found->second.rbegin(); one != found->second.rend(); ++one) out.push_back((*one)->failure);
  return out;
}

std::size_t failure_log::size() const {
  const std::lock_guard lock(mutex_);
  return all_.size();
}

}  // namespace switchgear::inline v1::detail
