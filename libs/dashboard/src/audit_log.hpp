// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <switchgear/circuit_source.hpp>

#include <chrono>
#include <cstddef>
#include <deque>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

namespace switchgear::inline v1::detail {

/// Who did what to which circuit, and what became of it.
struct audit_entry {
  std::chrono::system_clock::time_point time;
  circuit_action action;
  std::string outcome{};  ///< `done`, `nothing_to_do`, `refused`
  std::string message{};
  std::string peer{};
};

/// AUDIT of the API, on one line.
[[nodiscard]] std::string to_json(const audit_entry& e);

/// The last 1,000 actions in memory, and all of them in a file.
///
/// The file has two lines for each action: one with the outcome `intended`, written before anything is done, so that no action
/// goes unrecorded, and one with what became of it. Both have the same `id`, which the API does not show. The file is opened for
/// each line, append-only and with the mode 0600 when it is made: who renames it away gets a new one. Lines are written, not
/// forced to the disk.
///
/// Thread safety: every function from any thread.
class audit_log {
 public:
  /// Without a file, memory is all there is.
  explicit audit_log(std::string file, std::size_t most = 1'000);

  /// Why nothing can be written, if so: asked for at the start and after each failure. One sentence.
  [[nodiscard]] std::optional<std::string> problem() const;

  /// Writes down that it will be done; the id that finish() needs. Nothing when it could not be written: see problem().
  [[nodiscard]] std::optional<std::string> intend(const audit_entry& e);
  /// Writes down what became of it, and keeps it in memory in any case. False when it could not be written.
  bool finish(std::string_view id, const audit_entry& e);

  /// `[AUDIT…]`, newest first. With a name only those of that circuit; with an instance too, of that one.
  [[nodiscard]] std::string list(std::string_view name = {}, std::string_view instance = {}) const;

 private:
  struct kept {
    std::string name, instance;
    std::string text;
  };
  bool write(std::string_view id, const audit_entry& e);

  const std::string file_;
  const std::size_t most_;
  mutable std::mutex mutex_;
  std::deque<kept> entries_;  ///< newest first
  std::string problem_;
  bool torn_ = false;  ///< the last line was not written to its end
};

}  // namespace switchgear::inline v1::detail
