// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

/// The streams of random numbers: what is drawn for one purpose changes nothing for the others.
namespace switchgear::inline v1::simulation::purpose {

inline constexpr std::uint64_t world = 1, node = 2, calls = 3, ids = 4;

}  // namespace switchgear::inline v1::simulation::purpose
