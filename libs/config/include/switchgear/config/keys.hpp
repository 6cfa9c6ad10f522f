// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "switchgear/config/value.hpp"

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace switchgear::inline v1 {

/// What kind of value a key takes.
enum class value_kind { boolean, count, number, duration, window };

/// One key of the configuration. Environment, files, scenarios, command line and documentation all iterate this table,
/// so that a key which exists in one of them exists in all.
struct key_info {
  std::string_view key;    ///< `open_duration`
  std::string_view alias;  ///< `recovery_timeout`, or empty
  value_kind kind;
  std::string_view default_value;  ///< as text for people: `60s`, `10, or the count window if that is smaller`
  std::string_view allowed;        ///< the same words that config::validate() uses
  std::string_view meaning;        ///< half a sentence

  /// Reads the value into its member; the reason when it cannot be read, else empty. Ranges are left to validate().
  std::string (*assign)(config& c, const raw_value& raw);

  /// The value as a typed format spells it; nothing for an optional that is not set.
  std::optional<raw_value> (*value_of)(const config& c);

  /// Puts in a value that no rule about several keys can object to. Used in place of a value that could not be read, so
  /// that its absence is not reported as a fault of the keys beside it.
  void (*stand_in)(config& c);
};

/// Every key, in the order of the contract.
[[nodiscard]] std::span<const key_info> config_keys();

/// A key found under one of its two names.
struct key_match {
  const key_info* info = nullptr;
  bool by_alias = false;

  explicit operator bool() const noexcept { return info != nullptr; }
};

/// The key of that name or alias, exactly as written.
[[nodiscard]] key_match find_key(std::string_view name);

/// Names that mean different things in different systems and are therefore refused: the two keys it could be.
[[nodiscard]] std::optional<std::pair<std::string_view, std::string_view>> ambiguous_key(std::string_view name);

/// The known key or alias with the fewest typing errors between it and `name`.
[[nodiscard]] std::string_view nearest_key(std::string_view name);

/// The same among any names; empty when there are none.
[[nodiscard]] std::string_view nearest(std::string_view name, std::span<const std::string_view> among);

}  // namespace switchgear::inline v1
