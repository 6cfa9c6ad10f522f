// SPDX-License-Identifier: Apache-2.0
#include "http_server.hpp"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace switchgear::demo {
namespace {

using clock = std::chrono::steady_clock;
using namespace std::chrono_literals;

std::string answer_of(int status) {
  const std::string line = status == 200 ? "200 OK" : std::to_string(status) + " Unavailable";
  return "HTTP/1.1 " + line + "\r\nContent-Type: application/json\r\nContent-Length: 15\r\n\r\n{\"done\": true}\n";
}

}  // namespace

void http_server::run() {
  while (wait()) {
    for (const int listener : listeners_) accept_new(listener);
    for (connection& c : connections_) answer_if_due(c);
    connections_.remove_if([](const connection& c) { return c.gone; });
  }
}

// False when the one in control has gone.
bool http_server::wait() {
  std::vector<pollfd> fds{{control_, POLLIN, 0}};
  std::optional<clock::time_point> next;
  for (const connection& c : connections_) {
    fds.push_back({c.socket.get(), POLLIN, 0});
    if (c.answer_at && (!next || *c.answer_at < *next)) next = c.answer_at;
  }
  for (const int listener : listeners_) fds.push_back({listener, POLLIN, 0});
  timespec left{};
  if (next) {
    const auto ns = std::max<std::chrono::nanoseconds>(*next - clock::now(), 0ns);
    left = {ns / 1s, (ns % 1s).count()};
  }
  if (::ppoll(fds.data(), fds.size(), next ? &left : nullptr, nullptr) < 0) return true;
  if (fds[0].revents != 0 && !read_control()) return false;
  std::size_t i = 1;
  for (connection& c : connections_) {
    if (fds[i++].revents != 0) receive(c);
  }
  return true;
}

bool http_server::read_control() {
  char buffer[4096];
  const ssize_t n = ::read(control_, buffer, sizeof buffer);
  if (n < 0 && errno == EINTR) return true;
  if (n <= 0) return false;
  told_.append(buffer, static_cast<std::size_t>(n));
  for (auto end = told_.find('\n'); end != told_.npos; end = told_.find('\n')) {
    controlled(std::string_view(told_).substr(0, end));
    told_.erase(0, end + 1);
  }
  return true;
}

void http_server::accept_new(int listener) {
  for (;;) {
    descriptor socket(::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (socket.get() < 0) return;
    connections_.push_back({.socket = std::move(socket)});
  }
}

void http_server::receive(connection& c) {
  if (c.gone) return;
  char buffer[4096];
  const ssize_t n = ::recv(c.socket.get(), buffer, sizeof buffer, 0);
  if (n < 0 && (errno == EINTR || errno == EAGAIN)) return;
  if (n <= 0) return leave(c);
  c.received.append(buffer, static_cast<std::size_t>(n));
  start_work(c);
}

// Requests have no body here, so a request is whole with its empty line.
void http_server::start_work(connection& c) {
  const auto end = c.received.find("\r\n\r\n");
  if (c.answer_at || end == c.received.npos) return;
  notice_the_gone();
  const std::string head = c.received.substr(0, end);
  c.received.erase(0, end + 4);
  c.id = ++last_id_;
  const work w = begin(c.id, head);
  c.status = w.status;
  c.answer_at = clock::now() + w.takes;
}

void http_server::notice_the_gone() {
  for (connection& c : connections_) {
    if (c.gone || !c.answer_at) continue;
    char byte = 0;
    const ssize_t n = ::recv(c.socket.get(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) leave(c);
  }
}

void http_server::leave(connection& c) {
  c.gone = true;
  if (c.answer_at) end(c.id);
  c.answer_at.reset();
}

void http_server::answer_if_due(connection& c) {
  if (c.gone || !c.answer_at || *c.answer_at > clock::now()) return;
  c.answer_at.reset();
  end(c.id);
  const std::string answer = answer_of(c.status);
  const ssize_t n = ::send(c.socket.get(), answer.data(), answer.size(), MSG_NOSIGNAL);
  c.gone = n != static_cast<ssize_t>(answer.size());
  if (!c.gone) start_work(c);
}

}  // namespace switchgear::demo
