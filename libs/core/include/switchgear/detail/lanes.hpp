// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <switchgear/machine/window.hpp>

#include <cstdint>

namespace switchgear::inline v1::detail {

/// 0 until the thread has asked for a number. Numbers are small, start at 1, and are given out again when a thread ends.
inline constinit thread_local std::uint32_t thread_number = 0;

/// Gives the calling thread its number.
std::uint32_t number_this_thread() noexcept;

/// How many lanes a breaker gets: one per hardware thread, 2 … 8.
[[nodiscard]] std::uint32_t lane_count() noexcept;

/// The lane of the calling thread in a breaker with `lanes` lanes, of which `own`, from `first` on, belong to threads of this
/// process: its own, or one that it shares with others.
[[nodiscard]] inline machine::lane_choice this_lane(std::uint32_t lanes, std::uint32_t first, std::uint32_t own) noexcept {
  std::uint32_t number = thread_number;
  if (number == 0) [[unlikely]] number = number_this_thread();
  return number <= own ? machine::lane_choice{first + number - 1, true} : machine::lane_choice{number % lanes, false};
}
[[nodiscard]] inline machine::lane_choice this_lane(std::uint32_t lanes) noexcept { return this_lane(lanes, 0, lanes); }

}  // namespace switchgear::inline v1::detail
