// SPDX-License-Identifier: Apache-2.0
#include "upstream.hpp"

#include "process.hpp"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <chrono>
#include <list>
#include <optional>
#include <string>
#include <vector>

namespace switchgear::demo {
namespace {

using clock = std::chrono::steady_clock;
using namespace std::chrono_literals;

constexpr std::string_view answer =
    "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 15\r\n\r\n{\"done\": true}\n";

struct connection {
  descriptor socket;
  std::string received{};
  std::optional<clock::time_point> answer_at{};
  bool gone = false;
};

class server {
 public:
  explicit server(int listener, int control) : listener_(listener), control_(control) {}

  void run() {
    while (wait()) {
      accept_new();
      for (connection& c : connections_) answer_if_due(c);
      connections_.remove_if([](const connection& c) { return c.gone; });
    }
  }

 private:
  // False when the parent has gone.
  bool wait() {
    std::vector<pollfd> fds{{listener_, POLLIN, 0}, {control_, POLLIN, 0}};
    std::optional<clock::time_point> next;
    for (const connection& c : connections_) {
      fds.push_back({c.socket.get(), POLLIN, 0});
      if (c.answer_at && (!next || *c.answer_at < *next)) next = c.answer_at;
    }
    timespec left{};
    if (next) {
      const auto ns = std::max<std::chrono::nanoseconds>(*next - clock::now(), 0ns);
      left = {ns / 1s, (ns % 1s).count()};
    }
    if (::ppoll(fds.data(), fds.size(), next ? &left : nullptr, nullptr) < 0) return true;
    std::size_t i = 2;
    for (connection& c : connections_) {
      if (fds[i++].revents != 0) receive(c);
    }
    return fds[1].revents == 0;
  }

  void accept_new() {
    for (;;) {
      descriptor socket(::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
      if (socket.get() < 0) return;
      connections_.push_back({.socket = std::move(socket)});
    }
  }

  void receive(connection& c) {
    char buffer[4096];
    const ssize_t n = ::recv(c.socket.get(), buffer, sizeof buffer, 0);
    if (n <= 0) {
      c.gone = true;
      return;
    }
    c.received.append(buffer, static_cast<std::size_t>(n));
    start_work(c);
  }

  // Requests have no body here, so a request is whole with its empty line. Work takes two to five milliseconds.
  void start_work(connection& c) {
    const auto end = c.received.find("\r\n\r\n");
    if (c.answer_at || end == c.received.npos) return;
    c.received.erase(0, end + 4);
    c.answer_at = clock::now() + 2ms + (requests_++ * 7 % 10) * 333us;
  }

  void answer_if_due(connection& c) {
    if (c.gone || !c.answer_at || *c.answer_at > clock::now()) return;
    c.answer_at.reset();
    const ssize_t n = ::send(c.socket.get(), answer.data(), answer.size(), MSG_NOSIGNAL);
    c.gone = n != static_cast<ssize_t>(answer.size());
    start_work(c);
  }

  int listener_, control_;
  std::list<connection> connections_;
  unsigned requests_ = 0;
};

}  // namespace

int run_upstream() {
  if (!write_line(first_inherited + 1, "ready")) return 1;
  server(first_inherited, first_inherited + 2).run();
  return 0;
}

}  // namespace switchgear::demo
