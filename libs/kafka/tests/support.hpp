// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <switchgear/kafka_bus.hpp>
#include <switchgear/kafka_event_bus.hpp>

#include "kafka_cluster.hpp"
#include "server_process.hpp"

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace kafka_test {

namespace sg = switchgear;
using namespace std::chrono_literals;
using test_support::eventually;
using test_support::kafka_cluster;

/// A bus that notices trouble soon, and does not repeat.
inline sg::kafka_event_bus::config quick(const std::string& brokers) {
  sg::kafka_event_bus::config c;
  c.bootstrap_servers = brokers;
  c.environment = "test";
  c.delivery_timeout = 20s;
  c.retry.max_attempts = 1;
  c.close_timeout = 5s;
  c.reconnect_backoff = 10ms;
  c.max_reconnect_backoff = 50ms;
  c.health_interval = 50ms;
  c.refresh_interval = 200ms;
  return c;
}

inline sg::kafka_bus_options quick_bus(const std::string& brokers, const std::string& topic) {
  sg::kafka_bus_options o;
  o.brokers = brokers;
  o.topic = topic;
  o.close_timeout = 5s;
  o.send_timeout = 20s;
  o.reconnect_backoff = 10ms;
  o.max_reconnect_backoff = 50ms;
  o.health_interval = 50ms;
  o.refresh_interval = 200ms;
  return o;
}

/// Of consumers in a group: notice soon that others come and go.
inline sg::kafka_properties quick_group() {
  return {{"session.timeout.ms", "3000"}, {"heartbeat.interval.ms", "100"}};
}

/// A transition number `sequence` of a circuit.
inline sg::event transition(const std::string& service, std::uint64_t sequence, sg::event_kind kind = sg::event_kind::opened) {
  sg::event e;
  e.kind = kind;
  e.service = service;
  e.instance = "instance-of-" + service;
  e.state = kind == sg::event_kind::opened ? sg::state::open : sg::state::closed;
  e.previous_state = kind == sg::event_kind::opened ? sg::state::closed : sg::state::open;
  e.sequence = e.generation = sequence;
  return e;
}

inline sg::event failure_of(const std::string& service) {
  sg::event e = transition(service, 0);
  e.kind = sg::event_kind::failure;
  e.state = e.previous_state = sg::state::closed;
  return e;
}

/// Keeps what a handler heard.
template <class T>
class heard {
 public:
  void add(T what) {
    const std::lock_guard lock(mutex_);
    all_.push_back(std::move(what));
  }
  [[nodiscard]] std::vector<T> all() const {
    const std::lock_guard lock(mutex_);
    return all_;
  }
  [[nodiscard]] std::size_t size() const { return all().size(); }

 private:
  mutable std::mutex mutex_;
  std::vector<T> all_;
};

/// `billing#3`, `billing#3 present`, `billing failure`.
inline std::string line(const sg::event& e) {
  if (!sg::is_transition(e.kind) && !e.present) return e.service + " " + std::string(to_string(e.kind));
  return e.service + "#" + std::to_string(e.sequence) + (e.present ? " present" : "");
}

}  // namespace kafka_test
