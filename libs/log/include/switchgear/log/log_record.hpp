// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <switchgear/event.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace switchgear::inline v1 {

/// How much a line matters, the least first.
enum class log_level : std::uint8_t { debug, info, warning, error };

/// `debug`, `info`, `warning`, `error`.
[[nodiscard]] std::string_view to_string(log_level level) noexcept;

/// What a field holds: text, a whole number, any number, or yes and no.
using log_value = std::variant<std::string, std::int64_t, double, bool>;

/// One thing that a line says besides its message.
struct log_field {
  std::string key;  ///< `failure_count`
  log_value value;

  friend bool operator==(const log_field&, const log_field&) = default;
};

/// One line of a log before anybody has decided what it looks like. (log_line() is the text of an event.)
struct log_record {
  log_level level = log_level::info;
  std::string message;  ///< one line of UTF-8: nothing in it ends a line or talks to a terminal
  std::vector<log_field> fields;
  std::chrono::system_clock::time_point time;
};

/// Where lines go.
using log_sink = std::function<void(const log_record&)>;

/// How much an event matters; the table is in docs/logging.md.
[[nodiscard]] log_level level_of(const event& e) noexcept;

/// The event as a line: message log_line(event), fields by the names that events have on a bus: kind, service, state,
/// previous_state, failure_count, last_failure (RFC 3339), reason, generation, correlation_id, retry_after_ms, shadow, source,
/// instance. What an event does not have has no field. Of event::present the message is `circuit NAME is STATE: reason`.
[[nodiscard]] log_record to_log_record(const event& e);

/// One JSON object on one line, without its end: `{"time":…,"level":…,"message":…,` and the fields by their keys`}`.
[[nodiscard]] std::string to_json(const log_record& r);

/// The fields as `key=value key="a text with spaces"`, on one line.
[[nodiscard]] std::string to_logfmt(const std::vector<log_field>& fields);

}  // namespace switchgear::inline v1
