// SPDX-License-Identifier: Apache-2.0
//
// One configuration, spelled four ways: in C++, as TOML, in the environment and as a patch. What docs/options.md shows.
#include "check.hpp"

#include <switchgear/config/circuit_file.hpp>
#include <switchgear/config/environment.hpp>
#include <switchgear/config/keys.hpp>
#include <switchgear/config/patch.hpp>

#include <iostream>

namespace sg = switchgear;
using namespace std::chrono_literals;

int main() {
  // [cpp]
  const sg::config in_cpp{.failure_threshold = 3,
                          .window = sg::last(60s),
                          .minimum_calls = 20,
                          .failure_rate_threshold = 0.5,
                          .open_duration = 30s,
                          .jitter = 0.2};
  // [/cpp]

  // [toml]
  const sg::circuit_file_result in_toml = sg::parse_toml(R"(
    [breaker."payments"]
    failure_threshold = 3
    window = "60s"
    minimum_calls = 20
    failure_rate_threshold = 0.5
    open_duration = "30s"
    jitter = 0.2
  )");
  // [/toml]

  // [environment]
  const sg::patch_result in_environment = sg::from_environment("SWITCHGEAR_CB", {{"SWITCHGEAR_CB_FAILURE_THRESHOLD", "3"},
                                                                                 {"SWITCHGEAR_CB_WINDOW", "60s"},
                                                                                 {"SWITCHGEAR_CB_MINIMUM_CALLS", "20"},
                                                                                 {"SWITCHGEAR_CB_FAILURE_RATE_THRESHOLD", "0.5"},
                                                                                 {"SWITCHGEAR_CB_OPEN_DURATION", "30s"},
                                                                                 {"SWITCHGEAR_CB_JITTER", "0.2"}});
  // [/environment]

  // [patch]
  const sg::config_patch patch = sg::config_patch{}
      .set("failure_threshold", sg::raw_value::untyped("3"))
      .set("recovery_timeout", sg::raw_value::untyped("30"));  // an alias; a plain number is seconds
  // [/patch]

  expect(in_cpp.validate().empty());
  expect(in_toml && in_toml.file.config_for("payments").value == in_cpp);
  expect(in_environment.problems.empty() && sg::apply(in_environment.patch, {}).value == in_cpp);
  expect(sg::apply(patch, {}).value.open_duration == 30s);

  // Every key, with its variable, its default and its range: the table of the page, from the program itself.
  for (const sg::key_info& key : sg::config_keys()) {
    std::cout << key.key << " | " << sg::variable_name(sg::default_prefix, key.key) << " | " << key.default_value << " | "
              << key.allowed << "\n";
  }
}
