// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <switchgear/config.hpp>
#include <switchgear/host/host_clock.hpp>
#include <switchgear/host/state_error.hpp>
#include <switchgear/host/state_folder.hpp>
#include <switchgear/machine/block.hpp>

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <sys/types.h>

#include "layout.hpp"

namespace switchgear::inline v1::host {

/// An open file that closes itself.
class descriptor {
 public:
  explicit descriptor(int fd = -1) noexcept : fd_(fd) {}
  descriptor(descriptor&& other) noexcept;
  descriptor& operator=(descriptor&& other) noexcept;
  ~descriptor();
  [[nodiscard]] int get() const noexcept { return fd_; }

 private:
  int fd_;
};

/// The lock of a state file (flock). The kernel gives it back when its holder dies.
class file_lock {
 public:
  enum class mode { shared, exclusive };
  /// Waits for it, but not for ever: a holder needs microseconds, so one that does not let go has been stopped.
  file_lock(int fd, mode m, const std::string& path);
  file_lock(const file_lock&) = delete;
  file_lock& operator=(const file_lock&) = delete;
  ~file_lock();

 private:
  int fd_;
};

/// `path: problem; what to do`, as an exception to throw.
[[nodiscard]] state_error refusal_of(const std::string& path, const std::string& problem);

/// Opens a state file by its name in the folder, following no link. Throws state_error.
[[nodiscard]] descriptor open_state_file(const state_folder& folder, const std::string& file, int flags);

/// Makes the file of a circuit, complete or not at all; a file that is there already stays.
void make_state_file(const state_folder& folder, const std::string& file, std::string_view name, const config& initial,
                     const moment& now);

/// Makes a file of that name for this user alone, complete or not at all: `fill` writes it before it gets its name. One that is
/// there already stays.
void make_private_file(const state_folder& folder, const std::string& file, const std::function<void(int fd)>& fill);

/// Takes room on the disk, so that a full one is an error now. Throws state_error.
void take_room(int fd, off_t at, std::size_t bytes, const std::string& path);
void write_all(int fd, const void* from, std::size_t bytes, off_t at, const std::string& path);

/// Throws unless the open file has exactly the size of an image: a shorter one must not be looked at through a mapping.
void require_image_size(int fd, const std::string& path);

/// The time on the file's timeline.
[[nodiscard]] machine::nanos timeline_at(const stored_clock& last, const moment& now) noexcept;

}  // namespace switchgear::inline v1::host
