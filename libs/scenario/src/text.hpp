// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace switchgear::inline v1::scenario {

/// Text from a file as one line may show it: control characters and bytes that are not UTF-8 as \xNN, and not longer
/// than a few lines.
[[nodiscard]] std::string printable(std::string_view text, std::size_t longest = 2'000);

/// The same in quotation marks, short.
[[nodiscard]] std::string in_quotes(std::string_view text);

}  // namespace switchgear::inline v1::scenario
