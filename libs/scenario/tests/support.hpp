// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <switchgear/scenario/run.hpp>

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <unistd.h>

namespace switchgear::testing_scenario {

/// A scenario of these steps under this configuration.
inline std::string scenario_text(std::string_view steps, std::string_view config = R"({"failure_threshold": 2})") {
  return R"({"scenario": "s", "config": )" + std::string(config) + R"(, "steps": [)" + std::string(steps) + "]}";
}

/// `passed`, `failed 3.2: text` or `refused 0: text`.
inline std::string outcome_of(std::string_view text, const scenario::limits& most = {}) {
  const scenario::outcome o = scenario::run_text(text, most);
  if (o.result == scenario::result::passed) return "passed";
  return (o.result == scenario::result::failed ? "failed " : "refused ") + o.step + ": " + o.text;
}

inline std::string steps_give(std::string_view steps, std::string_view config = R"({"failure_threshold": 2})") {
  return outcome_of(scenario_text(steps, config));
}

/// A folder that goes away with the test.
class folder_test : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (std::filesystem::temp_directory_path() / "switchgear-scenario-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("no temporary folder");
    root_ = pattern;
  }
  void TearDown() override { std::filesystem::remove_all(root_); }

  std::string put(const std::string& name, std::string_view text) const {
    const std::filesystem::path where = root_ / name;
    std::filesystem::create_directories(where.parent_path());
    std::ofstream(where, std::ios::binary) << text;
    return where.string();
  }
  [[nodiscard]] std::string at(const std::string& name) const { return (root_ / name).string(); }

  std::filesystem::path root_;
};

}  // namespace switchgear::testing_scenario
