// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "rd.hpp"

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace switchgear::inline v1::kafka {

/// What is handed to librdkafka; copied by it.
struct record {
  const char* topic = "";
  std::optional<std::string_view> key{}, value{};  ///< value empty: a tombstone
  std::vector<std::pair<std::string_view, std::string_view>> headers{};
};

/// A producer of librdkafka with the thread that serves it.
///
/// Thread safety: every function from any thread.
class producer {
 public:
  /// Called by the thread that serves the producer.
  class owner {
   public:
    /// The broker, or librdkafka in its place, has decided about the record that was sent with `what`; once for each.
    virtual void delivered(void* what, int code) noexcept = 0;
    /// Whether any broker is connected now has changed.
    virtual void connection_changed(bool connected, const std::string& why) noexcept = 0;

   protected:
    ~owner() = default;
  };

  /// Throws config_error. `users` for hiding what is secret.
  producer(conf_pointer conf, const kafka_properties& users, owner& told);
  producer(const producer&) = delete;
  producer& operator=(const producer&) = delete;
  /// Gives up what still waits: all of it is delivered() with an error before this returns.
  ~producer();

  /// 0, or why the record was not taken; then it is never delivered().
  [[nodiscard]] int send(const record& r, void* what) noexcept;

  /// How many records are not delivered() yet.
  [[nodiscard]] std::size_t queued() const noexcept { return waiting_.load(std::memory_order_relaxed); }
  [[nodiscard]] int brokers_up() const noexcept { return brokers_up_.load(std::memory_order_relaxed); }
  [[nodiscard]] bool connected() const noexcept { return connected_.load(std::memory_order_relaxed); }
  [[nodiscard]] std::string last_error() const;
  /// Whether a record for this topic waits in vain: the code of a refusal (no permission, wrong credentials, no such topic)
  /// that librdkafka itself does not tell of but goes on trying until the record times out; else 0. Asks the brokers and waits
  /// at most `limit` for them.
  [[nodiscard]] int refusal_of(const char* topic, std::chrono::nanoseconds limit) noexcept;
  /// It will never send anything again; only a new one does.
  [[nodiscard]] bool broken() const noexcept { return broken_.load(std::memory_order_relaxed); }

 private:
  struct answer {
    int code = 0;
    std::chrono::steady_clock::time_point at{};
  };

  void serve() noexcept;
  int look_up(const char* topic, std::chrono::nanoseconds limit);
  static void on_delivery(rd_kafka_t*, const rd_kafka_message_t* message, void* self);
  static void on_error(rd_kafka_t* handle, int code, const char* reason, void* self);
  static int on_statistics(rd_kafka_t*, char* json, std::size_t length, void* self);
  void note_error(int code, std::string text);
  void set_connected(bool now, const std::string& why) noexcept;

  const kafka_properties users_;
  owner& owner_;
  std::atomic<bool> stop_{false}, connected_{false}, broken_{false};
  std::atomic<int> brokers_up_{0};
  std::atomic<int> not_let_in_{0};  ///< why no broker lets us in
  std::atomic<std::size_t> waiting_{0};
  mutable std::mutex mutex_;
  std::string last_error_;
  std::map<std::string, answer, std::less<>> answers_;  ///< of brokers about topics, lately
  std::uint64_t deliveries_ = 0;                         ///< of the thread
  handle_pointer handle_;
  queue_pointer events_;
  std::thread thread_;
};

}  // namespace switchgear::inline v1::kafka
