// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <thread>

namespace switchgear::inline v1::detail {

/// What tells one state of a file from another without reading it.
struct file_signature {
  std::uint64_t device = 0;
  std::uint64_t inode = 0;  ///< 0: there is no such file
  std::uint64_t size = 0;
  std::int64_t modified = 0;  ///< nanoseconds
  std::int64_t changed = 0;

  friend bool operator==(const file_signature&, const file_signature&) = default;
  [[nodiscard]] bool is_same_file(const file_signature& other) const noexcept {
    return device == other.device && inode == other.inode;
  }
};

[[nodiscard]] file_signature signature_of(const std::string& path) noexcept;

/// Calls `changed`, on a thread of its own, when the system tells that the file was written and closed, or that another file has
/// come under its name: by a rename, as editors do, or by the change of a symbolic link in the same folder, as Kubernetes does.
/// The folder is watched, not the file, which such changes replace; what happens in other folders is not told, so neither is a
/// change of the file that a link leads to, or of a link further on the way. That the file goes is not told.
class file_watcher {
 public:
  /// Null when the system cannot tell: another one than Linux, no inotify instance left, no such folder. From the return on, no
  /// change is missed.
  [[nodiscard]] static std::unique_ptr<file_watcher> start(const std::string& path, std::function<void()> changed);
  file_watcher(const file_watcher&) = delete;
  file_watcher& operator=(const file_watcher&) = delete;
  /// Ends the thread at once; waits for a `changed` that is running.
  ~file_watcher();

 private:
  file_watcher(std::string folder, std::string name, int events, int stop, std::function<void()> changed);
  void run();
  [[nodiscard]] bool watch_folder() noexcept;
  /// Reads what the system tells; whether it concerns the file.
  [[nodiscard]] bool hears_of_file();

  const std::string folder_;
  const std::string name_;
  const std::string path_;
  const std::function<void()> changed_;
  const int events_;  ///< inotify
  const int stop_;    ///< eventfd
  int watch_ = -1;    ///< of the folder; -1 when it has gone
  file_signature last_;
  std::thread thread_;
};

}  // namespace switchgear::inline v1::detail
