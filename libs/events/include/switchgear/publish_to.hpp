// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <switchgear/circuit_breaker.hpp>
#include <switchgear/event_bus.hpp>
#include <switchgear/snapshot.hpp>
#include <switchgear/subscription.hpp>

#include <string>

namespace switchgear::inline v1 {

/// Publishes what happens to one breaker from now on, and how it is now, until the subscription ends; then the circuit is
/// withdrawn. A registry does the same for all its breakers: registry_options::bus.
///
///     sg::circuit_breaker payments{"payments"};
///     const auto published = sg::publish_to(bus, payments);
///
/// With event_filter::everything calls take the long way, as with any observer of calls. Bus and breaker outlive the
/// subscription.
[[nodiscard]] subscription publish_to(event_bus& bus, circuit_breaker& breaker,
                                      event_filter filter = event_filter::transitions);

/// How a breaker is now, as an event with event::present set: kind, state, sequence and texts of its last transition. One that
/// never had any reads as closed, with sequence 0.
[[nodiscard]] event present_event(const circuit_breaker& breaker);
/// The same of a breaker that lives elsewhere.
[[nodiscard]] event present_event(const snapshot& now, std::string instance, bool shadow);

}  // namespace switchgear::inline v1
