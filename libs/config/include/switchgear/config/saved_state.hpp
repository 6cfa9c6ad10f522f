// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <switchgear/saved_state.hpp>

#include <string_view>

namespace switchgear::inline v1 {

/// Reads what to_json(const saved_state&) writes, in any order of the members. Everything else is refused with a
/// reason: broken JSON or more than 1 MiB of it, a member that is missing, unknown, or given twice, a wrong type, a
/// number out of range, another version, and whatever validate() objects to. Throws nothing but std::bad_alloc; safe
/// from any thread.
///
/// Texts that are not UTF-8 come back as to_json() wrote them, with U+FFFD for the bytes that JSON cannot hold; the
/// binary form keeps every byte.
[[nodiscard]] read_state saved_state_from_json(std::string_view text);

}  // namespace switchgear::inline v1
