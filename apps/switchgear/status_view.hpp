// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <switchgear/circuit_source.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

/// Circuits as lines of text: what matters first.
class status_view {
 public:
  /// The lines for what has just been read: how many circuits are in which state, then a table of them, the open ones on top.
  /// Calls per second are those since the lines before. `width` 0 = as wide as it is; `now` is any clock that only goes on.
  [[nodiscard]] std::vector<std::string> lines(std::vector<switchgear::circuit_reading> circuits,
                                               const std::vector<std::string>& problems, bool coloured, std::size_t width,
                                               std::chrono::nanoseconds now);

  /// The table alone.
  [[nodiscard]] std::vector<std::string> table_lines(std::vector<switchgear::circuit_reading> circuits, bool coloured,
                                                     std::size_t width = 0) const;

 private:
  using key = std::pair<std::string, std::string>;  ///< name and instance
  [[nodiscard]] std::string calls_per_second(const switchgear::circuit_reading& r) const;

  std::map<key, std::uint64_t> before_, now_;  ///< total_calls
  std::chrono::nanoseconds last_{0}, interval_{0};
};
