// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <switchgear/circuit_source.hpp>

#include <optional>
#include <string>
#include <string_view>

namespace switchgear::inline v1::detail {

/// The last segment of an action's address; nothing when there is no such action.
[[nodiscard]] std::optional<circuit_action::kind> action_named(std::string_view text) noexcept;

/// Reads the body of an action, `{"owner": …, "reason": …, "ttl": …}`, into owner, reason and ttl of `into`, whose kind
/// decides whether it may have a ttl. Returns what is wrong, one sentence, or nothing; then `into` is complete.
[[nodiscard]] std::string read_action_body(std::string_view body, circuit_action& into);

}  // namespace switchgear::inline v1::detail
