// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <switchgear/log/log_record.hpp>

#include <ostream>

namespace switchgear::inline v1 {

/// Writes each line to `out` as one JSON object (see to_json) and flushes it. Lines of several threads stay whole as long as
/// nobody else writes to `out`. The stream outlives the sink and its copies, which share one lock.
[[nodiscard]] log_sink json_lines(std::ostream& out);

}  // namespace switchgear::inline v1
