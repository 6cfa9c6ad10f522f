// SPDX-License-Identifier: Apache-2.0
//
// The code of README.md, compiled and run. Whoever changes one changes the other.
#include "switchgear/config/circuit_file.hpp"
#include "switchgear/config/environment.hpp"

#include <gtest/gtest.h>

#include <iostream>

namespace sg = switchgear;

// [readme]
sg::config_result configure(std::string_view name, std::string_view toml, const char* const* environment) {
  sg::circuit_file_result circuits = sg::parse_toml(toml, "circuits.toml");
  sg::dotenv_result dotenv = sg::load_dotenv(".env", sg::missing_file::is_empty);
  sg::patch_result variables = sg::from_environment("SWITCHGEAR_CB", sg::read_environment(environment), dotenv.file);

  std::vector<sg::config_patch> layers = circuits.file.layers_for(name);
  layers.push_back(variables.patch);
  sg::config_result result = sg::apply_layers(layers, sg::config{});
  std::cerr << sg::describe(circuits.problems) << sg::describe(dotenv.problems)    // what is wrong with the sources
            << sg::describe(variables.problems) << sg::describe(result.problems);  // and with the outcome
  return result;
}
// [readme]

TEST(readme, example_layers_a_file_and_the_environment) {
  using namespace std::chrono_literals;
  const char* environment[] = {"SWITCHGEAR_CB_OPEN_DURATION=5s", nullptr};
  const auto result = configure("payments", "[breaker.\"pay*\"]\npreset = \"service\"\nwindow = 20\n", environment);
  ASSERT_TRUE(result);
  EXPECT_EQ(result.value.open_duration, 5s);
  EXPECT_EQ(result.value.window, sg::calls(20));
  EXPECT_EQ(result.value.call_timeout, 15s);
}
