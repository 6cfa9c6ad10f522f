// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <switchgear/config.hpp>

#include <cstdint>
#include <vector>

namespace switchgear::inline v1::host {

/// How large a file of shared circuits is. Whoever makes the file decides; those who open it later take its sizes.
///
/// With L = max_processes × lanes_per_process and W = 8 × max(4,104, 192 + 72 × L), a circuit takes 38,272 + 64 × L + W
/// bytes of the disk when it is made (198 KiB with the defaults), and W more with each of the first three changes of the
/// shape of its window. The table in front takes 4,096 + 64 × max_processes + 512 × max_circuits. The file has its full
/// length from the start, 4 × W for each circuit (159 MiB with the defaults, at most 16 GiB), but what no circuit uses takes
/// no room.
struct shared_options {
  /// How many circuits at most, 1 … 65,536.
  std::uint32_t max_circuits = 256;

  /// How many processes at a time at most, 1 … 512. Each shared_circuits that is open counts.
  std::uint32_t max_processes = 64;

  /// How many threads of a process have counters of their own, 1 … 16; the others share theirs. As many as threads that call
  /// at the same time is best.
  std::uint32_t lanes_per_process = 4;

  /// Every problem at once; empty when the options are good.
  [[nodiscard]] std::vector<problem> validate() const;

  friend bool operator==(const shared_options&, const shared_options&) = default;
};

}  // namespace switchgear::inline v1::host
