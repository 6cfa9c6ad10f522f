// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <switchgear/circuit_breaker.hpp>
#include <switchgear/clock.hpp>
#include <switchgear/event_bus.hpp>
#include <switchgear/kafka_error.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace switchgear::inline v1 {

struct bus_url;

/// What a kafka_bus may be told.
struct kafka_bus_options {
  std::string brokers = "localhost:9092";  ///< `host[:port][,host[:port]…]`; any of them leads to the others
  std::string topic = "circuits";          ///< all events go there; best a compacted topic, whose past stays short
  /// Empty: every bus hears every event. Else each event goes to one bus of the group, and nobody is told present states of
  /// before: for workers that share the load of handling events.
  std::string group{};
  event_bus_options queues{};

  /// How many records may be on their way to the broker at a time; 1 … 100,000. Those that wait behind them are in the
  /// queue, where
  /// the last transition of each circuit is never lost.
  std::size_t most_under_way = 1000;
  /// After this long a record on its way has failed; 10 ms … 1 h. A transition that has failed is sent again, unless a newer
  /// one of
  /// its circuit was; of calls nobody needs to know so late.
  std::chrono::nanoseconds send_timeout = std::chrono::seconds(5);
  /// How long close() may take over what waits; 0 … 1 h.
  std::chrono::nanoseconds close_timeout = std::chrono::seconds(1);
  /// Of each partition at most this many records of the past are read for the present states; 1 … 2^40.
  std::int64_t most_history = 1'000'000;

  /// Guards sending: while it is open nothing is handed to librdkafka but a probe.
  config breaker = presets::omnibase_infra();
  /// Of the breaker; outlives the bus. Timeouts of records are librdkafka's, in real time.
  switchgear::clock* clock = nullptr;

  /// A lost broker is tried again after the first, at most after the second. At least 1 ms.
  std::chrono::nanoseconds reconnect_backoff = std::chrono::milliseconds(100);
  std::chrono::nanoseconds max_reconnect_backoff = std::chrono::seconds(5);
  /// How often new partitions are looked for; at least 10 ms.
  std::chrono::nanoseconds refresh_interval = std::chrono::seconds(30);
  /// How often the bus learns whether a broker is connected, when nothing is sent; at least 10 ms.
  std::chrono::nanoseconds health_interval = std::chrono::seconds(1);

  /// For librdkafka, over what this bus sets itself: security, compression, …
  kafka_properties client_options{};

  [[nodiscard]] std::vector<problem> validate() const;
};

/// `kafka://[USER:PASSWORD@]HOST[:PORT][,HOST[:PORT]…]/TOPIC[?group=NAME][&PROPERTY=VALUE…]`; keys with a dot are properties of
/// librdkafka (`security.protocol=ssl`). USER and PASSWORD are those of SASL PLAIN over TLS, unless properties say
/// otherwise. Throws
/// config_error, which shows neither user, password nor query.
[[nodiscard]] kafka_bus_options kafka_bus_options_of(const bus_url& url);

/// The bus between processes and hosts that share a Kafka topic.
///
///     sg::kafka_bus bus{{.brokers = "kafka-1:9092,kafka-2:9092", .topic = "circuits"}};
///     sg::registry circuits{{.bus = &bus}};
///
/// Each event is one record: the key names the circuit (so that its events stay in order), the value is CloudEvents JSON,
/// the headers
/// `content-type`, `correlation_id` and, for a present state, `switchgear-present`. withdraw() writes a tombstone. The
/// producer is
/// idempotent: while it lives, order and exactly-once hold.
///
/// Reading begins with the first subscription. What the topic holds then becomes the present states; what comes later is
/// told as it
/// comes, this bus's own events too. A subscription hears what is published after the bus has connected; metrics().connections
/// and the notice `connected` tell.
///
/// Thread safety: every function from any thread. What publishes must be done before the bus is destroyed; subscriptions may
/// outlive it.
class kafka_bus final : public event_bus {
 public:
  /// Throws config_error. Connects to nobody yet.
  explicit kafka_bus(kafka_bus_options options);
  ~kafka_bus() override;

  void start() override;
  /// Takes at most close_timeout over what waits to leave, and as long as the handlers take over what came in.
  void close() noexcept override;
  void publish(const event& e) noexcept override;
  void withdraw(std::string_view service, std::string_view instance) noexcept override;
  subscription subscribe(std::string_view pattern, handler h, subscribe_options how = {}) override;
  bool flush(std::chrono::nanoseconds limit) override;
  [[nodiscard]] bus_metrics metrics() const override;

  /// The guard of sending, `kafka.TOPIC`.
  [[nodiscard]] circuit_breaker& breaker() const noexcept;

 private:
  struct parts;
  std::unique_ptr<parts> parts_;
};

}  // namespace switchgear::inline v1
