// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <switchgear/backoff.hpp>
#include <switchgear/bus_url.hpp>
#include <switchgear/circuit_breaker.hpp>
#include <switchgear/clock.hpp>
#include <switchgear/config.hpp>
#include <switchgear/event_bus.hpp>
#include <switchgear/redis/options.hpp>

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <vector>

namespace switchgear::inline v1 {

/// What a redis_bus may be told.
struct redis_bus_options {
  redis::options server{};

  /// Who talks to whom, on one server: letters, digits, dots, underscores and dashes, at most 64. Empty: channels are named
  /// exactly like the topics; else `FLEET:` stands before them. The keys are `switchgear:…` and `switchgear:FLEET:…`.
  std::string fleet{};

  /// About how many transitions the server keeps for those who lose their connection, 1 … 10,000,000; of more, they miss some.
  std::size_t stream_length = 10'000;

  /// How often the server is told that this process lives, and is asked whether it does; 1 ms … 1 h.
  std::chrono::nanoseconds heartbeat = std::chrono::seconds(5);

  /// What a process has told of its circuits is forgotten when it was silent for so long; at least twice the heartbeat, up to
  /// 24 h. With event_bus_options::keep_present, after that time if it is longer.
  std::chrono::nanoseconds lifetime = std::chrono::seconds(30);

  /// How long close() may take to send what waits, 0 … 1 h; of real time.
  std::chrono::nanoseconds close_timeout = std::chrono::seconds(1);

  /// How long to wait before connecting again.
  backoff reconnect = exponential(std::chrono::milliseconds(100)).up_to(std::chrono::seconds(10)).with_jitter();

  /// Of the breaker that guards the server, see redis_bus::breaker().
  config breaker{.failure_threshold = 5, .open_duration = std::chrono::seconds(10), .jitter = 0.5, .success_threshold = 1};

  event_bus_options queues{};

  /// Of heartbeats, the waits between connections and the breaker; outlives the bus. Null: steady_clock(). Limits of input and
  /// output are real time.
  switchgear::clock* clock = nullptr;

  [[nodiscard]] std::vector<problem> validate() const;
};

/// `redis://[USER:PASSWORD@]HOST[:PORT][/DATABASE][?fleet=NAME]`. Throws config_error.
[[nodiscard]] redis_bus_options redis_bus_options_of(const bus_url& url);

/// The bus over one Redis server, version 6.2 or newer.
///
///     sg::redis_bus bus{{.server = {.host = "redis.internal"}, .fleet = "shop"}};
///     sg::registry circuits{{.bus = &bus}};
///
/// Every event is a message of Pub/Sub whose channel is its topic and whose payload is the CloudEvents JSON: any client can hear
/// them (`PSUBSCRIBE circuit_breaker.*`). Transitions are kept in a stream as well and, per circuit, in a hash of the process,
/// by one script each, so that a member who was away hears what it missed and one who comes late hears how things are.
///
/// Whatever the server does (away, hung, emptied, refusing), no caller waits for it and no breaker behaves differently: events
/// wait in a bounded queue, the threads connect again with a jittered back-off, and what the server forgot is told again. A
/// transition is told to each subscriber at most once, an event of a call possibly twice when a connection broke in between.
///
/// Two threads (sending, receiving) and the one that calls the handlers; two connections. Thread safety: as event_bus has it.
class redis_bus final : public event_bus {
 public:
  /// Throws config_error. Connects in start().
  explicit redis_bus(redis_bus_options options);
  ~redis_bus() override;

  void start() override;
  /// Returns after about redis_bus_options::close_timeout, also when the server hangs (a handler that does not return is waited
  /// for, and the system's lookup of the server's name).
  void close() noexcept override;
  void publish(const event& e) noexcept override;
  void withdraw(std::string_view service, std::string_view instance) noexcept override;
  subscription subscribe(std::string_view pattern, handler h, subscribe_options how = {}) override;
  bool flush(std::chrono::nanoseconds limit) override;
  [[nodiscard]] bus_metrics metrics() const override;

  /// Guards connecting and sending; its probes are the attempts to connect again. Forced open, the bus sends nothing; what it
  /// hears on a connection that it has, it still hears.
  [[nodiscard]] circuit_breaker& breaker() noexcept;

 private:
  struct parts;
  std::unique_ptr<parts> parts_;
};

}  // namespace switchgear::inline v1
