// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace switchgear::inline v1::detail {

/// For threads of this library that call breakers now and then: the calling thread will own no lane, see lanes.hpp, and leaves
/// them to the threads of the user. Does nothing to a thread that has its number.
void own_no_lane() noexcept;

}  // namespace switchgear::inline v1::detail
