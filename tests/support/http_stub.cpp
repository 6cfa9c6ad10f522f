// SPDX-License-Identifier: Apache-2.0
#include "http_stub.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <stdexcept>

namespace test_support {
namespace {

bool send_all(int socket, std::string_view data) {
  while (!data.empty()) {
    const ssize_t n = ::send(socket, data.data(), data.size(), MSG_NOSIGNAL);
    if (n <= 0) return false;
    data.remove_prefix(static_cast<std::size_t>(n));
  }
  return true;
}

// Whether the client closes the connection, or the server is stopped, within the time.
bool gone_within(int socket, int milliseconds) {
  pollfd p{socket, POLLRDHUP, 0};
  return ::poll(&p, 1, milliseconds) > 0;
}

bool same(std::string_view a, std::string_view b) {
  return a.size() == b.size() && ::strncasecmp(a.data(), b.data(), a.size()) == 0;
}

std::string decoded(std::string_view text) {
  std::string result;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size()) {
      result += static_cast<char>(std::strtol(std::string(text.substr(i + 1, 2)).c_str(), nullptr, 16));
      i += 2;
    } else {
      result += text[i];
    }
  }
  return result;
}

void read_target(std::string_view target, http_request& r) {
  const auto mark = target.find('?');
  r.path = decoded(target.substr(0, mark));
  if (mark == target.npos) return;
  for (std::string_view rest = target.substr(mark + 1); !rest.empty();) {
    const std::string_view pair = rest.substr(0, rest.find('&'));
    rest.remove_prefix(std::min(rest.size(), pair.size() + 1));
    const auto equals = pair.find('=');
    r.parameters.emplace_back(decoded(pair.substr(0, equals)), equals == pair.npos ? "" : decoded(pair.substr(equals + 1)));
  }
}

http_request read_head(std::string_view head) {
  http_request r;
  bool first = true;
  while (!head.empty()) {
    const std::string_view line = head.substr(0, head.find("\r\n"));
    head.remove_prefix(std::min(head.size(), line.size() + 2));
    if (first) {
      r.method = line.substr(0, line.find(' '));
      const std::string_view rest = line.substr(r.method.size() + 1);
      read_target(rest.substr(0, rest.find(' ')), r);
      first = false;
    } else if (const auto colon = line.find(':'); colon != line.npos) {
      const auto value = line.find_first_not_of(' ', colon + 1);
      r.headers.emplace_back(line.substr(0, colon), value == line.npos ? "" : line.substr(value));
    }
  }
  return r;
}

}  // namespace

std::string http_request::header(std::string_view name) const {
  for (const auto& [key, value] : headers) {
    if (same(key, name)) return value;
  }
  return {};
}

std::string http_request::parameter(std::string_view name) const {
  for (const auto& [key, value] : parameters) {
    if (key == name) return value;
  }
  return {};
}

bool http_request::has_parameter(std::string_view name) const {
  for (const auto& p : parameters) {
    if (p.first == name) return true;
  }
  return false;
}

http_stub::http_stub(handler answer) : answer_(std::move(answer)) { start(); }

std::vector<http_request> http_stub::requests() const {
  const std::lock_guard lock(mutex_);
  return requests_;
}

void http_stub::start() {
  listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int yes = 1;
  ::setsockopt(listener_, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port_));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof address;
  if (::bind(listener_, reinterpret_cast<sockaddr*>(&address), length) != 0 ||
      ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &length) != 0 || ::listen(listener_, 64) != 0) {
    throw std::runtime_error("no socket on 127.0.0.1");
  }
  port_ = ntohs(address.sin_port);
  stopping_ = false;
  acceptor_ = std::thread([this] { accept_all(); });
}

void http_stub::stop() {
  if (!acceptor_.joinable()) return;
  stopping_ = true;
  ::shutdown(listener_, SHUT_RDWR);
  acceptor_.join();
  ::close(listener_);
  {
    const std::lock_guard lock(mutex_);
    for (const int socket : open_) ::shutdown(socket, SHUT_RDWR);
  }
  for (std::thread& t : threads_) t.join();
  threads_.clear();
}

void http_stub::accept_all() {
  while (!stopping_) {
    const int socket = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (socket < 0) continue;
    const std::lock_guard lock(mutex_);
    open_.push_back(socket);
    threads_.emplace_back([this, socket] { serve(socket); });
  }
}

void http_stub::serve(int socket) {
  std::string pending;
  char buffer[16 * 1024];
  for (;;) {
    if (const auto end = pending.find("\r\n\r\n"); end != pending.npos) {
      http_request r = read_head(std::string_view(pending).substr(0, end));
      const std::size_t whole = end + 4 + static_cast<std::size_t>(std::atoll(r.header("Content-Length").c_str()));
      if (pending.size() >= whole) {
        r.body = pending.substr(end + 4, whole - end - 4);
        pending.erase(0, whole);
        if (answer(socket, r)) continue;
        break;
      }
    }
    const ssize_t n = ::recv(socket, buffer, sizeof buffer, 0);
    if (n <= 0) break;
    pending.append(buffer, static_cast<std::size_t>(n));
  }
  // Under the lock, so that stop() never shuts down a descriptor that has been closed and given out again.
  const std::lock_guard lock(mutex_);
  open_.remove(socket);
  ::close(socket);
}

bool http_stub::answer(int socket, const http_request& r) {
  {
    const std::lock_guard lock(mutex_);
    requests_.push_back(r);
  }
  http_response response;
  {
    const std::lock_guard one_at_a_time(handling_);
    response = answer_(r);
  }
  using does = http_response::behaviour;
  const std::size_t length = response.does == does::trickle ? 1'000'000'000 : response.body.size();
  std::string head = "HTTP/1.1 " + std::to_string(response.status) + " Answer\r\n";
  for (const auto& [name, value] : response.headers) head += name + ": " + value + "\r\n";
  if (response.status != 204) head += "Content-Length: " + std::to_string(length) + "\r\n";
  head += "\r\n";
  switch (response.does) {
    case does::answer: return send_all(socket, r.method == "HEAD" ? head : head + response.body);
    case does::drop: return false;
    case does::hang: (void)gone_within(socket, -1); return false;
    case does::cut: (void)send_all(socket, head + response.body.substr(0, response.body.size() / 2)); return false;
    case does::garbage: (void)send_all(socket, response.body); return false;
    case does::trickle:
      if (!send_all(socket, head)) return false;
      while (!gone_within(socket, 5) && send_all(socket, "x")) {
      }
      return false;
  }
  return false;
}

}  // namespace test_support
