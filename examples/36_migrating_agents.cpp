// SPDX-License-Identifier: Apache-2.0
//
// What docs/migration.md shows for three systems around language models: BlackBox 5, the MLX guide and Superego MCP.
#include "check.hpp"

#include <switchgear/fallback.hpp>
#include <switchgear/guard.hpp>
#include <switchgear/local_bus.hpp>
#include <switchgear/pipeline.hpp>
#include <switchgear/registry.hpp>
#include <switchgear/testing/breakers.hpp>

#include <iostream>
#include <stop_token>
#include <string>

namespace sg = switchgear;
using namespace std::chrono_literals;

struct decision {
  bool allow = false;
  std::string reason;
};

int main() {
  sg::testing::manual_clock clock;

  // [blackbox]
  sg::local_bus bus;  // sg::open_bus("redis://127.0.0.1:6379/0") where it was the event bus on Redis
  sg::registry manager{{.preset = "blackbox5", .environment = sg::variables{}, .bus = &bus}, clock};
  auto opened = bus.subscribe(sg::topics::state, [](std::string_view, const sg::event& e) {
    if (e.kind == sg::event_kind::opened) std::cout << e.service << " opened after " << e.failure_count << " failures\n";
  });
  auto agent = manager.for_agent("researcher", "llm");  // get_breaker("agent.researcher", agent_type="llm")
  auto service = manager.get("my-service");             // get_breaker("my-service")
  // [/blackbox]
  expect(agent->configuration() == sg::presets::llm() && service->configuration() == sg::presets::blackbox5());
  sg::testing::fail_times(*agent, 3);
  sg::drain_events();
  expect(bus.flush(10s) && manager.open_circuits() == std::vector<std::string>{"agent.researcher"});

  // [mlx]
  sg::circuit_breaker server{"mlx_server", sg::presets::mlx(), clock};  // 5 failures, 60 s, 1 success
  auto logged = server.observe([](const sg::event& e) { std::cout << sg::log_line(e) << "\n"; },
                               sg::event_filter::transitions);
  const auto ask = [&](const std::string& prompt) -> std::string {
    const auto reply = server.try_call([&]() -> std::string { throw std::runtime_error(prompt + ": connection refused"); });
    if (reply.rejected()) return "Circuit breaker open, service unavailable";
    return reply ? *reply : reply.error();
  };
  // [/mlx]
  for (int i = 0; i < 5; ++i) expect(ask("hello") == "hello: connection refused");
  sg::drain_events();
  std::cout << ask("hello") << "\n";
  clock.advance(60s);
  expect(server.is_half_open());  // without a call, as there
  sg::drain_events();

  // [superego]
  sg::circuit_breaker judge{"superego", sg::presets::superego(), clock};  // 5 failures, 30 s, 1 success, 10 s a call
  const auto decide = sg::pipeline(
      sg::fallback([](const sg::failure_info& why) { return decision{false, "not judged: " + std::string(why.what())}; }),
      sg::guard(judge));
  const decision made = decide([&](std::stop_token stop) {
    clock.advance(10s);  // the model takes its time; at ten seconds it is asked to stop
    return decision{!stop.stop_requested(), "by the model"};
  });
  // [/superego]
  std::cout << made.reason << "\n";
  expect(!made.allow && judge.snapshot().metrics.timeouts == 1);
}
