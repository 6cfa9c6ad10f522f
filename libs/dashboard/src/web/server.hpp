// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "authority.hpp"
#include "options.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <thread>

namespace switchgear::inline v1::detail {

/// The HTTP server: one thread, which only works when something happens.
///
/// Of more than max_connections clients those give way that wait for their next request, the longest waiting first; when all are
/// busy, the new one is closed at once.
///
/// Thread safety: counters() from any thread; the rest from the one that made it.
class web_server {
 public:
  /// Listens from now on; nobody is answered before start(). Throws listen_error. The handler outlives the server.
  web_server(web_options options, web_handler& handler);
  web_server(const web_server&) = delete;
  web_server& operator=(const web_server&) = delete;
  /// Closes every connection and waits for the thread.
  ~web_server();

  /// Starts the thread. It calls `work` before it answers anybody, and then every `period`; what it throws is told as a notice.
  void start(std::chrono::nanoseconds period, std::function<void()> work);

  /// Where it listens: with the port that it got.
  [[nodiscard]] const listen_address& where() const noexcept { return where_; }
  [[nodiscard]] const web_counters& counters() const noexcept;

 private:
  struct state;
  std::unique_ptr<state> state_;
  listen_address where_;
  std::thread thread_;
};

}  // namespace switchgear::inline v1::detail
