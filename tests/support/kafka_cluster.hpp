// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace test_support {

/// Kafka brokers for a test: librdkafka's mock cluster, which speaks the protocol over real sockets on loopback ports of
/// its own, or, where the environment variable KAFKA_BOOTSTRAP names one, a real cluster that makes topics when they are first
/// written to.
class kafka_cluster {
 public:
  explicit kafka_cluster(int brokers = 1);
  kafka_cluster(const kafka_cluster&) = delete;
  kafka_cluster& operator=(const kafka_cluster&) = delete;
  ~kafka_cluster();

  /// Whether it is a real one, in which nothing can be broken on purpose.
  [[nodiscard]] bool real() const noexcept;
  [[nodiscard]] std::string brokers() const;

  /// A name that no other test uses; of a mock cluster, the topic exists, with so many partitions.
  [[nodiscard]] std::string new_topic(int partitions = 2);
  /// Only a name.
  [[nodiscard]] std::string unused_name();

  // Of a mock cluster only:
  void down(int broker = 1);
  void up(int broker = 1);
  void set_round_trip(std::chrono::milliseconds d, int broker = 1);
  /// The next requests with this number (0 = produce, 3 = metadata, …) are answered with these errors.
  void fail_next(int request, const std::vector<int>& errors);
  /// Every request about the topic is answered with this error; 0 ends it.
  void set_topic_error(const std::string& topic, int error);

  struct header {
    std::string name, value;
  };
  struct record {
    std::optional<std::string> key{}, value{};
    std::vector<header> headers{};
    [[nodiscard]] std::string header_value(const std::string& name) const;
  };
  /// All records of a topic, once there are at least `count`; those that there are after `limit`.
  [[nodiscard]] std::vector<record> read(const std::string& topic, std::size_t count,
                                         std::chrono::seconds limit = std::chrono::seconds(20)) const;
  /// Writes a record, past everything that is tested.
  void write(const std::string& topic, const record& r) const;

 private:
  struct parts;
  std::unique_ptr<parts> parts_;
};

}  // namespace test_support
