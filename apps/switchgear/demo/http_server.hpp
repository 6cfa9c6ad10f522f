// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "process.hpp"

#include <chrono>
#include <cstdint>
#include <list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace switchgear::demo {

/// Serves HTTP/1.1 on one thread: requests without a body, each answered after a while with a status and a few fixed bytes.
class http_server {
 public:
  /// Listening sockets that do not block, and a descriptor to be controlled by. Both are the caller's and outlive this.
  http_server(std::vector<int> listeners, int control) : listeners_(std::move(listeners)), control_(control) {}
  http_server(const http_server&) = delete;
  http_server& operator=(const http_server&) = delete;
  virtual ~http_server() = default;

  /// Until the other end of `control` is closed.
  void run();

 protected:
  struct work {
    std::chrono::nanoseconds takes{0};
    int status = 200;
  };
  /// A request has been read; `head` is everything before the empty line. `id` is of this request alone.
  virtual work begin(std::uint64_t id, std::string_view head) = 0;
  /// Its answer is about to be sent, or its connection is gone. Every connection that was gone before a request was read has
  /// had its end() before the begin() of that request.
  virtual void end(std::uint64_t id) { (void)id; }
  /// A line that came on `control`.
  virtual void controlled(std::string_view line) { (void)line; }

 private:
  struct connection {
    descriptor socket;
    std::string received{};
    std::optional<std::chrono::steady_clock::time_point> answer_at{};
    std::uint64_t id = 0;
    int status = 200;
    bool gone = false;
  };

  bool wait();
  bool read_control();
  void accept_new(int listener);
  void receive(connection& c);
  void start_work(connection& c);
  void answer_if_due(connection& c);
  void notice_the_gone();
  void leave(connection& c);

  std::vector<int> listeners_;
  int control_;
  std::string told_;
  std::list<connection> connections_;
  std::uint64_t last_id_ = 0;
};

}  // namespace switchgear::demo
