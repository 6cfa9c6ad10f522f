// SPDX-License-Identifier: Apache-2.0
#include <switchgear/redis_bus.hpp>

#include "redis_bus_publisher.hpp"
#include "redis_bus_subscriber.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <mutex>
#include <utility>

namespace switchgear::inline v1 {

struct redis_bus::parts {
  explicit parts(redis_bus_options o)
      : shared(std::make_shared<detail::redis_bus_shared>(std::move(o))),
        publisher(shared, [this] { subscriber->nudge(); }),
        subscriber(std::make_shared<detail::redis_subscriber>(shared, [this] { publisher.nudge(); })) {
    // Subscriptions may outlive the bus.
    shared->receivers->on_change([weak = std::weak_ptr(subscriber)] {
      if (const auto self = weak.lock()) self->changed();
    });
  }

  const std::shared_ptr<detail::redis_bus_shared> shared;
  detail::redis_publisher publisher;
  const std::shared_ptr<detail::redis_subscriber> subscriber;
  std::atomic<bool> started{false};
  std::mutex closing;
  bool closed = false;
};

redis_bus::redis_bus(redis_bus_options options) : parts_(std::make_unique<parts>(std::move(options))) {}

redis_bus::~redis_bus() { close(); }

void redis_bus::start() {
  if (parts_->started.load(std::memory_order_acquire)) [[likely]] return;
  parts_->shared->receivers->start();
  parts_->publisher.start();
  parts_->subscriber->start();
  // Release: who sees it (above) finds the threads started.
  parts_->started.store(true, std::memory_order_release);
}

void redis_bus::close() noexcept {
  const std::lock_guard one_at_a_time(parts_->closing);
  if (std::exchange(parts_->closed, true)) return;
  parts_->publisher.close(parts_->shared->options.close_timeout);
  parts_->subscriber->close();
  parts_->shared->receivers->close();
}

void redis_bus::publish(const event& e) noexcept {
  try {
    start();
    if (!e.id.empty() && e.time != decltype(e.time)()) [[likely]] {
      parts_->publisher.publish(e);
    } else {
      parts_->publisher.publish(detail::completed(e));
    }
  } catch (...) {
    parts_->publisher.publish(e);  // no memory or no thread: it waits, or is counted as dropped
  }
}

void redis_bus::withdraw(std::string_view service, std::string_view instance) noexcept {
  try {
    event gone;
    gone.service = service;
    gone.instance = instance;
    parts_->publisher.withdraw(parts_->shared->key_of(gone));
  } catch (...) {
    // No memory: it stays known until the bus is closed.
  }
}

subscription redis_bus::subscribe(std::string_view pattern, handler h, subscribe_options how) {
  start();
  return parts_->shared->receivers->subscribe(pattern, std::move(h), how);
}

bool redis_bus::flush(std::chrono::nanoseconds limit) {
  start();
  // What is longer than anybody waits would overflow the clock.
  const auto until = std::chrono::steady_clock::now() +
                     std::clamp<std::chrono::nanoseconds>(limit, {}, std::chrono::hours(24 * 365));
  if (!parts_->publisher.flush(limit)) return false;
  return parts_->shared->receivers->flush(until - std::chrono::steady_clock::now());
}

bus_metrics redis_bus::metrics() const {
  bus_metrics m;
  const detail::redis_bus_shared& shared = *parts_->shared;
  shared.receivers->add_to(m);
  parts_->publisher.add_to(m);
  m.refused = shared.refused.load();
  m.connections = shared.connections.load();
  m.connected = parts_->publisher.is_connected() && parts_->subscriber->is_content();
  return m;
}

circuit_breaker& redis_bus::breaker() noexcept { return parts_->shared->guard; }

}  // namespace switchgear::inline v1
