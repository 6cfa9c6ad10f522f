// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace switchgear::inline v1::consul::detail {

/// Base64 of RFC 4648, section 4, with padding. Anything else is nothing: other characters, white space, a wrong length, bits
/// that are not 0 before the padding.
[[nodiscard]] std::optional<std::string> decode_base64(std::string_view text);

}  // namespace switchgear::inline v1::consul::detail
