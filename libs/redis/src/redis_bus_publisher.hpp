// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "redis_bus_link.hpp"

#include <switchgear/detail/event_queue.hpp>

#include <array>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

namespace switchgear::inline v1::detail {

/// The sending half of a redis_bus: a queue and the thread that empties it.
///
/// What the server has confirmed of each circuit is remembered, and told again whenever the server may have forgotten it: on
/// each new connection, and when a heartbeat finds less than there was. What was not confirmed is sent again on the next
/// connection; the scripts see to it that this changes nothing which had arrived. The order is kept: first what is remembered,
/// then what was not confirmed, then what waits.
///
/// Thread safety: every function from any thread; close() once.
class redis_publisher {
 public:
  /// `on_connected` is called on the thread of the publisher.
  redis_publisher(std::shared_ptr<redis_bus_shared> shared, std::function<void()> on_connected);
  redis_publisher(const redis_publisher&) = delete;
  redis_publisher& operator=(const redis_publisher&) = delete;
  ~redis_publisher() { close(std::chrono::nanoseconds(0)); }

  void start();
  /// Sends what waits, for at most so long; then leaves the fleet and ends the thread.
  void close(std::chrono::nanoseconds at_most) noexcept;

  void publish(const event& e) noexcept { outbox_->push(e); }
  void withdraw(std::string key);
  bool flush(std::chrono::nanoseconds limit) { return outbox_->flush(limit); }

  /// The server may be there: no reason to wait any longer.
  void nudge() noexcept { waker_->wake(); }

  [[nodiscard]] bool is_connected() const noexcept { return line_.is_connected(); }
  void add_to(bus_metrics& m) const;

 private:
  struct message {
    enum class kind : std::uint8_t { transition, call, present, withdrawal };
    kind is = kind::call;
    std::string key, sequence, json, channel;
  };
  struct told {
    std::string sequence, json;
  };

  void run();
  bool step();
  bool take();
  void connect();
  void remind();
  void say_alive();
  void send_pending();
  void send_some();
  void append(const message& m, std::array<bool, 3>& known_scripts);
  void confirmed(message& m);
  void leave();
  void give_up();
  [[nodiscard]] message message_of(const event& e) const;

  const std::shared_ptr<redis_bus_shared> shared_;
  const std::function<void()> on_connected_;
  const std::shared_ptr<event_queue> outbox_;
  const std::shared_ptr<redis_waker> waker_ = std::make_shared<redis_waker>();
  redis_reconnecting line_;
  std::atomic<bool> closing_{false}, stop_{false};
  std::atomic<std::size_t> withdrawals_{0};  ///< in the queue

  std::mutex mutex_;
  std::condition_variable ended_;
  bool has_ended_ = false;
  std::thread thread_;

  // Of the thread:
  redis_pulse pulse_;
  event_queue::batch batch_;
  bool more_ = true;    ///< the queue is not closed and empty
  bool taken_ = false;  ///< of what was taken something may not be dealt with
  std::vector<message> pending_;
  std::size_t next_ = 0;  ///< the first of pending_ that is not confirmed
  std::unordered_map<std::string, told> told_;
  std::optional<redis_link> link_;
  std::array<std::string, 3> hashes_;  ///< by which the server knows the scripts
};

}  // namespace switchgear::inline v1::detail
