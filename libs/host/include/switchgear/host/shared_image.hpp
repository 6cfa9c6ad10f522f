// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>

namespace switchgear::inline v1::host {

/// What is wrong with the bytes of a file of shared circuits, in half a sentence; nothing when its circuits may be used.
/// Takes any bytes whatever. Times, windows and counters may be any: the machine bears them, see shared_circuits.
[[nodiscard]] std::optional<std::string> problem_of_shared_image(std::span<const std::byte> bytes);

/// Makes every checksum match its bytes, so that a fuzzer reaches what lies behind them. Does nothing when there is no header.
void seal_shared_image(std::span<std::byte> bytes);

/// Reads all that can be read, as `switchgear status` does, then lets the machine do one of everything on each circuit. For
/// fuzzers. Does nothing with an image that problem_of_shared_image() objects to; returns whether it ran.
bool exercise_shared_image(std::span<std::byte> bytes);

}  // namespace switchgear::inline v1::host
