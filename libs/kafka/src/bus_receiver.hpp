// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <switchgear/detail/dispatcher.hpp>
#include <switchgear/kafka_bus.hpp>

#include "bus_link.hpp"
#include "reader.hpp"

#include <atomic>
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

namespace switchgear::inline v1::kafka {

/// The reading half of a kafka_bus: the thread that reads the topic and feeds the dispatcher.
///
/// Without a group: what the topic holds when the partitions are found is folded into the last state of each circuit, told
/// as present
/// states, and then the dispatcher knows all there is. What is behind that is told as it comes.
///
/// Thread safety: every function from any thread.
class bus_receiver {
 public:
  /// Throws config_error. `changed` is called when may_send() may have changed.
  bus_receiver(const kafka_bus_options& o, std::shared_ptr<detail::notice_board> notices,
               std::shared_ptr<detail::dispatcher> dispatcher, bus_link& link, std::function<void()> changed);
  ~bus_receiver() { close(); }

  void start();
  void ask_to_stop() noexcept;
  void close() noexcept;

  /// False while what is sent now might be taken for something of the past.
  [[nodiscard]] bool may_send() const noexcept { return may_send_.load(); }
  [[nodiscard]] std::uint64_t refused() const noexcept { return refused_.load(std::memory_order_relaxed); }

 private:
  /// A record that was understood: an event, or the end of a circuit.
  struct news {
    std::string key;
    std::optional<event> what;
  };

  /// Lets ask_to_stop() wake a reader, as long as there is one.
  class waker {
   public:
    waker(bus_receiver& of, std::function<void()> wake);
    waker(const waker&) = delete;
    waker& operator=(const waker&) = delete;
    ~waker();

   private:
    bus_receiver& of_;
  };

  void run();
  void read_all();
  void read_group();
  void looked(topic_reader& from, topic_reader::sight seen);
  void take(const rd_kafka_message_t& message, const topic_reader& from);
  void caught_up(std::int32_t partition);
  void complete_if_caught_up();
  void complete();
  [[nodiscard]] std::optional<news> understand(const rd_kafka_message_t& message);
  void fold(news n);
  void tell(news n);
  /// What turns out to be of the past only after complete().
  void tell_late(news n);
  void set_may_send() noexcept;

  const kafka_bus_options options_;
  const std::shared_ptr<detail::notice_board> notices_;
  const std::shared_ptr<detail::dispatcher> dispatcher_;
  bus_link& link_;
  const std::function<void()> changed_;
  std::atomic<bool> stop_{false}, may_send_{true};
  std::atomic<std::uint64_t> refused_{0};

  std::mutex mutex_;  ///< thread_ and wake_
  std::thread thread_;
  std::function<void()> wake_;

  // Of the thread:
  bool found_all_ = false;  ///< the partitions there were at the beginning are known
  bool complete_ = false;
  std::map<std::int32_t, std::int64_t> behind_;  ///< partitions whose past is still being read, and where it ends
  std::map<std::int32_t, std::int64_t> past_;    ///< where the past of each partition ended
  std::unordered_map<std::string, event> states_;
  std::vector<news> live_;  ///< came in while the past of another partition was read
  std::string last_error_;
};

}  // namespace switchgear::inline v1::kafka
