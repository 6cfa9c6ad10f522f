// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

namespace switchgear::inline v1::redis::detail {

/// Whether an error of the server says that it cannot serve now, whoever asks: the table of redis::rules(). `text` is the whole
/// reply.
[[nodiscard]] bool is_evidence(std::string_view code, std::string_view text) noexcept;

}  // namespace switchgear::inline v1::redis::detail
