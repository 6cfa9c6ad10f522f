// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace switchgear::inline v1::host {

/// The text as one line of UTF-8 of at most `limit` bytes: control characters become spaces, what is not UTF-8 becomes
/// `?`, and what is too long is cut between two characters and ends in `…`.
[[nodiscard]] std::string one_line(std::string_view text, std::size_t limit);

/// event::instance of the circuit whose file begins with that seed: 16 hexadecimal digits.
[[nodiscard]] std::string instance_text(std::uint64_t seed);

}  // namespace switchgear::inline v1::host
