// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <switchgear/scenario/program.hpp>

#include <string>
#include <string_view>

namespace switchgear::inline v1::scenario {

/// How a scenario ended.
enum class result { passed, failed, not_a_scenario };

/// What became of one scenario.
struct outcome {
  scenario::result result = result::passed;
  std::string name;  ///< of the scenario; empty when it could not be read
  std::string step;  ///< where it stopped, `3.2`; empty when it passed
  std::string text;  ///< failed: what was expected and what was seen · not a scenario: why
};

/// Drives a fresh breaker through the program, on a clock that starts at 0 and that only the program moves.
/// Deterministic.
[[nodiscard]] outcome run(const program& p);

/// parse() and run(). Safe for any text, and its work is bounded by `most`.
[[nodiscard]] outcome run_text(std::string_view text, const limits& most = {});

}  // namespace switchgear::inline v1::scenario
