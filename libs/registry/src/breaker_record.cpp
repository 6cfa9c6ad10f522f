// SPDX-License-Identifier: Apache-2.0
#include <switchgear/detail/breaker_record.hpp>

#include "registered_breaker.hpp"
#include "registry_core.hpp"

#include <memory>
#include <utility>

namespace switchgear::inline v1::detail {

registered_breaker::registered_breaker(std::shared_ptr<registry_core> core, std::string name, const asked_config& wanted,
                                       std::shared_ptr<const config> configuration, classifier rules, clock* time,
                                       std::unique_ptr<shared_home> home)
    : owner(std::move(core)),
      asked(wanted, configuration),
      has_rules(!rules.is_empty()),
      layered(std::move(configuration)),
      // Without a clock of its own a breaker reads the time in a quicker way.
      breaker(home            ? time == nullptr ? circuit_breaker(std::move(home), std::move(name), std::move(rules))
                                                : circuit_breaker(std::move(home), std::move(name), std::move(rules), *time)
              : time == nullptr ? circuit_breaker(std::move(name), *layered, std::move(rules))
                                : circuit_breaker(std::move(name), *layered, std::move(rules), *time)) {}

void registered_breaker::changed(circuit_breaker&, const machine::transition& change) noexcept {
  owner->timers().changed(*this, change);
}

void breaker_record::dispose() noexcept {
  std::unique_ptr<registered_breaker> ended(std::exchange(body, nullptr));
  // Perhaps the last owner of the memory that this record lies in.
  const std::shared_ptr<registry_core> owner = std::move(ended->owner);
  owner->timers().end(*ended);
  ended.reset();
  owner->take_back(*this);
}

}  // namespace switchgear::inline v1::detail
