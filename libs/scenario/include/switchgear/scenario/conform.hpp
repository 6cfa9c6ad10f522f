// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <iosfwd>
#include <span>
#include <string>

namespace switchgear::inline v1::scenario {

/// `switchgear conform PATH…`: runs scenario files, and folders of them recursively in name order (`*.json` only).
///
/// Writes `ok NAME` or `FAILED NAME: step N: what was expected, what was seen` for each scenario and then
/// `N passed, M failed` to `out`; `FILE: step N: why` for each file that is not a scenario to `err`. Control characters
/// in names and texts are escaped.
///
/// Returns 0 when all passed, 1 when some failed, 2 when something was not a scenario, a path does not exist or there
/// was no scenario at all; the other files are run all the same.
[[nodiscard]] int run_conform(std::span<const std::string> paths, std::ostream& out, std::ostream& err);

}  // namespace switchgear::inline v1::scenario
