// SPDX-License-Identifier: Apache-2.0
#include <switchgear/scenario/conform.hpp>

#include <gmock/gmock.h>

#include <sstream>
#include <vector>

namespace switchgear {
namespace {

TEST(scenario_files, all_pass) {
  std::ostringstream out, err;
  const std::vector<std::string> folder{SCENARIO_FOLDER};
  EXPECT_EQ(scenario::run_conform(folder, out, err), 0) << out.str() << err.str();
  EXPECT_EQ(err.str(), "");
}

TEST(scenario_files, hold_the_examples_of_the_contract) {
  std::ostringstream out, err;
  const std::vector<std::string> folder{SCENARIO_FOLDER "/contract"};
  EXPECT_EQ(scenario::run_conform(folder, out, err), 0) << out.str() << err.str();
  EXPECT_THAT(out.str(), ::testing::EndsWith("14 passed, 0 failed\n"));
}

}  // namespace
}  // namespace switchgear
