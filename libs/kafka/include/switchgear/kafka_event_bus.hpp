// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <switchgear/circuit_breaker.hpp>
#include <switchgear/clock.hpp>
#include <switchgear/config/environment.hpp>
#include <switchgear/kafka_error.hpp>
#include <switchgear/retry.hpp>
#include <switchgear/subscription.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace switchgear::inline v1 {

/// Names and values, in order; a name may come several times.
using kafka_headers = std::vector<std::pair<std::string, std::string>>;

/// A record that came in.
struct kafka_message {
  std::string topic;
  std::int32_t partition = 0;
  std::int64_t offset = 0;
  std::optional<std::string> key, value;  ///< nothing: the record has none
  kafka_headers headers;
  std::string correlation_id;  ///< of the header `correlation_id` or `x-correlation-id`; empty when there is none
  std::chrono::system_clock::time_point time;
};

/// Publishes records to Kafka and reads them, its calls guarded by a circuit breaker.
///
///     sg::kafka_event_bus bus{sg::kafka_event_bus::config::from_env()};
///     bus.publish("orders", key, value, {.correlation_id = id});
///
/// publish() waits until all in-sync replicas have the record. Repeating it after a timeout can write a record twice: readers
/// must be ready for that. The breaker is called `kafka.ENVIRONMENT`, like the target in errors; see kafka::judge for what
/// counts as a failure.
///
/// Thread safety: every function from any thread; construction and destruction alone, close() not from a handler.
class kafka_event_bus {
 public:
  /// What a kafka_event_bus may be told.
  struct config {
    /// `host[:port][,host[:port]…]`; any of them leads to the others.
    std::string bootstrap_servers = "localhost:9092";
    /// Names the target and the breaker: `kafka.local`.
    std::string environment = "local";
    /// The consumer group of subscribers that name none.
    std::string group = "switchgear";

    /// Failures in a row that open the circuit, and how long it then rejects. The other keys are those of
    /// presets::omnibase_infra().
    std::int64_t circuit_breaker_threshold = 5;
    std::chrono::nanoseconds circuit_breaker_reset_timeout = std::chrono::seconds(30);
    /// A breaker of the user's instead, from a registry for instance; it outlives the bus, and its classifier is rules().
    circuit_breaker* shared_breaker = nullptr;

    /// How long one attempt waits for the delivery report; 10 ms … 1 h. Afterwards the record may still arrive.
    std::chrono::nanoseconds delivery_timeout = std::chrono::seconds(10);
    /// Of the attempts of one publish(), within one call of the breaker. One attempt = never again.
    retry_options retry{};
    /// How long close() may take over what is under way; 0 … 1 h.
    std::chrono::nanoseconds close_timeout = std::chrono::seconds(1);

    /// A lost broker is tried again after the first, at most after the second. At least 1 ms.
    std::chrono::nanoseconds reconnect_backoff = std::chrono::milliseconds(100);
    std::chrono::nanoseconds max_reconnect_backoff = std::chrono::seconds(5);
    /// How often health() learns how many brokers are connected, and how often new partitions are looked for; at least 10 ms.
    std::chrono::nanoseconds health_interval = std::chrono::seconds(1);
    std::chrono::nanoseconds refresh_interval = std::chrono::seconds(30);

    /// For librdkafka, over what this bus sets itself: security, compression, …
    kafka_properties client_options{};

    /// Of the breaker and the waits between attempts; outlives the bus. Delivery timeouts are librdkafka's, in real time.
    switchgear::clock* clock = nullptr;

    /// Reads KAFKA_BOOTSTRAP_SERVERS, KAFKA_ENVIRONMENT, KAFKA_GROUP, KAFKA_CIRCUIT_BREAKER_THRESHOLD,
    /// KAFKA_CIRCUIT_BREAKER_RESET_TIMEOUT, KAFKA_DELIVERY_TIMEOUT, KAFKA_CLOSE_TIMEOUT (durations: `30`, `1.5m`, `500ms`),
    /// KAFKA_MAX_ATTEMPTS, KAFKA_SECURITY_PROTOCOL, KAFKA_SASL_MECHANISM, KAFKA_SASL_USERNAME, KAFKA_SASL_PASSWORD and
    /// KAFKA_SSL_CA_LOCATION. Throws config_error that names each variable that is empty or cannot be read, and shows no
    /// value. A
    /// KAFKA_CIRCUIT_BREAKER_… that is not among them is an error too; other KAFKA_… variables are other programs'.
    static config from_env();
    static config from_env(const variables& environment);

    /// Every problem at once.
    [[nodiscard]] std::vector<problem> validate() const;
  };

  /// What one publish() may be told.
  struct message_options {
    /// Empty: that of the header `correlation_id` or `x-correlation-id`, or else a fresh UUID v4. Sent as header
    /// `correlation_id`.
    std::string correlation_id{};
    kafka_headers headers{};  ///< at most 32
    std::stop_token stop{};   ///< the caller gives up: cancelled_error, no evidence; the record may still arrive
  };

  /// How somebody subscribes.
  struct listen_options {
    /// Each record goes to one member of the group, at least once: its offset is committed after the handler. Empty:
    /// config::group.
    std::string group{};
    /// No group: every listener hears every record that is written after it is ready (see health_report).
    bool broadcast = false;
    /// Where a group that never committed anything begins: with the first record there is, or with the next one.
    bool from_beginning = true;
  };

  /// How the bus is now.
  struct health_report {
    bool started = false;
    bool healthy = false;             ///< a broker is connected and the circuit admits calls
    int brokers_connected = 0;        ///< as of the last health_interval
    switchgear::state circuit = switchgear::state::closed;
    std::size_t queued_messages = 0;  ///< that wait for their delivery report
    std::string last_error;           ///< `_TRANSPORT: …`; empty: there was none; never with credentials
    std::size_t listeners = 0;        ///< subscriptions
    std::size_t listeners_ready = 0;  ///< of those, that have been given partitions
    std::uint64_t messages = 0;       ///< put before handlers
    std::uint64_t handler_errors = 0;
  };

  using handler = std::function<void(const kafka_message&)>;

  /// Throws config_error. Connects to nobody yet.
  explicit kafka_event_bus(config c);
  /// With the configuration of the environment.
  [[nodiscard]] static std::unique_ptr<kafka_event_bus> make_default();
  kafka_event_bus(const kafka_event_bus&) = delete;
  kafka_event_bus& operator=(const kafka_event_bus&) = delete;
  ~kafka_event_bus();

  /// Starts connecting; returns at once. publish() and subscribe() do it too. Again after close(): a new start.
  void start();
  /// Ends the subscriptions and waits at most close_timeout for records that are under way. Calls of publish() that still
  /// wait fail.
  void close() noexcept;

  /// Writes one record. Without key it goes to any partition; without value it is a tombstone.
  ///
  /// Throws circuit_open_error · refused_error (see kafka::judge; its code is the name of the error) · cancelled_error ·
  /// connection_error with the kafka_error nested · config_error when librdkafka refuses the client_options. All but the
  /// last two carry
  /// transport `kafka`, operation `publish`, the target and the correlation id where their types have them.
  void publish(std::string_view topic, std::optional<std::string_view> key, std::optional<std::string_view> value,
               const message_options& options);
  void publish(std::string_view topic, std::optional<std::string_view> key, std::optional<std::string_view> value);

  /// Calls `h` for the records of a topic, on a thread of this subscription, one at a time. One that throws is counted, and the
  /// record counts as handled. Throws config_error. The topic need not exist yet.
  subscription subscribe(std::string_view topic, handler h, const listen_options& how);
  subscription subscribe(std::string_view topic, handler h);

  [[nodiscard]] health_report health() const;
  [[nodiscard]] circuit_breaker& breaker() const noexcept;

  /// What is evidence against the brokers: for a shared_breaker.
  [[nodiscard]] static classifier rules();

 private:
  struct parts;
  std::unique_ptr<parts> parts_;
};

}  // namespace switchgear::inline v1
