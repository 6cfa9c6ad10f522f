// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <switchgear/detail/dispatcher.hpp>
#include <switchgear/kafka_bus.hpp>

#include "bus_link.hpp"
#include "producer.hpp"

#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <unordered_map>

namespace switchgear::inline v1::kafka {

/// The sending half of a kafka_bus: a queue, the thread that empties it, the breaker in between, and what came back.
///
/// Order: the records of one circuit go to one partition in the order in which they were handed over. One that failed is
/// handed over
/// again only while no newer one of its circuit was, so the last record of a circuit is always the truth.
///
/// Thread safety: every function from any thread.
class bus_sender final : public producer::owner {
 public:
  /// Throws config_error. `may_send`: whether the reading half is where it has to be before anything is sent.
  bus_sender(const kafka_bus_options& o, std::shared_ptr<detail::notice_board> notices, bus_link& link,
             std::function<bool()> may_send);
  ~bus_sender() { close(std::chrono::nanoseconds(0)); }

  void start();
  /// Sends what waits, drops what is left after `limit`.
  void close(std::chrono::nanoseconds limit) noexcept;
  void publish(const event& e) noexcept { queue_.push(e); }
  void withdraw(std::string key);
  bool flush(std::chrono::nanoseconds limit);
  void wake() noexcept { signal_->set(); }

  void add_to(bus_metrics& m) const;
  [[nodiscard]] circuit_breaker& breaker() noexcept { return breaker_; }

 private:
  using time = std::chrono::steady_clock;

  /// One record: what a circuit did or is, or that it is no more.
  struct item {
    std::string key;
    event what;
    std::uint64_t number = 0;  ///< in the order in which they were taken from the queue
    bool tombstone = false;
    permit allowed{};
    bus_sender* sender = nullptr;
  };

  /// Something may have changed. Shared with timers, which may outlive their cancellation by a little.
  struct signal {
    std::mutex mutex;
    std::condition_variable changed;
    bool is_set = false;
    void set() noexcept {
      {
        const std::lock_guard lock(mutex);
        is_set = true;
      }
      changed.notify_all();
    }
    void wait_until(time::time_point when) {
      std::unique_lock lock(mutex);
      changed.wait_until(lock, when, [this] { return is_set; });
      is_set = false;
    }
  };

  void run();
  void drain();
  void send_event(const event& e) noexcept;
  void send_again();
  /// Returns when librdkafka has it or it is dropped.
  void hand_over(std::unique_ptr<item> one) noexcept;
  void try_to_hand_over(std::unique_ptr<item>& one);
  [[nodiscard]] std::unique_ptr<item> new_item();
  /// 0, or why not; then `one` is still there.
  int give(std::unique_ptr<item>& one);
  void wait_for_permit(const rejection& why);
  void wait_at_most(std::chrono::nanoseconds limit);
  [[nodiscard]] bool giving_up() const;
  [[nodiscard]] bool has_room() const;
  [[nodiscard]] bool is_ready();
  void note_newest(const item& one);
  /// Whether a newer record of its circuit has been handed over.
  [[nodiscard]] bool is_outdated(const item& one) const;
  void come_back(std::unique_ptr<item> one, int code);
  void drop(const item& one, const char* why) noexcept;
  /// Its counter goes up in the same moment in which it is no longer waited for. Under the lock.
  void is_over(const item& one, std::uint64_t& counter) noexcept;

  void delivered(void* what, int code) noexcept override;
  void connection_changed(bool connected, const std::string& why) noexcept override { link_.sending(connected, why); }

  const kafka_bus_options options_;
  const std::shared_ptr<detail::notice_board> notices_;
  bus_link& link_;
  const std::function<bool()> may_send_;
  circuit_breaker breaker_;
  detail::event_queue queue_;
  const std::shared_ptr<signal> signal_ = std::make_shared<signal>();

  mutable std::mutex mutex_;
  std::condition_variable settled_;
  std::size_t under_way_ = 0;
  std::unordered_map<std::string, std::unique_ptr<item>> returned_;  ///< failed, to be sent again
  std::unordered_map<std::string, std::uint64_t> newest_;           ///< the sequence handed over last, of each circuit
  std::uint64_t sent_ = 0, dropped_ = 0;
  std::set<std::uint64_t> outstanding_;  ///< taken from the queue, neither sent nor dropped
  std::uint64_t last_number_ = 0;
  bool closed_ = false;
  time::time_point give_up_at_ = time::time_point::max();
  std::thread thread_;

  // Of the thread:
  std::unique_ptr<producer> producer_;
  std::string no_producer_;  ///< why there is none
};

}  // namespace switchgear::inline v1::kafka
