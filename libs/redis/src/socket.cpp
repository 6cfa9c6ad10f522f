// SPDX-License-Identifier: Apache-2.0
#include "socket.hpp"

#include <switchgear/redis/connection.hpp>

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <ctime>
#include <memory>
#include <string>
#include <system_error>

namespace switchgear::inline v1::redis::detail {
namespace {

using namespace std::chrono_literals;
using clock_type = std::chrono::steady_clock;

std::string reason(int number) { return std::system_category().message(number); }

timespec time_until(clock_type::time_point end) {
  const auto left = std::max(std::chrono::nanoseconds(end - clock_type::now()), 0ns);
  return {static_cast<std::time_t>(left / 1s), static_cast<long>((left % 1s).count())};
}

struct free_addresses {
  void operator()(addrinfo* list) const noexcept { ::freeaddrinfo(list); }
};
using addresses = std::unique_ptr<addrinfo, free_addresses>;

addresses addresses_of(const options& o) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICSERV;
  addrinfo* found = nullptr;
  const int problem = ::getaddrinfo(o.host.c_str(), std::to_string(o.port).c_str(), &hints, &found);
  if (problem != 0) throw io_error("the host is not found: " + std::string(::gai_strerror(problem)));
  return addresses(found);
}

}  // namespace

deadline deadline_in(std::chrono::nanoseconds from_now) {
  if (from_now <= 0ns) return std::nullopt;
  return clock_type::now() + from_now;
}

namespace {

/// An address that swallows everything leaves its share of the time to those behind it.
deadline share_of(const deadline& until, const addrinfo& first) {
  if (!until) return until;
  int addresses = 0;
  for (const addrinfo* a = &first; a != nullptr; a = a->ai_next) ++addresses;
  const auto now = clock_type::now();
  return now + std::max<clock_type::duration>(*until - now, 0ns) / addresses;
}

}  // namespace

void socket::close() noexcept {
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
}

socket::woken_by socket::wait(bool to_write, const deadline& until, int wake_fd) const {
  std::array<pollfd, 2> watched{{{fd_, static_cast<short>(POLLIN | (to_write ? POLLOUT : 0)), 0}, {wake_fd, POLLIN, 0}}};
  for (;;) {
    timespec left{};
    if (until) left = time_until(*until);
    const int ready = ::ppoll(watched.data(), wake_fd < 0 ? 1 : 2, until ? &left : nullptr, nullptr);
    if (ready < 0 && errno == EINTR) continue;
    if (ready < 0) throw io_error("cannot wait: " + reason(errno));
    if (ready == 0) return woken_by::time;
    if (watched[1].revents != 0) return woken_by::wake_fd;
    return woken_by::nobody;
  }
}

std::size_t socket::write(std::string_view bytes) {
  for (;;) {
    const ssize_t sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent >= 0) return static_cast<std::size_t>(sent);
    if (errno == EAGAIN || errno == EWOULDBLOCK) return 0;
    if (errno != EINTR) throw io_error("cannot write: " + reason(errno));
  }
}

std::size_t socket::read(std::span<char> into) {
  for (;;) {
    const ssize_t got = ::recv(fd_, into.data(), into.size(), 0);
    if (got > 0) return static_cast<std::size_t>(got);
    if (got == 0) throw io_error("the server closed the connection");
    if (errno == EAGAIN || errno == EWOULDBLOCK) return 0;
    if (errno != EINTR) throw io_error("cannot read: " + reason(errno));
  }
}

std::optional<socket> socket::connect(const options& o, int wake_fd) {
  const deadline until = deadline_in(o.connect_timeout);
  const addresses all = addresses_of(o);
  int last = 0;
  for (const addrinfo* a = all.get(); a != nullptr; a = a->ai_next) {
    socket s(::socket(a->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, a->ai_protocol));
    if (s.fd_ < 0 || (::connect(s.fd_, a->ai_addr, a->ai_addrlen) != 0 && errno != EINPROGRESS && errno != EINTR)) {
      last = errno;
      continue;
    }
    switch (s.wait(true, share_of(until, *a), wake_fd)) {
      case woken_by::wake_fd: return std::nullopt;
      case woken_by::time: last = ETIMEDOUT; continue;
      case woken_by::nobody: break;
    }
    socklen_t length = sizeof last;
    if (::getsockopt(s.fd_, SOL_SOCKET, SO_ERROR, &last, &length) != 0) last = errno;
    if (last != 0) continue;
    // Commands are small and wait for their replies; a peer that vanished without a word is noticed by keep-alives.
    const int on = 1;
    (void)::setsockopt(s.fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    (void)::setsockopt(s.fd_, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
    return s;
  }
  if (last == ETIMEDOUT) throw io_timeout("cannot connect: no answer within " + format_duration(o.connect_timeout));
  throw io_error("cannot connect: " + reason(last));
}

}  // namespace switchgear::inline v1::redis::detail
