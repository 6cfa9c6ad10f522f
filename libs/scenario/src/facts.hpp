// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <switchgear/scenario/program.hpp>

#include <optional>
#include <string_view>
#include <vector>

namespace switchgear::inline v1::scenario {

/// What kind of value a fact has.
enum class fact_kind : std::uint8_t { state, count, rate, duration };

[[nodiscard]] fact_kind kind_of(fact f) noexcept;
[[nodiscard]] std::optional<fact> find_fact(std::string_view key) noexcept;
[[nodiscard]] std::vector<std::string_view> fact_keys();

[[nodiscard]] std::optional<switchgear::state> find_state(std::string_view name) noexcept;
[[nodiscard]] std::optional<rejection_reason> find_reason(std::string_view name) noexcept;

}  // namespace switchgear::inline v1::scenario
