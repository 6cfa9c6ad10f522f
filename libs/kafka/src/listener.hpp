// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <switchgear/kafka_event_bus.hpp>

#include "reader.hpp"

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

namespace switchgear::inline v1::kafka {

/// One subscription of a kafka_event_bus: a consumer and the thread that reads it and calls the handler.
///
/// Thread safety: every function from any thread; destruction not from the handler.
class listener {
 public:
  struct counters {
    std::atomic<std::uint64_t> messages{0}, handler_errors{0};
  };
  struct settings {
    std::string topic;
    kafka_properties properties{}, users{}, fixed{};
    bool broadcast = false;
    std::chrono::nanoseconds refresh{}, close_limit{};
  };
  /// Throws config_error.
  listener(settings s, kafka_event_bus::handler h, std::shared_ptr<counters> count);
  ~listener() { stop(); }

  /// No handler is called afterwards. Waits for one that is running, unless this is called from it.
  void stop() noexcept;
  /// Lets it end, soon; stop() waits for that.
  void ask_to_stop() noexcept;
  [[nodiscard]] bool ready() const noexcept { return ready_.load(); }
  [[nodiscard]] bool stopped() const noexcept { return stop_.load(); }
  /// Whether the calling thread is the one of the handler.
  [[nodiscard]] bool is_here() const noexcept { return thread_id_.load() == std::this_thread::get_id(); }

 private:
  void read_group();
  void read_all();
  void tell(const rd_kafka_message_t& message) noexcept;

  const settings settings_;
  const kafka_event_bus::handler handler_;
  const std::shared_ptr<counters> counters_;
  std::unique_ptr<group_reader> group_;
  std::unique_ptr<topic_reader> all_;
  std::atomic<bool> stop_{false}, ready_{false};
  std::atomic<std::thread::id> thread_id_{};
  std::mutex joining_;
  std::thread thread_;
};

}  // namespace switchgear::inline v1::kafka
