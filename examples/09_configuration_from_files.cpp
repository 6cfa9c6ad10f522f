// SPDX-License-Identifier: Apache-2.0
//
// A circuit file, a .env file and the environment, laid over each other; whatever is wrong is told, all of it at once.
#include "check.hpp"

#include <switchgear/circuit_breaker.hpp>
#include <switchgear/config/circuit_file.hpp>
#include <switchgear/config/environment.hpp>

#include <string>
#include <vector>

namespace sg = switchgear;
using namespace std::chrono_literals;

constexpr auto circuits_toml = R"(
[defaults]
open_duration = "45s"

[breaker."payments"]
preset = "service"
window = "60s"
failure_rate_threshold = 0.5

[breaker."agent.*"]
preset = "llm"
)";

int main() {
  // load_circuit_file(path) and load_dotenv(path) read files; here they are texts, so that the example needs none.
  const sg::circuit_file_result circuits = sg::parse_toml(circuits_toml, "circuits.toml");
  expect(bool(circuits));
  const sg::dotenv_result dotenv = sg::parse_dotenv("SHOP_CB_FAILURE_THRESHOLD=7\nSHOP_CB_JITTER=0.1\n", ".env");
  expect(dotenv.problems.empty());
  const char* environment[] = {"HOME=/home/shop", "SHOP_CB_FAILURE_THRESHOLD=9", nullptr};  // main's, or environ
  const sg::patch_result variables = sg::from_environment("SHOP_CB", sg::read_environment(environment), dotenv.file);

  std::vector<sg::config_patch> layers = circuits.file.layers_for("payments");
  layers.push_back(variables.patch);
  const sg::config_result payments = sg::apply_layers(layers, sg::config{});
  expect(bool(payments));
  expect(payments.value.call_timeout == 15s);       // the preset
  expect(payments.value.window == sg::last(60s));   // the breaker's table
  expect(payments.value.failure_threshold == 9);    // the environment wins over .env
  expect(payments.value.jitter == 0.1);             // .env
  sg::circuit_breaker breaker{"payments", payments.value};
  expect(breaker.configuration() == payments.value);

  const sg::config_result agent = circuits.file.config_for("agent.researcher");
  expect(agent && agent.value.open_duration == 90s);  // a preset of the breaker's own table wins over [defaults]
  const sg::config_result other = circuits.file.config_for("anything else");
  expect(other && other.value.open_duration == 45s);

  // Never a silent default: each problem has its place, its value, and what would be right.
  const auto wrong = sg::parse_toml("[defaults]\nfailure_treshold = 3\nopen_duration = \"48h\"\n", "circuits.toml");
  std::cout << sg::describe(wrong.problems);
  expect(wrong.problems.size() == 2);
  try {
    sg::circuit_breaker never{"payments", {.failure_threshold = -1, .jitter = 2}};
    expect(false);
  } catch (const sg::config_error& e) {
    expect(e.problems().size() == 2);
  }
}
