// SPDX-License-Identifier: Apache-2.0
#include "observers.hpp"

#include "registered_breaker.hpp"

#include <algorithm>

namespace switchgear::inline v1::detail {

std::uint64_t observers::add(handler h, event_filter filter) {
  const std::lock_guard lock(mutex_);
  auto added = std::make_shared<observer>();
  added->call = std::move(h);
  added->filter = filter;
  all_.emplace_back(++last_, std::move(added));
  // Relaxed, also in bring_up_to_date: both sides pass through the registry's mutex after or before it.
  ever_.store(true, std::memory_order_relaxed);
  return last_;
}

void observers::remove(std::uint64_t number) {
  std::shared_ptr<observer> gone;
  {
    const std::lock_guard lock(mutex_);
    const auto found = std::find_if(all_.begin(), all_.end(), [number](const auto& one) { return one.first == number; });
    if (found == all_.end()) return;
    gone = std::move(found->second);
    all_.erase(found);
  }
  gone->gone.store(true);
  if (gone->thread.load() != std::this_thread::get_id()) const std::lock_guard wait(gone->running);
}

void observers::observer::hear(const event& e) {
  const std::lock_guard lock(running);
  if (gone.load()) return;
  thread.store(std::this_thread::get_id());
  try {
    call(e);
  } catch (...) {
    // As with the observers of one breaker: a handler that throws changes nothing.
  }
  thread.store(std::thread::id());
}

void observers::bring_up_to_date(registered_breaker& body) {
  if (!ever_.load(std::memory_order_relaxed)) return;
  registered_breaker::subscriptions gone;  // ended when the lock is no longer held
  const std::lock_guard lock(mutex_);
  if (!body.observable) return;
  if (!body.observed) body.observed = std::make_unique<registered_breaker::subscriptions>();
  auto& kept = *body.observed;
  for (auto& one : kept) {
    const bool wanted = std::any_of(all_.begin(), all_.end(), [&](const auto& w) { return w.first == one.first; });
    if (!wanted) gone.push_back(std::exchange(one, {}));
  }
  std::erase_if(kept, [](const auto& one) { return one.first == 0; });
  for (const auto& [number, who] : all_) {
    if (std::any_of(kept.begin(), kept.end(), [n = number](const auto& k) { return k.first == n; })) continue;
    kept.emplace_back(number, body.breaker.observe([w = who](const event& e) { w->hear(e); }, who->filter));
  }
}

bool observers::has_others(const registered_breaker& body) {
  if (breaker_access::observers(body.breaker) == 0) return false;
  const std::lock_guard lock(mutex_);
  // One of the registry's that is ending counts with the others for a moment.
  return breaker_access::observers(body.breaker) > (body.observed ? body.observed->size() : 0);
}

void observers::end(registered_breaker& body) noexcept {
  std::unique_ptr<registered_breaker::subscriptions> gone;
  const std::lock_guard lock(mutex_);
  body.observable = false;
  gone = std::move(body.observed);
}

}  // namespace switchgear::inline v1::detail
