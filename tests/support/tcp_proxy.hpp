// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>

namespace test_support {

/// A bad network: a TCP proxy on a port of 127.0.0.1 in front of a server on another. Runs on a thread of its own until it is
/// destroyed, which resets every connection. Every function from any thread; each has taken effect when it returns.
class tcp_proxy {
 public:
  /// Listens at once. Throws std::runtime_error.
  explicit tcp_proxy(std::uint16_t server_port);
  tcp_proxy(const tcp_proxy&) = delete;
  tcp_proxy& operator=(const tcp_proxy&) = delete;
  ~tcp_proxy();

  [[nodiscard]] std::uint16_t port() const noexcept;

  /// Resets all connections and refuses new ones until heal().
  void cut();
  /// Ends cut(), cut_after() that has not come true, delay() and black_hole().
  void heal();
  /// As cut(), once that many more bytes have gone from the server to its clients.
  void cut_after(std::size_t bytes);
  /// Every byte takes that long, in either direction.
  void delay(std::chrono::milliseconds by);
  /// Connections are accepted and stay, and nothing passes. When it is over, what was sent meanwhile passes.
  void black_hole(bool on);

  /// How many connections there are now, and were ever accepted.
  [[nodiscard]] std::size_t connections() const;
  [[nodiscard]] std::size_t accepted() const;

 private:
  struct loop;
  std::unique_ptr<loop> loop_;
};

}  // namespace test_support
