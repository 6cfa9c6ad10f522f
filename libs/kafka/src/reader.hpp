// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "rd.hpp"

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <string>

namespace switchgear::inline v1::kafka {

/// Who waits for messages is woken when there is anything else to do.
inline constexpr std::chrono::nanoseconds longest_wait = std::chrono::minutes(1);

/// Reads every partition of one topic, for itself alone: no group, nothing committed.
///
/// Thread safety: one thread, but wake().
class topic_reader {
 public:
  /// Where a partition begins.
  enum class begin { first, last };

  /// What looking for partitions brought.
  enum class sight : std::uint8_t {
    all,          ///< every partition there is is being read
    no_topic,     ///< the broker knows no such topic now
    unreachable,  ///< no broker answered in time
    refused,      ///< a broker answered, with an error that will not pass by itself
  };

  struct partition {
    std::int64_t from = 0;  ///< the first offset to be read
    std::int64_t high = 0;  ///< the offset after the last one there was when it was found
  };

  /// Throws config_error.
  topic_reader(conf_pointer conf, const kafka_properties& users, const std::string& topic);
  ~topic_reader();

  /// Looks for partitions that are not read yet and begins to read them: from `where`, but at most `most` records back.
  /// Waits for the broker, at most `limit` for each of its answers.
  sight look(begin where, std::int64_t most, std::chrono::nanoseconds limit);

  /// The next message, error or end of a partition; nothing when there was none for `wait`.
  [[nodiscard]] message_pointer next(std::chrono::nanoseconds wait);
  void wake() noexcept { rd_kafka_queue_yield(queue_.get()); }

  [[nodiscard]] const std::map<std::int32_t, partition>& partitions() const noexcept { return partitions_; }
  [[nodiscard]] const std::string& error() const noexcept { return error_; }

 private:
  const kafka_properties users_;
  handle_pointer handle_;
  topic_pointer topic_;
  queue_pointer queue_;
  std::map<std::int32_t, partition> partitions_;
  std::string error_;
  int nudges_ = 0;  ///< how often librdkafka is still to be reminded of partitions that were just begun
};

/// Reads one topic as a member of a group. A record is committed after done().
///
/// Thread safety: one thread, but wake().
class group_reader {
 public:
  /// Throws config_error.
  group_reader(conf_pointer conf, const kafka_properties& users, const std::string& topic);
  group_reader(const group_reader&) = delete;
  group_reader& operator=(const group_reader&) = delete;
  ~group_reader();

  /// The next message or error; nothing when there was none for `wait`, or when ready() may have changed.
  [[nodiscard]] message_pointer next(std::chrono::nanoseconds wait);
  void wake() noexcept { rd_kafka_queue_yield(queue_.get()); }
  /// How long next() should wait: for ever if nothing has to be committed.
  [[nodiscard]] std::chrono::nanoseconds patience() const noexcept {
    return uncommitted_ ? std::chrono::nanoseconds(std::chrono::milliseconds(20)) : longest_wait;
  }
  /// This record and all before it in its partition have been dealt with.
  void done(const rd_kafka_message_t& message) noexcept;
  /// Whether the group has given this member its partitions.
  [[nodiscard]] bool ready() const noexcept { return ready_; }
  /// Commits what is done and leaves the group; gives up after `limit`.
  void close(std::chrono::nanoseconds limit) noexcept;

 private:
  void commit() noexcept;
  static void on_rebalance(rd_kafka_t* handle, rd_kafka_resp_err_t what, rd_kafka_topic_partition_list_t* partitions, void* self);

  handle_pointer handle_;
  queue_pointer queue_;
  bool ready_ = false;
  bool uncommitted_ = false;
};

/// What both kinds of reader have in common.
[[nodiscard]] kafka_properties reading_properties();

}  // namespace switchgear::inline v1::kafka
