// SPDX-License-Identifier: Apache-2.0
#include <switchgear/detail/dispatcher.hpp>
#include <switchgear/errors.hpp>
#include <switchgear/local_bus.hpp>

#include <utility>

namespace switchgear::inline v1 {

local_bus::local_bus(event_bus_options options) {
  detail::check(options);
  auto notices = std::make_shared<detail::notice_board>(options.on_notice);
  dispatcher_ = std::make_shared<detail::dispatcher>(options, std::move(notices), true);
}

local_bus::~local_bus() { dispatcher_->close(); }

void local_bus::start() { dispatcher_->start(); }
void local_bus::close() noexcept { dispatcher_->close(); }

void local_bus::publish(const event& e) noexcept {
  try {
    dispatcher_->start();
  } catch (...) {
    // No thread to be had: it waits for the next who tries.
  }
  if (!e.id.empty() && e.time != decltype(e.time)()) [[likely]] {
    dispatcher_->deliver(e);
    return;
  }
  try {
    dispatcher_->deliver(detail::completed(e));
  } catch (...) {
    dispatcher_->deliver(e);  // no memory for an id; counts the drop if there is none for the event
  }
}

void local_bus::withdraw(std::string_view service, std::string_view instance) noexcept {
  try {
    dispatcher_->forget(detail::circuit_key(service, instance));
  } catch (...) {
    // No memory: it stays known, which costs little.
  }
}

subscription local_bus::subscribe(std::string_view pattern, handler h, subscribe_options how) {
  start();
  return dispatcher_->subscribe(pattern, std::move(h), how);
}

bool local_bus::flush(std::chrono::nanoseconds limit) {
  start();
  return dispatcher_->flush(limit);
}

bus_metrics local_bus::metrics() const {
  bus_metrics m;
  dispatcher_->add_to(m);
  m.published = m.received;
  m.sent = m.delivered + m.duplicates;
  m.dropped = m.undelivered;
  m.connected = true;
  return m;
}

event_bus& default_bus() {
  static local_bus shared;
  return shared;
}

}  // namespace switchgear::inline v1
