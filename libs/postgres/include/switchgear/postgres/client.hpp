// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <switchgear/adapter.hpp>
#include <switchgear/postgres/errors.hpp>
#include <switchgear/postgres/result.hpp>
#include <switchgear/postgres/value.hpp>

#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace switchgear::inline v1::postgres {

/// 5 failures in a row open the circuit for 30 s; two successes close it.
[[nodiscard]] inline config default_breaker() { return {.failure_threshold = 5, .open_duration = std::chrono::seconds(30)}; }

/// What a client may be told.
struct options {
  /// `postgresql://…` or `host=… dbname=…`, as libpq has them. The members below, where they are set, win; what neither says
  /// comes from the PG… variables of the environment. In a URL an @ or / within user or password is written %40 or %2F.
  std::string connection{};
  std::string host{};  ///< a name, an address, or the folder of a Unix socket
  std::uint16_t port = 0;
  std::string database{}, user{}, password{};

  /// Until a connection is ready to be used. More than 0, up to 24 h.
  std::chrono::nanoseconds connect_timeout = std::chrono::seconds(5);
  /// Of each statement, the transfer of its result included. More than 0, up to 24 h.
  std::chrono::nanoseconds statement_timeout = std::chrono::seconds(30);
  /// Tells the server to give a statement up a second after we have: a statement whose client is gone runs on else. Off for
  /// poolers that refuse the start-up parameter `options`.
  bool limit_on_server = true;

  /// The most connections, 1 … 10,000. They are opened when they are needed.
  std::size_t connections = 10;
  /// How long to wait for one when all are in use; then rejected_error. 0 = not at all; up to 24 h.
  std::chrono::nanoseconds connection_wait = std::chrono::seconds(1);

  /// Retries are for repeat_query() and repeat_transaction() alone.
  adapter_options_with<&default_breaker> adapter{};
};

namespace detail {
class pool;
class session;
}  // namespace detail

/// One transaction, as the function of client::transaction sees it. Lives as long as that call; not to be shared by threads.
/// After any error the server takes no statement but the rollback.
class transaction {
 public:
  transaction(const transaction&) = delete;
  transaction& operator=(const transaction&) = delete;

  /// Throws refused_error, conflict_error, call_timeout_error and cancelled_error as client::query does, and server_error. Let
  /// them pass: whoever catches one and returns has his transaction rolled back and gets a refused_error (25P02), or, when it
  /// ended the connection, that error itself.
  result query(std::string_view sql, const std::vector<value>& parameters = {});
  std::uint64_t execute(std::string_view sql, const std::vector<value>& parameters = {}) {
    return query(sql, parameters).affected_rows();
  }

  /// The function's return is to roll back instead of commit. What it returns is returned.
  void roll_back() noexcept { rolls_back_ = true; }

  [[nodiscard]] const adapter::attempt& attempt() const noexcept { return attempt_; }

 private:
  friend class client;
  transaction(detail::session& on, const adapter::attempt& attempt, std::chrono::nanoseconds limit) noexcept
      : session_(on), attempt_(attempt), limit_(limit) {}
  void begin(std::string_view how);
  void run(const std::function<void(transaction&)>& body);
  void end();
  void commit();
  void abandon() noexcept;
  /// Whether the connection is gone, and neither the function nor its caller is to blame.
  [[nodiscard]] bool lost_its_server() const noexcept;

  detail::session& session_;
  const adapter::attempt& attempt_;
  std::chrono::nanoseconds limit_;
  std::exception_ptr thrown_{};     ///< what a statement threw last
  std::exception_ptr broken_by_{};  ///< what the statement threw that ended the connection
  bool rolls_back_ = false;
};

/// How far transactions see each other; see the manual of PostgreSQL.
enum class isolation : std::uint8_t { server_default, read_committed, repeatable_read, serializable };

/// How a transaction runs.
struct transaction_options {
  postgres::isolation isolation = isolation::server_default;
  bool read_only = false;
  operation_options call{};
};

/// A PostgreSQL database whose calls go through a circuit breaker.
///
///     sg::postgres::client db{{.host = "db.example", .database = "shop", .user = "shop", .password = secret}};
///     for (const auto row : db.query("select id from orders where state = $1", {"open"})) …
///     db.transaction([&](sg::postgres::transaction& t) {
///       t.execute("update accounts set balance = balance - $1 where id = $2", {amount, from});
///       t.execute("update accounts set balance = balance + $1 where id = $2", {amount, to});
///     });
///
/// What leaves every function that talks to the server:
///
/// - circuit_open_error: the circuit is open, nothing was done;
/// - refused_error with the SQLSTATE as code: the caller's doing (meaning_of() says which are); no evidence;
/// - conflict_error, which is one: serialization failure or deadlock; no evidence, may be repeated;
/// - connection_error, server_error nested: the server is ill or cannot be reached; evidence;
/// - commit_unknown_error, which is one: nobody knows whether the transaction was committed; evidence, never repeated;
/// - call_timeout_error: connect_timeout, statement_timeout or the breaker's call_timeout has passed; evidence;
/// - cancelled_error: the stop token; no evidence;
/// - rejected_error: all connections were in use for connection_wait; no evidence.
///
/// After a timeout or a stop the connection is closed: the server may go on with the statement for a while. Errors name the
/// target, SQLSTATE, condition, constraint, table, column and position; never the server's own message (it quotes values),
/// the statement, parameters, user or password.
///
/// A connection is not cleaned between two users: what SET, LISTEN or temporary tables leave behind stays. One left inside a
/// transaction is closed.
///
/// Thread safety: every function from any thread at any time; destruction after the last has returned.
class client {
 public:
  /// Does not connect yet. Throws config_error.
  explicit client(options o);
  client(const client&) = delete;
  client& operator=(const client&) = delete;
  ~client();

  /// Runs one statement, once.
  result query(std::string_view sql, const std::vector<value>& parameters = {}, const operation_options& o = {}) const;
  /// The same; how many rows it changed.
  std::uint64_t execute(std::string_view sql, const std::vector<value>& parameters = {}, const operation_options& o = {}) const;
  /// The same for a statement that may run twice, as often as the retry options say.
  result repeat_query(std::string_view sql, const std::vector<value>& parameters = {}, const operation_options& o = {}) const;

  /// BEGIN, `f(transaction&)`, COMMIT; returns what `f` returned. When `f` throws: ROLLBACK, and its exception passes unchanged,
  /// no evidence unless the connection broke. The stop token is not looked at while COMMIT is under way. A commit that
  /// arrives after the breaker's call_timeout is a commit: the call counts as a timeout, and its value is returned.
  template <std::invocable<postgres::transaction&> F>
  std::invoke_result_t<F&, postgres::transaction&> transaction(F f, const transaction_options& o = {}) const {
    return in_transaction(f, o, false);
  }
  /// The same for an `f` that may run several times: the whole transaction is repeated after conflicts and failures of the
  /// server, as often as the retry options say, but never when it is not known whether it was committed. What `f` throws on
  /// its own account is repeated only when options.adapter.retry.when is set and calls it a failure.
  template <std::invocable<postgres::transaction&> F>
  std::invoke_result_t<F&, postgres::transaction&> repeat_transaction(F f, const transaction_options& o = {}) const {
    return in_transaction(f, o, true);
  }

  [[nodiscard]] circuit_breaker& breaker() const noexcept;
  /// `postgres.HOST:PORT/DATABASE`.
  [[nodiscard]] const std::string& target() const noexcept;
  /// Open connections, in use or not.
  [[nodiscard]] std::size_t connections() const;

 private:
  template <class F>
  std::invoke_result_t<F&, postgres::transaction&> in_transaction(F& f, const transaction_options& o, bool repeat) const {
    using returned = std::invoke_result_t<F&, postgres::transaction&>;
    static_assert(!std::is_reference_v<returned>, "What a transaction returns has to outlive its connection: return a value.");
    if constexpr (std::is_void_v<returned>) {
      run_transaction([&](postgres::transaction& t) { f(t); }, o, repeat);
    } else {
      std::optional<returned> kept;
      run_transaction([&](postgres::transaction& t) { kept.emplace(f(t)); }, o, repeat);
      return std::move(*kept);
    }
  }
  void run_transaction(const std::function<void(postgres::transaction&)>& body, const transaction_options& o, bool repeat) const;
  void attempt_transaction(const std::function<void(postgres::transaction&)>& body, const std::string& begin,
                           const adapter::attempt& a, bool& committed) const;
  [[nodiscard]] result attempt_query(std::string_view sql, const std::vector<value>& parameters, const adapter::attempt& a) const;

  const std::unique_ptr<detail::pool> pool_;
  std::chrono::nanoseconds statement_timeout_;
  adapter guarded_;
};

}  // namespace switchgear::inline v1::postgres
