// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <switchgear/saved_state.hpp>

namespace switchgear::fuzz {

/// A saved state that a reader accepted can be written and read in both forms, and a breaker that takes it up works and
/// saves what can be read again.
void check_accepted(const saved_state& s);

}  // namespace switchgear::fuzz
