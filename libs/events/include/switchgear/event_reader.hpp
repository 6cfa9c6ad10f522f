// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <switchgear/event.hpp>

#include <optional>
#include <string>
#include <string_view>

namespace switchgear::inline v1 {

/// What reading an event brought: the event, or why there is none.
struct event_reading {
  std::optional<event> value;
  std::string error;  ///< one phrase that names the attribute; no part of it comes from a value longer than 40 characters

  explicit operator bool() const noexcept { return value.has_value(); }
};

/// The longest event that is read, in bytes.
inline constexpr std::size_t longest_event = 64 * 1024;

/// Reads what to_json(event) writes, in any order of the attributes and with any white space, and nothing else: other attributes,
/// repeated ones, wrong types, names that no breaker can have, times that do not exist, attributes that contradict each other are
/// refused. Times come back in milliseconds, which is what the wire form has. Any thread.
[[nodiscard]] event_reading read_event(std::string_view json);

}  // namespace switchgear::inline v1
