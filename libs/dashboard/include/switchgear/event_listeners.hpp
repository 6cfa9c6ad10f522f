// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <switchgear/event.hpp>
#include <switchgear/subscription.hpp>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <utility>

namespace switchgear::inline v1 {

/// Those whom a circuit_source tells of events: what circuit_source::observe() needs.
///
/// Thread safety: every function from any thread. A handler runs under a lock of its listeners, one at a time: it must neither
/// end a subscription nor add one. What it throws is dropped, and the others are told all the same. When a subscription has
/// ended, its handler is not running and not called again.
class event_listeners {
 public:
  [[nodiscard]] subscription add(std::function<void(const event&)> handler) {
    const auto to = inside_;
    const std::lock_guard lock(to->mutex);
    const std::uint64_t number = ++to->last;
    to->handlers.emplace(number, std::move(handler));
    return subscription([to, number] {
      const std::lock_guard hold(to->mutex);
      to->handlers.erase(number);
    });
  }

  void tell(const event& e) const {
    const std::lock_guard lock(inside_->mutex);
    for (const auto& [number, handler] : inside_->handlers) {
      try {
        handler(e);
      } catch (...) {
        // Whoever tells has the others to think of.
      }
    }
  }

 private:
  struct inside {
    std::mutex mutex;
    std::uint64_t last = 0;
    std::map<std::uint64_t, std::function<void(const event&)>> handlers;
  };
  const std::shared_ptr<inside> inside_ = std::make_shared<inside>();  ///< subscriptions may outlive the source
};

}  // namespace switchgear::inline v1
