// SPDX-License-Identifier: Apache-2.0
#include "file_watcher.hpp"

#include <sys/stat.h>

#include <utility>

#ifdef __linux__
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <array>
#include <cstring>
#endif

namespace switchgear::inline v1::detail {

file_signature signature_of(const std::string& path) noexcept {
  struct stat s {};
  if (::stat(path.c_str(), &s) != 0) return {};
  const auto nanos = [](const timespec& t) { return std::int64_t{t.tv_sec} * 1'000'000'000 + t.tv_nsec; };
#ifdef __APPLE__
  const std::int64_t modified = nanos(s.st_mtimespec), changed = nanos(s.st_ctimespec);
#else
  const std::int64_t modified = nanos(s.st_mtim), changed = nanos(s.st_ctim);
#endif
  return {static_cast<std::uint64_t>(s.st_dev), static_cast<std::uint64_t>(s.st_ino), static_cast<std::uint64_t>(s.st_size),
          modified, changed};
}

#ifdef __linux__

namespace {

constexpr std::uint32_t replaced = IN_CLOSE_WRITE | IN_MOVED_TO;
constexpr std::uint32_t told = replaced | IN_CREATE | IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR;
/// How long to wait before looking whether a folder that went is there again.
constexpr int look_again_milliseconds = 1000;

}  // namespace

std::unique_ptr<file_watcher> file_watcher::start(const std::string& path, std::function<void()> changed) {
  const std::size_t split = path.rfind('/');
  std::string folder = split == std::string::npos ? "." : split == 0 ? "/" : path.substr(0, split);
  std::string name = split == std::string::npos ? path : path.substr(split + 1);
  const int events = ::inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
  const int stop = ::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  // From here on the watcher closes them, whatever happens.
  std::unique_ptr<file_watcher> out(new file_watcher(std::move(folder), std::move(name), events, stop, std::move(changed)));
  if (events < 0 || stop < 0 || !out->watch_folder()) return nullptr;
  out->last_ = signature_of(path);
  out->thread_ = std::thread([self = out.get()] { self->run(); });
  return out;
}

file_watcher::file_watcher(std::string folder, std::string name, int events, int stop, std::function<void()> changed)
    : folder_(std::move(folder)),
      name_(std::move(name)),
      path_(folder_ + "/" + name_),
      changed_(std::move(changed)),
      events_(events),
      stop_(stop) {}

file_watcher::~file_watcher() {
  if (thread_.joinable()) {
    (void)::eventfd_write(stop_, 1);
    thread_.join();
  }
  if (events_ >= 0) ::close(events_);
  if (stop_ >= 0) ::close(stop_);
}

bool file_watcher::watch_folder() noexcept {
  watch_ = ::inotify_add_watch(events_, folder_.c_str(), told);
  return watch_ >= 0;
}

void file_watcher::run() {
  for (;;) {
    std::array<pollfd, 2> wait{pollfd{stop_, POLLIN, 0}, pollfd{events_, POLLIN, 0}};
    (void)::poll(wait.data(), wait.size(), watch_ < 0 ? look_again_milliseconds : -1);
    if (wait[0].revents != 0) return;
    bool concerned = (wait[1].revents & POLLIN) != 0 && hears_of_file();
    if (watch_ < 0 && watch_folder()) concerned = signature_of(path_).inode != 0;
    if (!concerned) continue;
    last_ = signature_of(path_);
    changed_();
  }
}

bool file_watcher::hears_of_file() {
  alignas(inotify_event) std::array<char, 4096> buffer;
  bool concerned = false;
  bool others = false;
  for (ssize_t size = 0; (size = ::read(events_, buffer.data(), buffer.size())) > 0;) {
    for (ssize_t at = 0; at < size;) {
      inotify_event event;
      std::memcpy(&event, buffer.data() + at, sizeof event);
      const char* const name = buffer.data() + at + sizeof event;  // padded with zeros to event.len
      at += static_cast<ssize_t>(sizeof event + event.len);
      if ((event.mask & IN_Q_OVERFLOW) != 0) {
        concerned = true;
      } else if ((event.mask & IN_MOVE_SELF) != 0) {
        (void)::inotify_rm_watch(events_, event.wd);  // it is another folder now; ends in IN_IGNORED
      } else if ((event.mask & IN_IGNORED) != 0) {
        if (event.wd == watch_) watch_ = -1;
      } else if (event.len > 0 && name_ == name) {
        // Not IN_CREATE, except of a link: who has just made a file has not written it yet.
        if ((event.mask & replaced) != 0) concerned = true;
        others = true;
      } else {
        others = true;
      }
    }
  }
  // Something else in this folder may have been a link on the way to the file. One that was only made, and is empty, is told when
  // it is closed.
  if (others && !concerned) {
    const file_signature now = signature_of(path_);
    concerned = now.inode != 0 && now.size != 0 && !now.is_same_file(last_);
  }
  return concerned;
}

#else

std::unique_ptr<file_watcher> file_watcher::start(const std::string&, std::function<void()>) { return nullptr; }
file_watcher::~file_watcher() = default;

#endif

}  // namespace switchgear::inline v1::detail
