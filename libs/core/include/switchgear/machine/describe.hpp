// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <switchgear/machine/machine.hpp>

#include <string>
#include <string_view>

namespace switchgear::inline v1::machine {

/// Why a transition happened, in words: `5 consecutive failures (threshold 5)`. For what an operator did it is what the
/// operator said, or the name of the action when nothing was said.
[[nodiscard]] std::string describe(const transition& t, std::string_view operator_reason = {});

/// A share in millionths as people write it, without trailing zeros: `50%`, `33.3333%`.
[[nodiscard]] std::string percent(std::uint64_t millionths);

}  // namespace switchgear::inline v1::machine
