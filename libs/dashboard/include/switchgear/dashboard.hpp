// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <switchgear/circuit_source.hpp>
#include <switchgear/config.hpp>
#include <switchgear/errors.hpp>
#include <switchgear/registry.hpp>

#include <prometheus/collectable.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace switchgear::inline v1 {

/// When `/readyz` says that the service is not ready.
enum class readiness : std::uint8_t {
  always,                 ///< never not ready
  no_critical_open        ///< not ready while a critical circuit is open or forced open
};

/// How a dashboard works. An aggregate, for designated initialisers.
struct dashboard_options {
  /// `ADDRESS:PORT`, an IP address in numbers, IPv6 in brackets; port 0 takes a free one, see dashboard::port(). What is not a
  /// loopback address is refused unless `token` or `tls_in_front` is given.
  std::string listen = "127.0.0.1:8600";

  /// Who knows it may act, with `Authorization: Bearer TOKEN`; 16 … 256 visible ASCII characters. Beyond loopback it is needed
  /// for reading too, `/healthz` and `/readyz` apart. Empty: nobody can act. make_token() makes a good one.
  std::string token{};

  /// Something in front of the dashboard speaks TLS and decides who comes through.
  bool tls_in_front = false;

  /// Nobody can act, token or not.
  bool read_only = false;

  /// Further names under which browsers may come, `status.example.org`: on loopback only `localhost` and the address itself are
  /// answered otherwise, so that no foreign page can reach the dashboard by a name of its own (DNS rebinding).
  std::vector<std::string> hosts{};

  /// How often the circuits are read and the pages told; 100ms … 1min.
  std::chrono::nanoseconds refresh = std::chrono::seconds(1);

  /// The names of the critical circuits; `*` stands for any run of characters.
  std::vector<std::string> critical{};
  readiness ready = readiness::no_critical_open;

  /// Every action is appended to this file, one JSON object a line, before it is answered; empty: the last 1,000 are kept in
  /// memory alone. An action that cannot be written down is refused.
  std::string audit_file{};

  /// How many connections at most, 1 … 100,000. For a further one the one that has waited longest for its next request is closed,
  /// and when none waits, the further one itself. A page holds one of them open.
  std::size_t max_connections = 1'024;

  /// How long a client may take to send a request or to take an answer, 100ms … 1h.
  std::chrono::nanoseconds client_timeout = std::chrono::seconds(10);

  /// Shown as the heading and in the title of the page.
  std::string title = "switchgear";

  /// More of what `/metrics` shows, for example a prometheus_collector with policies. The circuits are there without it.
  std::vector<std::shared_ptr<::prometheus::Collectable>> collectables{};

  /// Told of what went wrong, one line each: a connection that broke the rules, an action that was refused. Called by the
  /// dashboard's thread; what it throws is dropped. Empty: silence.
  std::function<void(const std::string&)> on_notice{};

  /// Every problem at once; empty when the options are good.
  [[nodiscard]] std::vector<problem> validate() const;
};

/// 43 characters that nobody guesses: 256 bits of the system's randomness.
[[nodiscard]] std::string make_token();

/// The address cannot be listened at.
class listen_error : public error {
 public:
  using error::error;
};

/// Counters since construction.
struct dashboard_metrics {
  std::uint64_t requests = 0;
  std::uint64_t refused = 0;            ///< of those, answered with 4xx
  std::uint64_t connections = 0;        ///< taken
  std::uint64_t turned_away = 0;        ///< connections beyond max_connections, when none gave way
  std::uint64_t slow_clients = 0;       ///< connections closed because the other side took too long
  std::uint64_t actions = 0;            ///< done
  std::size_t open_connections = 0;     ///< now
  std::size_t watching = 0;             ///< of those, pages that are being told what happens
};

/// One page that shows every circuit, and the JSON behind it: see docs/dashboard.md.
///
///     sg::dashboard page{circuits, {.listen = "127.0.0.1:8600"}};
///
/// Has a thread of its own. The calls through the circuits never wait for it.
///
/// Thread safety: every function from any thread; not to be destroyed from a function that it calls.
class dashboard {
 public:
  /// Shows the circuits of a registry, which outlives the dashboard. Throws config_error with every problem of the options, and
  /// listen_error.
  explicit dashboard(registry& circuits, dashboard_options options = {});
  /// Shows what a source knows.
  explicit dashboard(std::shared_ptr<circuit_source> circuits, dashboard_options options = {});
  dashboard(const dashboard&) = delete;
  dashboard& operator=(const dashboard&) = delete;
  /// Closes every connection and waits for the thread.
  ~dashboard();

  [[nodiscard]] std::uint16_t port() const noexcept;
  /// `http://127.0.0.1:8600/`
  [[nodiscard]] std::string url() const;
  /// The same with the token where the page looks for it, behind `#`, which no browser sends on: for the operator's eyes.
  [[nodiscard]] std::string url_with_token() const;
  [[nodiscard]] dashboard_metrics metrics() const;

 private:
  struct parts;
  std::unique_ptr<parts> parts_;
};

}  // namespace switchgear::inline v1
