// SPDX-License-Identifier: Apache-2.0
#include "mapped_file.hpp"

#include <switchgear/host/file_name.hpp>
#include <switchgear/host/state_error.hpp>

#include "private_entry.hpp"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <fcntl.h>
#include <memory>
#include <random>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <thread>
#include <unistd.h>
#include <utility>

namespace switchgear::inline v1::host {

descriptor::descriptor(descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}

descriptor& descriptor::operator=(descriptor&& other) noexcept {
  std::swap(fd_, other.fd_);
  return *this;
}

descriptor::~descriptor() {
  if (fd_ >= 0) ::close(fd_);
}

file_lock::file_lock(int fd, mode m, const std::string& path) : fd_(fd) {
  using namespace std::chrono_literals;
  const int wanted = (m == mode::shared ? LOCK_SH : LOCK_EX) | LOCK_NB;
  const auto give_up = std::chrono::steady_clock::now() + 10s;
  for (auto pause = 100us;; pause = std::min<std::chrono::microseconds>(2 * pause, 5ms)) {
    if (::flock(fd, wanted) == 0) return;
    if (errno == EINTR) continue;
    if (errno != EWOULDBLOCK) throw system_error_of(path + " cannot be locked", errno);
    if (std::chrono::steady_clock::now() >= give_up) {
      throw state_error(state_error::kind::system,
                        path + " has been locked by another process for 10 seconds; one that was stopped in the "
                               "middle? `fuser -v` on the file names it");
    }
    std::this_thread::sleep_for(pause);
  }
}

file_lock::~file_lock() { ::flock(fd_, LOCK_UN); }

state_error refusal_of(const std::string& path, const std::string& problem) {
  return {state_error::kind::refused,
          path + " cannot be used: " + problem +
              ". It was left as it is; move or delete it, and the circuit starts anew, closed, at its next call"};
}

descriptor open_state_file(const state_folder& folder, const std::string& file, int flags) {
  const std::string path = (folder.path() / file).string();
  // O_NONBLOCK: a pipe of that name must not make us wait for its other end.
  descriptor fd(::openat(folder.descriptor(), file.c_str(), flags | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK));
  if (fd.get() < 0) {
    if (errno == ENOENT) throw state_error(state_error::kind::missing, path + " does not exist");
    if (errno == ELOOP) throw refusal_of(path, "it is a symbolic link, and none is followed");
    if (errno == EISDIR || errno == ENXIO) throw refusal_of(path, "it is not a regular file");
    throw system_error_of(path + " cannot be opened", errno);
  }
  struct stat info{};
  if (::fstat(fd.get(), &info) != 0) throw system_error_of(path + " cannot be examined", errno);
  if (!S_ISREG(info.st_mode)) throw refusal_of(path, "it is not a regular file");
  require_private(fd.get(), path, path, "600");
  return fd;
}

void require_image_size(int fd, const std::string& path) {
  struct stat info{};
  if (::fstat(fd, &info) != 0) throw system_error_of(path + " cannot be examined", errno);
  if (info.st_size == static_cast<off_t>(sizeof(file_image))) return;
  throw refusal_of(path, "it has " + std::to_string(info.st_size) + " bytes, and a state file of this version has " +
                             std::to_string(sizeof(file_image)));
}

void write_all(int fd, const void* from, std::size_t bytes, off_t at, const std::string& path) {
  const auto* data = static_cast<const char*>(from);
  while (bytes > 0) {
    const ssize_t n = ::pwrite(fd, data, bytes, at);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) throw system_error_of(path + " cannot be written", n < 0 ? errno : EIO);
    data += n;
    at += n;
    bytes -= static_cast<std::size_t>(n);
  }
}

namespace {

/// An image without history, of a closed circuit at time 0.
std::unique_ptr<file_image> fresh_image(std::string_view name, const config& initial, const moment& now) {
  auto image = std::make_unique<file_image>();
  file_header& h = image->header;
  std::memcpy(h.magic, file_magic, sizeof file_magic);
  h.layout = layout_version;
  h.byte_order = byte_order_mark;
  h.file_bytes = sizeof(file_image);
  h.page_bytes = sizeof(state_page);
  h.history_places = history_places;
  h.name_bytes = static_cast<std::uint32_t>(name.size());
  h.seed = std::uint64_t{std::random_device{}()} << 32 | std::random_device{}();
  h.made_at = now.wall;
  name.copy(h.name, sizeof h.name);
  h.checksum = checksum_of(h);

  state_page& page = image->page(1);
  page.number = 1;
  page.configuration = stored_config::of(initial, 0);
  std::copy(now.boot.begin(), now.boot.end(), page.clock.boot);
  page.clock.since_boot = std::max<std::int64_t>(0, now.since_boot);
  page.clock.wall = std::max<std::int64_t>(0, now.wall);
  page.checksum = checksum_of(page);
  image->commit.store(commit_of(1));
  return image;
}

}  // namespace

void make_state_file(const state_folder& folder, const std::string& file, std::string_view name, const config& initial,
                     const moment& now) {
  const std::string path = (folder.path() / file).string();
  const auto image = fresh_image(name, initial, now);

  make_private_file(folder, file, [&](int fd) {
    // The room is taken now: a full disk must be an error here, not a signal at some later store into the mapping.
    take_room(fd, 0, sizeof(file_image), path);
    write_all(fd, image.get(), offsetof(file_image, history), 0, path);
  });
}

void take_room(int fd, off_t at, std::size_t bytes, const std::string& path) {
  int error = EINTR;
  while (error == EINTR) error = ::posix_fallocate(fd, at, static_cast<off_t>(bytes));
  if (error != 0) throw system_error_of(path + " cannot be made", error);
}

void make_private_file(const state_folder& folder, const std::string& file, const std::function<void(int)>& fill) {
  const std::string path = (folder.path() / file).string();
  // Without a name it goes away by itself when we are killed; where the file system cannot do that, it gets a hidden
  // one.
  std::string hidden;
  descriptor fd(::openat(folder.descriptor(), ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600));
  if (fd.get() < 0) {
    hidden = "." + std::to_string(::getpid()) + "-" + std::to_string(std::random_device{}()) + ".new";
    constexpr int flags = O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
    fd = descriptor(::openat(folder.descriptor(), hidden.c_str(), flags, 0600));
    if (fd.get() < 0) throw system_error_of(path + " cannot be made", errno);
  }
  int result = 0;
  try {
    if (::fchmod(fd.get(), 0600) != 0) throw system_error_of(path + " cannot be made private", errno);
    fill(fd.get());
    const std::string from = hidden.empty() ? "/proc/self/fd/" + std::to_string(fd.get()) : hidden;
    result = ::linkat(hidden.empty() ? AT_FDCWD : folder.descriptor(), from.c_str(), folder.descriptor(), file.c_str(),
                      hidden.empty() ? AT_SYMLINK_FOLLOW : 0) == 0
                 ? 0
                 : errno;
  } catch (...) {
    if (!hidden.empty()) ::unlinkat(folder.descriptor(), hidden.c_str(), 0);
    throw;
  }
  if (!hidden.empty()) ::unlinkat(folder.descriptor(), hidden.c_str(), 0);
  if (result != 0 && result != EEXIST) throw system_error_of(path + " cannot be made", result);
}

machine::nanos timeline_at(const stored_clock& last, const moment& now) noexcept {
  // Not more than this at once, so that a wall clock gone mad cannot use up the timeline (18 years); every period that
  // a circuit waits for by itself is far shorter.
  constexpr std::int64_t longest_gap = std::int64_t{31} * 24 * 3600 * 1'000'000'000;
  const bool same_boot = std::equal(now.boot.begin(), now.boot.end(), last.boot);
  std::int64_t gone = 0;
  if (same_boot && now.since_boot >= last.since_boot) {
    gone = now.since_boot - last.since_boot;
  } else {
    // Another boot, or another clock of that name (a container with its own): what the wall clock says, never less than
    // nothing, and in another boot never less than what that boot has lasted.
    gone = now.wall > last.wall ? now.wall - last.wall : 0;
    if (!same_boot) gone = std::max(gone, now.since_boot);
    gone = std::clamp<std::int64_t>(gone, 0, longest_gap);
  }
  return machine::later(last.timeline, gone);
}

}  // namespace switchgear::inline v1::host
