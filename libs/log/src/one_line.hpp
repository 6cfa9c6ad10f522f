// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace switchgear::inline v1::detail {

/// The text as it is, but on one line and harmless to a terminal: control characters and what else ends lines as the escapes of
/// JSON (`\n`, `\u001b`), what is not UTF-8 as U+FFFD.
[[nodiscard]] std::string one_line(std::string_view text);

/// Of text that is UTF-8 without ASCII control characters: the control characters beyond ASCII, U+2028 and U+2029, as escapes.
[[nodiscard]] std::string without_rare_controls(std::string_view text);

}  // namespace switchgear::inline v1::detail
