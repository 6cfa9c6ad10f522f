// SPDX-License-Identifier: Apache-2.0
#include <switchgear/kafka_bus.hpp>

#include "bus_receiver.hpp"
#include "bus_sender.hpp"

#include <algorithm>
#include <atomic>

namespace switchgear::inline v1 {
namespace {

kafka_bus_options checked(kafka_bus_options o) {
  detail::check(o.queues);
  if (auto problems = o.validate(); !problems.empty()) throw config_error(std::move(problems));
  return o;
}

}  // namespace

struct kafka_bus::parts {
  explicit parts(kafka_bus_options o)
      : options(checked(std::move(o))),
        notices(std::make_shared<detail::notice_board>(options.queues.on_notice)),
        link(notices),
        dispatcher(std::make_shared<detail::dispatcher>(options.queues, notices, false)),
        receiver(options, notices, dispatcher, link, [this] { sender.wake(); }),
        sender(options, notices, link, [this] { return receiver.may_send(); }) {}

  const kafka_bus_options options;
  const std::shared_ptr<detail::notice_board> notices;
  kafka::bus_link link;
  const std::shared_ptr<detail::dispatcher> dispatcher;
  // Each knows the other, but only while its thread runs, and the threads end in close().
  kafka::bus_receiver receiver;
  kafka::bus_sender sender;
  std::atomic<bool> started{false};
};

kafka_bus::kafka_bus(kafka_bus_options options) : parts_(std::make_unique<parts>(std::move(options))) {}
kafka_bus::~kafka_bus() { close(); }

void kafka_bus::start() {
  if (parts_->started.load(std::memory_order_acquire)) return;  // pairs with the release below
  parts_->dispatcher->start();
  parts_->sender.start();
  parts_->started.store(true, std::memory_order_release);
}

void kafka_bus::close() noexcept {
  parts_->receiver.ask_to_stop();
  parts_->sender.close(parts_->options.close_timeout);
  parts_->receiver.close();
  parts_->dispatcher->close();
}

void kafka_bus::publish(const event& e) noexcept {
  try {
    start();
    if (e.id.empty() || e.time == decltype(e.time)()) {
      parts_->sender.publish(detail::completed(e));
      return;
    }
  } catch (...) {
    // No memory or no thread: it waits, or its drop is counted.
  }
  parts_->sender.publish(e);
}

void kafka_bus::withdraw(std::string_view service, std::string_view instance) noexcept {
  try {
    start();
    std::string key = detail::circuit_key(service, instance);
    parts_->sender.withdraw(std::move(key));
  } catch (...) {
    // No memory: it stays known, which costs little.
  }
}

subscription kafka_bus::subscribe(std::string_view pattern, handler h, subscribe_options how) {
  start();
  // Before the reading begins, so that it misses nothing of what is told from then on.
  subscription heard = parts_->dispatcher->subscribe(pattern, std::move(h), how);
  parts_->receiver.start();
  return heard;
}

bool kafka_bus::flush(std::chrono::nanoseconds limit) {
  const std::chrono::nanoseconds most = std::min<std::chrono::nanoseconds>(limit, std::chrono::hours(24));
  const auto until = std::chrono::steady_clock::now() + most;
  start();
  if (!parts_->sender.flush(most)) return false;
  const std::chrono::nanoseconds left = until - std::chrono::steady_clock::now();
  return parts_->dispatcher->flush(std::max(left, std::chrono::nanoseconds(0)));
}

bus_metrics kafka_bus::metrics() const {
  bus_metrics m;
  parts_->dispatcher->add_to(m);
  m.refused = parts_->receiver.refused();
  parts_->sender.add_to(m);
  parts_->link.add_to(m);
  return m;
}

circuit_breaker& kafka_bus::breaker() const noexcept { return parts_->sender.breaker(); }

}  // namespace switchgear::inline v1
