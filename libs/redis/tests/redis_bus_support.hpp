// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "redis_server.hpp"

#include <switchgear/errors.hpp>
#include <switchgear/redis/connection.hpp>
#include <switchgear/redis_bus.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <mutex>
#include <string>
#include <vector>

namespace test_support {

/// What a subscriber, or somebody who reads the notices, was told. Outlives the bus.
class ear {
 public:
  switchgear::event_bus::handler events() {
    return [this](std::string_view topic, const switchgear::event& e) {
      const std::lock_guard lock(mutex_);
      events_.push_back(e);
      topics_.emplace_back(topic);
    };
  }
  std::function<void(const switchgear::bus_notice&)> notices() {
    return [this](const switchgear::bus_notice& n) {
      const std::lock_guard lock(mutex_);
      notices_.push_back(n);
    };
  }

  [[nodiscard]] std::vector<switchgear::event> heard() const {
    const std::lock_guard lock(mutex_);
    return events_;
  }
  [[nodiscard]] std::vector<std::string> topics() const {
    const std::lock_guard lock(mutex_);
    return topics_;
  }
  [[nodiscard]] std::vector<switchgear::bus_notice> told() const {
    const std::lock_guard lock(mutex_);
    return notices_;
  }
  [[nodiscard]] std::size_t count() const { return heard().size(); }
  [[nodiscard]] std::size_t count(switchgear::bus_notice::kind what) const {
    const std::vector<switchgear::bus_notice> all = told();
    return static_cast<std::size_t>(std::count_if(all.begin(), all.end(), [&](const auto& n) { return n.what == what; }));
  }
  /// Of the last event about that circuit, 0 when there was none.
  [[nodiscard]] std::uint64_t last_sequence(std::string_view service) const {
    std::uint64_t last = 0;
    for (const switchgear::event& e : heard()) {
      if (e.service == service) last = e.sequence;
    }
    return last;
  }

 private:
  mutable std::mutex mutex_;
  std::vector<switchgear::event> events_;
  std::vector<std::string> topics_;
  std::vector<switchgear::bus_notice> notices_;
};

/// A transition as a breaker tells it: odd sequences open the circuit, even ones close it.
inline switchgear::event transition(std::string service, std::uint64_t sequence) {
  switchgear::event e;
  const bool opened = sequence % 2 == 1;
  e.kind = opened ? switchgear::event_kind::opened : switchgear::event_kind::closed;
  e.state = opened ? switchgear::state::open : switchgear::state::closed;
  e.previous_state = opened ? switchgear::state::closed : switchgear::state::open;
  e.service = std::move(service);
  e.reason = "a test";
  e.instance = "0123456789abcdef";
  e.generation = e.sequence = sequence;
  e.id = switchgear::make_uuid();
  e.time = std::chrono::system_clock::now();
  return e;
}

inline switchgear::event call(std::string service) {
  switchgear::event e = transition(std::move(service), 2);
  e.kind = switchgear::event_kind::failure;
  e.previous_state = e.state;
  return e;
}

/// Quick to notice and quick to come back.
inline switchgear::redis_bus_options quick(const redis_server& server) {
  using namespace std::chrono_literals;
  switchgear::redis_bus_options o;
  o.server.port = server.port();
  o.heartbeat = 100ms;
  o.lifetime = 60s;
  o.reconnect = switchgear::constant(20ms).with_equal_jitter();
  o.breaker = {.failure_threshold = 5, .open_duration = 100ms, .success_threshold = 1};
  return o;
}

inline switchgear::redis::connection client_of(const redis_server& server) {
  return switchgear::redis::connection::open({.port = server.port()});
}

inline bool connected(switchgear::redis_bus& bus) {
  bus.start();
  return eventually([&] { return bus.metrics().connected; });
}

/// Until the server has a subscriber more than `others` for that pattern.
inline bool listening(const redis_server& server, std::int64_t patterns) {
  return eventually([&] {
    try {
      return client_of(server).command({"PUBSUB", "NUMPAT"}).integer >= patterns;
    } catch (const switchgear::error&) {
      return false;
    }
  });
}

/// What the counters promise when nothing waits.
inline bool adds_up(const switchgear::bus_metrics& m) { return m.published == m.sent + m.dropped; }

}  // namespace test_support
