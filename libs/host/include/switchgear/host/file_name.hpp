// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace switchgear::inline v1::host {

/// How the names of state files end.
inline constexpr std::string_view state_file_suffix = ".circuit";

/// The name of the state file of a circuit: `backup` → `backup.circuit`, `db/orders` → `db%2Forders.circuit`.
///
/// Two circuits never have the same one by their spelling: letters, digits, `_`, `-` and inner dots stand for
/// themselves, each other byte is %XX. What would be too long for a file system is cut and ends in `~` and 128 bits of
/// a hash; the file itself holds the whole name, so even two names with the same hash are noticed.
[[nodiscard]] std::string file_name_of(std::string_view circuit);

}  // namespace switchgear::inline v1::host
