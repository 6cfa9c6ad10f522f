// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <list>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>

namespace http_test {

/// A file descriptor that closes itself.
class descriptor {
 public:
  explicit descriptor(int fd = -1) noexcept : fd_(fd) {}
  descriptor(descriptor&& other) noexcept : fd_(other.fd_) { other.fd_ = -1; }
  descriptor& operator=(descriptor&& other) noexcept;
  ~descriptor() { close(); }
  [[nodiscard]] int get() const noexcept { return fd_; }
  void close() noexcept;

 private:
  int fd_;
};

/// A TCP socket bound to a free port of 127.0.0.1; with a negative backlog it does not listen, so that connecting is
/// refused and nobody else can have the port.
struct bound_socket {
  explicit bound_socket(int backlog);
  [[nodiscard]] std::string url(std::string_view path) const;
  descriptor socket;
  int port = 0;
};

/// Accepts connections in the kernel, up to a full queue, and then leaves further ones without an answer.
struct full_server {
  full_server();
  bound_socket listener;
  std::list<descriptor> waiting;
};

/// A small HTTP/1.1 server in the process of the test. What it does is in the path:
///   /status/N   answers with that status        /echo       answers with the request as it came
///   /hang       never answers                   /trickle    one byte of the body at a time, without end
///   /cut        announces more than it sends    /reset      ends the connection with a reset
///   /large/N    a body of N bytes               /drop       closes without a word
class test_server {
 public:
  test_server();
  ~test_server();
  test_server(const test_server&) = delete;
  test_server& operator=(const test_server&) = delete;

  [[nodiscard]] std::string url(std::string_view path) const { return listener_.url(path); }
  [[nodiscard]] std::string host() const { return "127.0.0.1:" + std::to_string(listener_.port); }
  [[nodiscard]] int connections() const noexcept { return connections_; }
  [[nodiscard]] int requests() const noexcept { return requests_; }
  /// Waits until that many connections have been closed by the client.
  void wait_for_closed(int count) const;

 private:
  void accept_all();
  void serve(int fd);
  bool answer(int fd, const std::string& head, const std::string& body);

  bound_socket listener_{64};
  std::atomic<bool> stopping_{false};
  std::atomic<int> connections_{0};
  std::atomic<int> requests_{0};
  std::atomic<int> closed_{0};
  std::mutex mutex_;
  std::list<descriptor> sockets_;
  std::list<std::thread> threads_;
  std::thread acceptor_;
};

}  // namespace http_test
