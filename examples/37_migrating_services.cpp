// SPDX-License-Identifier: Apache-2.0
//
// What docs/migration.md shows for omnibase_core, omnibase_infra and Bindu.
#include "check.hpp"

#include <switchgear/config/environment.hpp>
#include <switchgear/effect_executor.hpp>
#include <switchgear/operations.hpp>
#include <switchgear/testing/skipping_clock.hpp>

#include <iostream>
#include <stdexcept>
#include <string>

namespace sg = switchgear;
using namespace std::chrono_literals;

int main() {
  sg::testing::skipping_clock clock;
  const auto perform = [](bool works) {
    if (!works) throw std::runtime_error("connection reset");
  };

  // [core]
  sg::circuit_breaker circuit{"orders", sg::presets::omnibase_core(), clock};
  const auto operate = [&](bool works) -> std::string {
    sg::permit allowed = circuit.try_acquire();  // should_allow_request()
    if (!allowed) return "open";
    try {
      perform(works);
      allowed.success();  // record_success()
      return "done";
    } catch (const std::exception& e) {
      allowed.failure(e.what());  // record_failure()
      return "failed";
    }
  };
  // [/core]
  for (const bool works : {true, true, false, false, false, false, false, true}) std::cout << operate(works) << " ";
  std::cout << circuit.history().back().reason << "\n";

  // [effect]
  sg::effect_executor node{{.breakers = {.preset = "omnibase_core", .environment = sg::variables{}}}, clock};
  node.define("api_call", {.circuit_breaker = true, .retry = sg::retry_options{.max_attempts = 3}});
  node.execute("api_call", [&](sg::transaction& t) {
    t.on_rollback("take the order back", [] { std::cout << "taken back\n"; });
    perform(true);
  });
  // [/effect]
  expect(node.metrics("api_call").committed == 1);

  // [infra]
  const sg::error_context context{.transport = "http", .operation = "charge", .target = "payments.local"};
  sg::circuit_breaker mixin{"payments.local", sg::presets::omnibase_infra(), clock};  // threshold 5, reset_timeout 30 s
  const auto charge = [&](std::string_view correlation_id) {
    mixin.call([&] { perform(false); }, {.correlation_id = correlation_id, .context = &context});
  };
  // [/infra]
  for (int i = 0; i < 6; ++i) {
    try {
      charge("request-7");
    } catch (const sg::circuit_open_error& e) {
      std::cout << e.context().transport << " " << e.context().target << " " << e.correlation_id() << "\n";
    } catch (const std::runtime_error&) {
    }
  }

  // [bindu]
  const sg::variables environment{{"BINDU_CB_ENABLED", "true"}, {"BINDU_CB_RECOVERY_TIMEOUT", "45.0"}};
  const sg::config_result settings = sg::apply(sg::from_environment("BINDU_CB", environment).patch, sg::presets::bindu());
  sg::registry circuits{{.prefix = "BINDU_CB", .environment = environment}, clock};
  const sg::operations bindu{circuits, {.breaker = settings.value}, clock};
  const auto save_task = bindu.decorate_storage("save_task", [&](bool works) { perform(works); });  // @retry_storage_operation
  save_task(true);                                                                                   // storage:save_task
  // [/bindu]
  expect(settings && settings.value.open_duration == 45s && settings.value.failure_threshold == 3 && settings.value.enabled);
  expect(circuits.find("storage:save_task").snapshot().metrics.successes == 1);
}
