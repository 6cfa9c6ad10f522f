// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <string>
#include <string_view>

namespace switchgear::inline v1 {

/// `text` as a JSON string with its quotes. Bytes that are not UTF-8 become U+FFFD, so the result is always valid JSON.
[[nodiscard]] std::string json_string(std::string_view text);

/// A number as JSON: the shortest text that reads back to the same double, whole numbers without an exponent; null for
/// what JSON cannot say.
[[nodiscard]] std::string json_number(double value);

/// RFC 3339 in UTC with milliseconds: `2026-01-18T10:30:00.250Z`.
[[nodiscard]] std::string utc_time(std::chrono::system_clock::time_point t);

}  // namespace switchgear::inline v1
