// SPDX-License-Identifier: Apache-2.0
#include <switchgear/host/state_folder.hpp>

#include <switchgear/host/file_name.hpp>
#include <switchgear/host/state_error.hpp>

#include "private_entry.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <dirent.h>
#include <fcntl.h>
#include <memory>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

namespace switchgear::inline v1::host {
namespace {

std::string in_quotes(const std::filesystem::path& path) { return "\"" + path.string() + "\""; }

}  // namespace

state_folder state_folder::open(const std::filesystem::path& path) {
  // A slash at the end would make the system follow a link in spite of O_NOFOLLOW.
  std::filesystem::path plain = path;
  if (!plain.has_filename() && plain.has_relative_path()) plain = plain.parent_path();
  const int fd = ::open(plain.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (fd < 0) {
    const int error = errno;
    struct stat info{};
    if (error == ENOENT) {
      throw state_error(state_error::kind::missing, "there is no state folder " + in_quotes(path));
    }
    if (::lstat(plain.c_str(), &info) == 0 && S_ISLNK(info.st_mode)) {
      throw state_error(state_error::kind::refused,
                        "the state folder " + in_quotes(path) +
                            " is a symbolic link, and none is followed; name the folder itself");
    }
    if (error == ENOTDIR) {
      throw state_error(state_error::kind::refused, "the state folder " + in_quotes(path) + " is not a folder");
    }
    throw system_error_of("the state folder " + in_quotes(path) + " cannot be opened", error);
  }
  state_folder folder(plain, fd);
  require_private(fd, "the state folder " + in_quotes(path), path.string(), "700");
  return folder;
}

state_folder state_folder::open_or_create(const std::filesystem::path& path) {
  std::filesystem::path so_far;
  for (const auto& part : path) {
    if (part.empty()) continue;
    so_far /= part;
    if (::mkdir(so_far.c_str(), 0700) == 0 || errno == EEXIST) continue;
    const int error = errno;
    struct stat info{};
    if (::stat(so_far.c_str(), &info) == 0) continue;  // a read-only root, say, that is there
    throw system_error_of("the state folder " + in_quotes(path) + " cannot be made at " + in_quotes(so_far), error);
  }
  return open(path);
}

state_folder::state_folder(state_folder&& other) noexcept
    : path_(std::move(other.path_)), fd_(std::exchange(other.fd_, -1)) {}

state_folder& state_folder::operator=(state_folder&& other) noexcept {
  std::swap(path_, other.path_);
  std::swap(fd_, other.fd_);
  return *this;
}

state_folder::~state_folder() {
  if (fd_ >= 0) ::close(fd_);
}

std::vector<std::string> state_folder::files() const { return files(state_file_suffix); }

std::vector<std::string> state_folder::files(std::string_view suffix) const {
  std::vector<std::string> out;
  const int fd = ::openat(fd_, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const std::unique_ptr<DIR, int (*)(DIR*)> list(fd < 0 ? nullptr : ::fdopendir(fd), ::closedir);
  if (!list) throw system_error_of("the state folder " + in_quotes(path_) + " cannot be read", errno);
  while (const dirent* entry = ::readdir(list.get())) {
    const std::string_view name = entry->d_name;
    if (!name.starts_with('.') && name.ends_with(suffix)) out.emplace_back(name);
  }
  std::sort(out.begin(), out.end());
  return out;
}

std::filesystem::path default_state_folder() {
  const auto from = [](const char* variable) {
    const char* value = std::getenv(variable);
    return std::filesystem::path(value == nullptr ? "" : value);
  };
  if (auto given = from("SWITCHGEAR_STATE_DIR"); !given.empty()) return given;
  if (auto state = from("XDG_STATE_HOME"); state.is_absolute()) return state / "switchgear";
  if (auto home = from("HOME"); !home.empty()) return home / ".local" / "state" / "switchgear";
  throw state_error(state_error::kind::system,
                    "there is no place for the state: set SWITCHGEAR_STATE_DIR (or XDG_STATE_HOME or HOME)");
}

}  // namespace switchgear::inline v1::host
