// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "redis_bus_scripts.hpp"

#include <switchgear/clock.hpp>
#include <switchgear/detail/dispatcher.hpp>
#include <switchgear/errors.hpp>
#include <switchgear/redis/connection.hpp>
#include <switchgear/redis_bus.hpp>

#include <atomic>
#include <chrono>
#include <functional>
#include <initializer_list>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace switchgear::inline v1::detail {

/// What the threads of one redis_bus share. A clock's timer may still hold it when the bus is gone.
struct redis_bus_shared {
  explicit redis_bus_shared(redis_bus_options o);

  const redis_bus_options options;
  clock& source;
  const std::string target;  ///< `redis.HOST:PORT/DATABASE`
  const redis_names names;
  const std::string process;  ///< event::source of events that say none
  circuit_breaker guard;
  const std::shared_ptr<notice_board> notices;
  const std::shared_ptr<dispatcher> receivers;
  std::atomic<std::uint64_t> sent{0}, dropped{0}, refused{0}, connections{0};

  /// As those who read the event will say it.
  [[nodiscard]] std::string key_of(const event& e) const {
    return e.instance.empty() && e.source.empty() ? circuit_key(e.service, process) : circuit_key(e);
  }

  /// An entry of the stream that the server had when it answered a heartbeat; whatever is not newer has left for its subscribers.
  [[nodiscard]] std::string position() const;
  void set_position(std::string entry);

 private:
  mutable std::mutex mutex_;
  std::string position_;
};

/// Wakes one thread, which waits here or for a connection.
class redis_waker : public std::enable_shared_from_this<redis_waker> {
 public:
  redis_waker();
  redis_waker(const redis_waker&) = delete;
  redis_waker& operator=(const redis_waker&) = delete;
  ~redis_waker();

  void wake() noexcept;  ///< any thread
  void forget() noexcept;  ///< that it was woken
  [[nodiscard]] int descriptor() const noexcept { return fd_; }
  /// Until wake() or for so long on the clock, if a time is given.
  void sleep(clock& source, std::optional<std::chrono::nanoseconds> at_most);

 private:
  const int fd_;
};

/// Says on the clock that it is time, once for each arm(); then `wake` is called by a thread of the clock.
class redis_pulse {
 public:
  redis_pulse(clock& source, std::chrono::nanoseconds period, std::function<void()> wake);
  redis_pulse(const redis_pulse&) = delete;
  redis_pulse& operator=(const redis_pulse&) = delete;
  ~redis_pulse();

  void arm();
  /// Whether it was time since the last arm(); arms it again.
  bool is_due();

 private:
  struct state {
    std::function<void()> wake;
    std::atomic<bool> due{false};
  };
  clock& source_;
  const std::chrono::nanoseconds period_;
  const std::shared_ptr<state> state_;
  clock::timer timer_ = 0;
  bool armed_ = false;
};

/// The bus is being closed. No evidence against the server.
class redis_interrupted : public cancelled_error {
 public:
  redis_interrupted() : cancelled_error("the bus is being closed") {}
};

/// A connection whose waits end when `stop` is set and the waker called. Throws redis_interrupted then.
class redis_link {
 public:
  redis_link(const redis::options& o, redis_waker& waker, const std::atomic<bool>& stop);

  void send(std::span<const std::string_view> words) { connection_.append(words); }
  void send(std::initializer_list<std::string_view> words) { connection_.append(words); }
  /// The next reply, also an error. Throws io_timeout.
  redis::reply receive();
  /// Throws server_error.
  redis::reply ask(std::span<const std::string_view> words);
  redis::reply ask(std::initializer_list<std::string_view> words) { return ask({words.begin(), words.size()}); }
  /// The next message; nothing after `at_most`, or when the waker was called.
  std::optional<redis::reply> poll(std::chrono::nanoseconds at_most);

 private:
  static redis::connection open(const redis::options& o, redis_waker& waker, const std::atomic<bool>& stop);

  redis_waker& waker_;
  const std::atomic<bool>& stop_;
  const std::chrono::nanoseconds timeout_;
  redis::connection connection_;
};

/// What is the same for both threads about a connection that comes and goes: waits, counters, notices.
class redis_reconnecting {
 public:
  redis_reconnecting(redis_bus_shared& shared, redis_waker& waker, std::string purpose)
      : shared_(shared), waker_(waker), purpose_(std::move(purpose)) {}

  void connected();
  /// The connection has done what it is for. A server that lets in and then refuses is asked less and less often.
  void works() noexcept;
  /// Tells why, unless that was the last that was told, and waits.
  void lost(const std::string& why);
  /// Waits until the guard might let the next attempt pass.
  void rejected(const circuit_open_error& why);
  void gone() noexcept { connected_.store(false, std::memory_order_relaxed); }

  /// Any thread.
  [[nodiscard]] bool is_connected() const noexcept { return connected_.load(std::memory_order_relaxed); }

 private:
  redis_bus_shared& shared_;
  redis_waker& waker_;
  const std::string purpose_;
  std::atomic<bool> connected_{false};
  std::string told_;
  int attempt_ = 0;
  std::chrono::nanoseconds previous_{0};
};

}  // namespace switchgear::inline v1::detail
