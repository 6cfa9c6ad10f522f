// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "redis_bus_link.hpp"

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <unordered_set>

namespace switchgear::inline v1::detail {

/// The receiving half of a redis_bus: a thread that listens to the channels somebody wants to hear of, and hands what it hears
/// to the dispatcher.
///
/// When it begins to listen, it first has the server's word that it will hear everything from now on; what comes stays in the
/// connection. Then, over a second connection, it reads what the stream has since the last entry that it knows it has heard, and
/// the hashes of all members. Between reading a part of a hash and delivering it, it reads the stream on, so no transition that
/// happened after the server's word is ever delivered behind a state that has it in it. What was heard twice is dropped by
/// the dispatcher, by its sequence.
///
/// Thread safety: every function from any thread; close() once.
class redis_subscriber {
 public:
  redis_subscriber(std::shared_ptr<redis_bus_shared> shared, std::function<void()> on_connected);
  redis_subscriber(const redis_subscriber&) = delete;
  redis_subscriber& operator=(const redis_subscriber&) = delete;
  ~redis_subscriber() { close(); }

  void start();
  void close() noexcept;

  /// Somebody has subscribed, or ended that.
  void changed() noexcept;
  /// The server may be there: no reason to wait any longer.
  void nudge() noexcept { waker_->wake(); }

  /// Connected, or not in need of it.
  [[nodiscard]] bool is_content() const noexcept { return line_.is_connected() || !shared_->receivers->has_subscribers(); }

 private:
  /// What is listened to, as bits.
  using wishes = unsigned;
  static constexpr wishes state = 1, call = 2, present = 4;

  void run();
  void step();
  void listen();
  void follow();
  [[nodiscard]] wishes wanted() const;
  void catch_up(bool with_present);
  void replay(redis_link& from);
  void tell_present(redis_link& from);
  void forget_the_lost();
  void ping();
  void await_answer();
  [[nodiscard]] bool is_overdue() const;
  void take(const redis::reply& message);
  void take_event(std::string_view channel, std::string_view payload);
  void take_withdrawal(std::string_view key);
  bool deliver(std::string_view json, bool present, std::string_view topic = {});
  void refuse(const std::string& why);
  void tell_refused();

  const std::shared_ptr<redis_bus_shared> shared_;
  const std::function<void()> on_connected_;
  const std::shared_ptr<redis_waker> waker_ = std::make_shared<redis_waker>();
  redis_reconnecting line_;
  std::atomic<bool> stop_{false}, changed_{false};
  std::mutex mutex_;
  std::thread thread_;

  // Of the thread:
  redis_pulse pulse_;
  std::optional<redis_link> link_;
  wishes followed_ = 0;  ///< on this connection
  wishes kept_ = 0;      ///< once wanted, always followed: what is not listened to cannot be kept complete
  std::string position_;   ///< up to this entry of the stream everything has been heard
  std::string candidate_;  ///< so will this one when the answer to the ping is there
  std::unordered_set<std::string> heard_of_;  ///< circuits, while present states are followed
  /// When, on the clock, every member that lives has told a server again which may have lost what it knew.
  std::optional<std::chrono::nanoseconds> retold_at_;
  std::optional<std::chrono::steady_clock::time_point> pong_until_;
  std::uint64_t refused_untold_ = 0;
  std::string refused_why_;
  std::optional<std::chrono::nanoseconds> refused_told_;  ///< when, on the clock
};

}  // namespace switchgear::inline v1::detail
