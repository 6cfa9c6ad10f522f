// SPDX-License-Identifier: Apache-2.0
//
// Where the values of a configuration in force came from.
#include "registry_core.hpp"

namespace switchgear::inline v1::detail {

std::vector<configured_value> registry_core::configuration_of(std::string_view name) const {
  const environment_says now = environment();  // may call the user, so without a lock
  const breaker_handle held = find(name);
  if (!held) return {};
  const registered_breaker& body = *held.record_->body;
  const asked_config asked = body.asked.view();
  std::shared_ptr<const file_in_force> in_force;
  std::shared_ptr<const config> layered;
  {
    const std::lock_guard lock(mutex_);
    in_force = file_;
    layered = body.layered;
  }
  // What the environment said when the layers were laid is not kept. Whatever makes of them what they made then decided then.
  environment_says said = now;
  for (const environment_says possible : {now, switch_.last_permission(), environment_says::nothing, environment_says::yes,
                                          environment_says::no}) {
    const layered_config made = layering_.resolve(name, asked, *in_force, possible);
    if (!made.value || !(*made.value == *layered)) continue;
    said = possible;
    break;
  }
  return configured_values(body.breaker.configuration(), layering_.layers_of(name, asked, *in_force, said), "changed since");
}

}  // namespace switchgear::inline v1::detail
