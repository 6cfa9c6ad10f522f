// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <switchgear/classifier.hpp>
#include <switchgear/config.hpp>
#include <switchgear/registry.hpp>

#include <optional>
#include <string_view>

namespace switchgear::inline v1::detail {

/// What somebody wants the breaker of his calls to be, when he is the one who makes it. Refers to what he holds.
struct wanted_breaker {
  const std::optional<config>& whole;
  const config_patch& keys;
  const classifier& rules;
};

/// The breaker of that name, for one who has asked registry::enabled(). Who brings a configuration or rules brings them each
/// time, so that the registry can report what differs from what is there. Throws what registry::get throws.
inline breaker_handle find_breaker(registry& breakers, std::string_view name, const wanted_breaker& wanted) {
  if (wanted.whole) return breakers.get_working(name, *wanted.whole, wanted.rules);
  if (!wanted.keys.empty()) return breakers.get_working(name, wanted.keys, wanted.rules);
  if (!wanted.rules.is_empty()) return breakers.get_working(name, wanted.rules);
  return breakers.get_working(name);
}

/// Of options that give a whole configuration and keys.
inline problem two_configurations() {
  return {"breaker_keys", "", "none, or no `breaker`", "a whole configuration in `breaker` leaves single keys nothing to say"};
}

}  // namespace switchgear::inline v1::detail
