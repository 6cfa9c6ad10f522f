// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>

namespace switchgear::inline v1::host {

/// How many bytes a state file of this version has.
[[nodiscard]] std::size_t state_image_bytes() noexcept;

/// What is wrong with the bytes of a state file, in half a sentence; nothing when the machine may run on them. Takes
/// any bytes whatever. Everything that the machine trusts is checked: sizes, checksums, states, counts, times, windows,
/// probe slots.
[[nodiscard]] std::optional<std::string> problem_of_image(std::span<const std::byte> bytes);

/// Makes every checksum of an image match its bytes, so that a fuzzer reaches what lies behind them. Does nothing when
/// the size is not that of an image.
void seal_image(std::span<std::byte> bytes) noexcept;

/// Lets the machine do one of everything on an image: observe, acquire, settle each verdict, operate, reconfigure. For
/// fuzzers. Does nothing with an image that problem_of_image() objects to; returns whether it ran.
bool exercise_image(std::span<std::byte> bytes);

}  // namespace switchgear::inline v1::host
