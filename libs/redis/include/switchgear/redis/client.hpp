// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <switchgear/adapter.hpp>
#include <switchgear/redis/connection.hpp>
#include <switchgear/redis/options.hpp>
#include <switchgear/redis/reply.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace switchgear::inline v1::redis {

/// What is evidence against a Redis server, for breakers that guard it by a call() of their own. redis::client has them.
///
/// | what happened                                                                  | verdict |
/// |--------------------------------------------------------------------------------|---------|
/// | io_timeout                                                                     | timeout |
/// | io_error: refused, reset, closed, host not found, not the protocol of Redis    | failure |
/// | `LOADING` reads its data set · `BUSY` runs a script that does not end          | failure |
/// | `MASTERDOWN` a replica without its master · `READONLY` a replica asked to write | failure |
/// | `CLUSTERDOWN`, `TRYAGAIN` a cluster that cannot serve the key now              | failure |
/// | `OOM` memory is full · `MISCONF` the disk is · `NOREPLICAS` too few to write   | failure |
/// | `UNBLOCKED` turned into a replica meanwhile · `IOERR` to another server        | failure |
/// | `ERR max number of clients reached`                                            | failure |
/// | `NOAUTH`, `WRONGPASS`, `NOPERM`, `DENIED`: the caller's configuration          | ignored |
/// | `MOVED`, `ASK`, `CROSSSLOT`: a cluster, which this client does not follow      | ignored |
/// | `WRONGTYPE`, `ERR`, `NOSCRIPT`, `EXECABORT`, `BUSYKEY`, `BUSYGROUP`, `NOGROUP` | ignored |
/// | any other code, a script's own for instance: the server understood             | ignored |
/// | a reply, whatever its value                                                    | success |
/// | replies of a pipeline, one of which is an error of the upper half              | failure |
[[nodiscard]] classifier rules();

/// All connections were in use, and none came free in time: nothing was sent, and it says nothing about the server.
class no_connection_free : public rejected_error {
 public:
  using rejected_error::rejected_error;
};

/// What a client may be told, besides where the server is.
struct client_options {
  /// Breaker (or a shared one), retries, clock. Said at all, it is said whole.
  adapter_options guard{.breaker = {.failure_threshold = 5, .open_duration = std::chrono::seconds(30)}};
  std::size_t max_connections = 8;  ///< 1 … 1024; opened when needed, kept until they break
  /// How long a call waits for a free connection; 0 … 24 h, 0 = not at all.
  std::chrono::nanoseconds pool_timeout = std::chrono::seconds(1);

  [[nodiscard]] std::vector<problem> validate() const;
};

/// Whether a command may be sent again after an error that leaves open whether the server carried it out.
enum class repeatable : bool { no, yes };

/// The words of one command.
using words = std::vector<std::string>;

/// A Redis client whose calls go through a circuit breaker, `redis.HOST:PORT/DATABASE`.
///
///     redis::client cache{{.host = "cache.internal", .timeout = 200ms}};
///     cache.set("greeting", "hello", {.time_to_live = 1min});
///     std::optional<std::string> greeting = cache.get("greeting");
///     redis::reply type = cache.command({"TYPE", "greeting"}, {.correlation_id = id}, redis::repeatable::yes);
///
/// Errors: circuit_open_error (nothing was sent) · connection_error with io_error, io_timeout or server_error (one that is
/// evidence, see rules()) nested · refused_error with the code of every other error of the server · call_timeout_error for a
/// call_timeout of the breaker · cancelled_error after a stop request · no_connection_free · config_error for a command that
/// cannot be one, or that would change the connection under the callers after this one (SELECT, AUTH, SUBSCRIBE, MULTI without
/// EXEC …; use redis::connection for those). They name the command and the server; never keys, values or the password. Redis
/// errors that quote words of the command are shown without them.
///
/// A stop request or the call_timeout of the breaker ends a call at once: while it waits for a connection, connects (except in
/// the system's lookup of the name), waits for a reply or for its next attempt. A connection whose reply was not read to the
/// end is closed. What the server did with the command is then unknown, as after every io_error.
///
/// Only get, hget, ping and what is said to be repeatable is tried again, as the retry policy says.
///
/// Thread safety: every function from any thread at any time; destruction after the last has returned.
class client {
 public:
  /// Connects to nobody yet. Throws config_error.
  explicit client(options server, client_options o = {});
  client(const client&) = delete;
  client& operator=(const client&) = delete;
  ~client();

  /// Any command but those that change the connection. Blocking ones (BLPOP) need a `timeout` longer than their own.
  reply command(std::span<const std::string_view> words, const operation_options& o = {}, repeatable r = repeatable::no);
  reply command(std::initializer_list<std::string_view> words, const operation_options& o = {}, repeatable r = repeatable::no);

  /// Several commands in one round trip over one connection, their replies in the same order; errors are elements of kind::error,
  /// with the words of the server. Not atomic, unless it begins with MULTI and ends with EXEC. The timeout is that of each reply.
  /// Without commands nothing is done.
  std::vector<reply> pipeline(std::span<const words> commands, const operation_options& o = {}, repeatable r = repeatable::no);

  [[nodiscard]] std::optional<std::string> get(std::string_view key, const operation_options& o = {});

  /// How a value is set.
  struct set_options {
    /// Until it is forgotten; rounded up to milliseconds, more than 0. Nothing: never.
    std::optional<std::chrono::nanoseconds> time_to_live{};
    bool only_if_absent = false;
  };
  /// False when only_if_absent left what was there.
  bool set(std::string_view key, std::string_view value) { return set(key, value, {}, {}); }
  bool set(std::string_view key, std::string_view value, const set_options& s, const operation_options& o = {});
  /// Whether it was there.
  bool del(std::string_view key, const operation_options& o = {});
  /// The number after it was raised.
  std::int64_t incr(std::string_view key, std::int64_t by = 1, const operation_options& o = {});
  /// Whether it is there. `time_to_live` as in set_options.
  bool expire(std::string_view key, std::chrono::nanoseconds time_to_live, const operation_options& o = {});
  [[nodiscard]] std::optional<std::string> hget(std::string_view key, std::string_view field, const operation_options& o = {});
  /// Whether the field is new.
  bool hset(std::string_view key, std::string_view field, std::string_view value, const operation_options& o = {});
  reply eval(std::string_view script, std::span<const std::string_view> keys = {},
             std::span<const std::string_view> arguments = {}, const operation_options& o = {});
  /// Returns when the server has answered. As guarded as everything else: for health checks of what the program would see.
  void ping(const operation_options& o = {});

  [[nodiscard]] circuit_breaker& breaker() const noexcept;
  /// `redis.HOST:PORT/DATABASE`.
  [[nodiscard]] const std::string& target() const noexcept;
  /// The connections, now.
  struct pool_state {
    std::size_t in_use = 0;  ///< by calls that run now
    std::size_t idle = 0;    ///< connected and free
  };
  [[nodiscard]] pool_state connections() const;

 private:
  struct state;
  std::unique_ptr<state> state_;
};

}  // namespace switchgear::inline v1::redis
