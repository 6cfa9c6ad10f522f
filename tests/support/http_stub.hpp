// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <list>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace test_support {

/// One request as the stand-in got it. Path and parameters are percent-decoded; header names are as they came.
struct http_request {
  std::string method, path, body;
  std::vector<std::pair<std::string, std::string>> parameters, headers;

  /// The value, or empty. Names of headers in any case.
  [[nodiscard]] std::string header(std::string_view name) const;
  [[nodiscard]] std::string parameter(std::string_view name) const;
  [[nodiscard]] bool has_parameter(std::string_view name) const;
};

/// What the stand-in does about a request.
struct http_response {
  enum class behaviour : std::uint8_t {
    answer,   ///< sends status, headers, body
    hang,     ///< never answers; the connection stays open
    drop,     ///< closes without a word
    cut,      ///< announces the whole body, sends half of it, closes
    trickle,  ///< sends the head, and then one byte of an endless body after the other
    garbage,  ///< sends `body` as it is, instead of a response
  };
  int status = 200;
  std::string body{};
  std::vector<std::pair<std::string, std::string>> headers{};
  behaviour does = behaviour::answer;
};

/// A small HTTP/1.1 server on a free port of 127.0.0.1 in the process of the test. The handler is called by one thread per
/// connection, one call at a time for all of them.
class http_stub {
 public:
  using handler = std::function<http_response(const http_request&)>;
  explicit http_stub(handler answer);
  http_stub(const http_stub&) = delete;
  http_stub& operator=(const http_stub&) = delete;
  ~http_stub() { stop(); }

  [[nodiscard]] int port() const noexcept { return port_; }
  [[nodiscard]] std::string host() const { return "127.0.0.1:" + std::to_string(port_); }
  [[nodiscard]] std::string url() const { return "http://" + host(); }

  /// Every request so far, answered or not.
  [[nodiscard]] std::vector<http_request> requests() const;

  /// Ends every connection and refuses new ones, as a server that was killed.
  void stop();
  /// The same port again.
  void start();

 private:
  void accept_all();
  void serve(int socket);
  bool answer(int socket, const http_request& r);

  handler answer_;
  int port_ = 0;
  int listener_ = -1;
  std::atomic<bool> stopping_{false};
  mutable std::mutex mutex_;
  std::mutex handling_;
  std::vector<http_request> requests_;
  std::list<int> open_;
  std::list<std::thread> threads_;
  std::thread acceptor_;
};

/// What a handler is to answer instead of what it would say otherwise: set by the test, asked for by the handler.
class answer_instead {
 public:
  answer_instead& operator=(http_response r) {
    const std::lock_guard lock(mutex_);
    response_ = std::move(r);
    return *this;
  }
  void reset() {
    const std::lock_guard lock(mutex_);
    response_.reset();
  }
  [[nodiscard]] std::optional<http_response> get() const {
    const std::lock_guard lock(mutex_);
    return response_;
  }

 private:
  mutable std::mutex mutex_;
  std::optional<http_response> response_;
};

}  // namespace test_support
