// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace switchgear::inline v1::host {

/// The folder that holds the state files of one user, one file for each circuit.
///
/// It has to be the user's own and closed to everybody else (mode 0700), and no symbolic link is followed to it or in
/// it: who could write there could stop every command it protects.
class state_folder {
 public:
  /// Opens it, making it and its parents when they are missing. Throws state_error.
  static state_folder open_or_create(const std::filesystem::path& path);

  /// Opens it. Throws state_error; `missing` when there is none.
  static state_folder open(const std::filesystem::path& path);

  state_folder(state_folder&& other) noexcept;
  state_folder& operator=(state_folder&& other) noexcept;
  ~state_folder();

  [[nodiscard]] const std::filesystem::path& path() const noexcept { return path_; }
  [[nodiscard]] int descriptor() const noexcept { return fd_; }

  /// The names of the state files in it, sorted.
  [[nodiscard]] std::vector<std::string> files() const;
  /// The same for other files: those whose names end so and do not begin with a dot.
  [[nodiscard]] std::vector<std::string> files(std::string_view suffix) const;

 private:
  state_folder(std::filesystem::path path, int fd) : path_(std::move(path)), fd_(fd) {}
  std::filesystem::path path_;
  int fd_ = -1;
};

/// $SWITCHGEAR_STATE_DIR, or $XDG_STATE_HOME/switchgear, or ~/.local/state/switchgear. Throws state_error when there is
/// not even a home folder. A relative XDG_STATE_HOME is passed over, as its specification asks.
[[nodiscard]] std::filesystem::path default_state_folder();

}  // namespace switchgear::inline v1::host
