// SPDX-License-Identifier: Apache-2.0
#include "test_server.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <stdexcept>
#include <utility>

namespace http_test {
namespace {

sockaddr_in loopback(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

bool send_all(int fd, std::string_view data) {
  while (!data.empty()) {
    const ssize_t n = ::send(fd, data.data(), data.size(), MSG_NOSIGNAL);
    if (n <= 0) return false;
    data.remove_prefix(static_cast<std::size_t>(n));
  }
  return true;
}

std::string answer_head(int status, std::size_t length) {
  return "HTTP/1.1 " + std::to_string(status) + " Told\r\nContent-Length: " + std::to_string(length) +
         "\r\nX-Told-By: test server\r\n\r\n";
}

// Whether the client closes the connection, or the server is stopped, within the time.
bool gone_within(int fd, int milliseconds) {
  pollfd p{fd, POLLIN | POLLRDHUP, 0};
  return ::poll(&p, 1, milliseconds) > 0;
}

int number_after(std::string_view path, std::string_view prefix) {
  return std::atoi(std::string(path.substr(prefix.size())).c_str());
}

std::size_t content_length(const std::string& head) {
  const auto at = head.find("Content-Length: ");
  return at == head.npos ? 0 : static_cast<std::size_t>(std::atoll(head.c_str() + at + 16));
}

}  // namespace

descriptor& descriptor::operator=(descriptor&& other) noexcept {
  std::swap(fd_, other.fd_);
  return *this;
}

void descriptor::close() noexcept {
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
}

bound_socket::bound_socket(int backlog) : socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_in address = loopback(0);
  socklen_t length = sizeof address;
  if (::bind(socket.get(), reinterpret_cast<sockaddr*>(&address), length) != 0 ||
      ::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&address), &length) != 0 ||
      (backlog >= 0 && ::listen(socket.get(), backlog) != 0)) {
    throw std::runtime_error("no socket on 127.0.0.1");
  }
  port = ntohs(address.sin_port);
}

std::string bound_socket::url(std::string_view path) const {
  return "http://127.0.0.1:" + std::to_string(port) + std::string(path);
}

full_server::full_server() : listener(0) {
  for (int i = 0; i < 8; ++i) {
    descriptor client(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    const sockaddr_in address = loopback(listener.port);
    (void)::connect(client.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address);
    waiting.push_back(std::move(client));
  }
}

test_server::test_server() : acceptor_([this] { accept_all(); }) {}

test_server::~test_server() {
  stopping_ = true;
  ::shutdown(listener_.socket.get(), SHUT_RDWR);
  acceptor_.join();
  {
    const std::lock_guard lock(mutex_);
    for (const descriptor& d : sockets_) ::shutdown(d.get(), SHUT_RDWR);
  }
  for (std::thread& t : threads_) t.join();
}

void test_server::wait_for_closed(int count) const {
  for (int now = closed_; now < count; now = closed_) closed_.wait(now);
}

void test_server::accept_all() {
  while (!stopping_) {
    const int fd = ::accept4(listener_.socket.get(), nullptr, nullptr, SOCK_CLOEXEC);
    if (fd < 0) continue;
    ++connections_;
    const std::lock_guard lock(mutex_);
    sockets_.emplace_back(fd);
    threads_.emplace_back([this, fd] { serve(fd); });
  }
}

void test_server::serve(int fd) {
  std::string pending;
  char buffer[16 * 1024];
  for (;;) {
    const auto end = pending.find("\r\n\r\n");
    if (end != pending.npos) {
      const std::string head = pending.substr(0, end + 4);
      const std::size_t whole = head.size() + content_length(head);
      if (pending.size() >= whole) {
        ++requests_;
        const bool go_on = answer(fd, head, pending.substr(head.size(), whole - head.size()));
        pending.erase(0, whole);
        if (go_on) continue;
        break;
      }
    }
    const ssize_t n = ::recv(fd, buffer, sizeof buffer, 0);
    if (n <= 0) break;
    pending.append(buffer, static_cast<std::size_t>(n));
  }
  {
    // The destructor looks at the list, so the descriptor must not be closed, and its number reused, behind its back.
    const std::lock_guard lock(mutex_);
    for (descriptor& d : sockets_) {
      if (d.get() == fd) d.close();
    }
  }
  ++closed_;
  closed_.notify_all();
}

bool test_server::answer(int fd, const std::string& head, const std::string& body) {
  const auto from = head.find(' ') + 1;
  const std::string path = head.substr(from, head.find_first_of(" ?", from) - from);
  const bool bodiless = head.starts_with("HEAD ");
  if (path.starts_with("/status/")) {
    const std::string text = "told";
    return send_all(fd, answer_head(number_after(path, "/status/"), text.size()) + (bodiless ? "" : text));
  }
  if (path == "/echo") return send_all(fd, answer_head(200, head.size() + body.size()) + head + body);
  if (path == "/hang") {
    (void)gone_within(fd, -1);
    return false;
  }
  if (path == "/trickle") {
    if (!send_all(fd, answer_head(200, 1'000'000))) return false;
    while (!gone_within(fd, 5)) {
      if (!send_all(fd, "x")) break;
    }
    return false;
  }
  if (path == "/cut") {
    (void)send_all(fd, answer_head(200, 1000) + "only this");
    return false;
  }
  if (path == "/reset") {
    const linger at_once{1, 0};
    ::setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    return false;
  }
  if (path.starts_with("/large/")) {
    auto left = static_cast<std::size_t>(number_after(path, "/large/"));
    if (!send_all(fd, answer_head(200, left))) return false;
    static const std::string block(64 * 1024, 'x');
    for (; left > 0; left -= std::min(left, block.size())) {
      if (!send_all(fd, std::string_view(block).substr(0, left))) return false;
    }
    return true;
  }
  return false;  // /drop
}

}  // namespace http_test
