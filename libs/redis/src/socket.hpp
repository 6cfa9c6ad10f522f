// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <switchgear/redis/options.hpp>

#include <chrono>
#include <cstddef>
#include <optional>
#include <span>
#include <string_view>
#include <utility>

namespace switchgear::inline v1::redis::detail {

/// The end of a wait; nothing: there is none.
using deadline = std::optional<std::chrono::steady_clock::time_point>;

/// `from_now` from now; 0 = none.
[[nodiscard]] deadline deadline_in(std::chrono::nanoseconds from_now);

/// A TCP connection that never blocks and closes itself. Throws io_error.
class socket {
 public:
  /// Tries the addresses of the host one after the other. Nothing when `wake_fd` became readable. Throws io_timeout.
  static std::optional<socket> connect(const options& o, int wake_fd);

  explicit socket(int fd = -1) noexcept : fd_(fd) {}
  socket(socket&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  socket& operator=(socket&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~socket() { close(); }
  void close() noexcept;

  [[nodiscard]] int descriptor() const noexcept { return fd_; }
  /// How many bytes went out, 0 when none can now.
  std::size_t write(std::string_view bytes);
  /// How many bytes came, 0 when none are there now.
  std::size_t read(std::span<char> into);

  enum class woken_by : unsigned char { nobody, time, wake_fd };
  /// Waits until something can be read (or written, if `to_write`).
  [[nodiscard]] woken_by wait(bool to_write, const deadline& until, int wake_fd) const;

 private:
  int fd_;
};

}  // namespace switchgear::inline v1::redis::detail
