// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <switchgear/circuit_breaker.hpp>
#include <switchgear/detail/breaker_record.hpp>

#include "layering.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace switchgear::inline v1::detail {

class registry_core;

/// A breaker with what its registry knows of it. Keeps the registry's memory (not the registry) alive.
struct registered_breaker final : transition_watcher {
  registered_breaker(std::shared_ptr<registry_core> core, std::string name, const asked_config& wanted,
                     std::shared_ptr<const config> configuration, classifier rules, clock* time,
                     std::unique_ptr<shared_home> home);

  void changed(circuit_breaker& which, const machine::transition& change) noexcept override;

  std::shared_ptr<registry_core> owner;
  breaker_record* record = nullptr;  ///< once it has one
  std::uint64_t id = 0;              ///< of the breaker: records are used again, ids are not
  const kept_request asked;
  const bool has_rules;
  std::shared_ptr<const config> layered;  ///< what its layers said last; under the registry's mutex

  /// Its timer; under the mutex of the alarms.
  struct alarm {
    std::uint64_t generation = 0;  ///< it was set for
    std::uint64_t serial = 0;      ///< grows whenever it is set or taken back
    clock::timer timer = 0;
    bool armed = false;
    bool ended = false;  ///< the registry is done with the breaker
  } alarm;

  /// What keeps the registry's observers subscribed, by their numbers; under the mutex of the observers. Null: none.
  using subscriptions = std::vector<std::pair<std::uint64_t, subscription>>;
  std::unique_ptr<subscriptions> observed;
  bool observable = true;

  circuit_breaker breaker;  ///< last, so that all it may still call outlives it
};

}  // namespace switchgear::inline v1::detail
