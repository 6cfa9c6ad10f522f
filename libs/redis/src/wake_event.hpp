// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <switchgear/redis/connection.hpp>

#include <sys/eventfd.h>
#include <unistd.h>

#include <cstdint>

namespace switchgear::inline v1::redis::detail {

/// A descriptor that is readable from raise() to clear(). Throws io_error when the system has none left.
class wake_event {
 public:
  wake_event() : fd_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
    if (fd_ < 0) throw io_error("no descriptor is left");
  }
  wake_event(const wake_event&) = delete;
  wake_event& operator=(const wake_event&) = delete;
  ~wake_event() { ::close(fd_); }

  /// Any thread.
  void raise() const noexcept {
    const std::uint64_t one = 1;
    (void)!::write(fd_, &one, sizeof one);
  }
  void clear() const noexcept {
    std::uint64_t ignored = 0;
    (void)!::read(fd_, &ignored, sizeof ignored);
  }
  [[nodiscard]] int descriptor() const noexcept { return fd_; }

 private:
  int fd_;
};

}  // namespace switchgear::inline v1::redis::detail
