// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <system_error>

namespace switchgear::inline v1::fleet {

/// A descriptor that is readable from raise() to clear(). Throws std::system_error when the system has none left.
class event_descriptor {
 public:
  event_descriptor() : fd_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
    if (fd_ < 0) throw std::system_error(errno, std::system_category(), "eventfd");
  }
  event_descriptor(const event_descriptor&) = delete;
  event_descriptor& operator=(const event_descriptor&) = delete;
  ~event_descriptor() { ::close(fd_); }

  /// Any thread; never waits.
  void raise() const noexcept {
    const std::uint64_t one = 1;
    (void)!::write(fd_, &one, sizeof one);
  }
  void clear() const noexcept {
    std::uint64_t ignored = 0;
    (void)!::read(fd_, &ignored, sizeof ignored);
  }
  [[nodiscard]] bool is_raised() const noexcept {
    pollfd watched{fd_, POLLIN, 0};
    return ::poll(&watched, 1, 0) > 0;
  }
  [[nodiscard]] int descriptor() const noexcept { return fd_; }

 private:
  int fd_;
};

/// One descriptor that is readable while any of several is: redis::connection waits for a single one besides its own.
class any_readable {
 public:
  any_readable() : fd_(::epoll_create1(EPOLL_CLOEXEC)) {
    if (fd_ < 0) throw std::system_error(errno, std::system_category(), "epoll_create1");
  }
  any_readable(const any_readable&) = delete;
  any_readable& operator=(const any_readable&) = delete;
  ~any_readable() { ::close(fd_); }

  /// A descriptor that is closed leaves by itself.
  void add(int fd) const {
    epoll_event what{};
    what.events = EPOLLIN;
    if (::epoll_ctl(fd_, EPOLL_CTL_ADD, fd, &what) != 0) throw std::system_error(errno, std::system_category(), "epoll_ctl");
  }
  [[nodiscard]] int descriptor() const noexcept { return fd_; }

 private:
  int fd_;
};

}  // namespace switchgear::inline v1::fleet
