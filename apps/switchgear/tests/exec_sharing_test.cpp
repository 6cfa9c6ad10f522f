// SPDX-License-Identifier: Apache-2.0
#include "process.hpp"

#include <fstream>

namespace program_tests {
namespace {

class exec_sharing : public program_test {};

TEST_F(exec_sharing, twenty_processes_at_once_count_exactly) {
  std::vector<process> all;
  for (int i = 0; i < 20; ++i) {
    all.push_back(start_exec(i % 2 == 0 ? "exit 0" : "exit 1", {"--failure-threshold", "1000"}));
  }
  for (auto& p : all) EXPECT_LE(p.wait().status, 1);
  EXPECT_EQ(fact("metrics.successes"), "10");
  EXPECT_EQ(fact("metrics.failures"), "10");
  EXPECT_EQ(fact("window.calls"), "20");
  EXPECT_EQ(fact("metrics.total_calls"), "20");
}

TEST_F(exec_sharing, one_of_many_processes_makes_the_transition_and_tells_it) {
  std::vector<process> all;
  for (int i = 0; i < 10; ++i) {
    all.push_back(start_exec("exit 1", {"--failure-threshold", "3", "--open-duration", "1h"}));
  }
  int told = 0;
  for (auto& p : all) told += contains(p.wait().err, "closed → open");
  EXPECT_EQ(told, 1);
  EXPECT_EQ(fact("metrics.transitions"), "1");
}

TEST_F(exec_sharing, half_open_lets_one_of_many_processes_through) {
  ASSERT_EQ(exec("exit 1", {"--failure-threshold", "1", "--open-duration", "0s", "--probe-timeout", "10m"}).status, 1);
  const std::string gate = (folder() / "gate").string();
  process probe = start_exec("echo probing; while [ ! -e '" + gate + "' ]; do sleep 0.01; done");
  ASSERT_TRUE(probe.prints("probing"));
  std::vector<process> others;
  for (int i = 0; i < 10; ++i) others.push_back(start_exec("echo ran"));
  for (auto& p : others) {
    const outcome o = p.wait();
    EXPECT_EQ(o.status, 75);
    EXPECT_EQ(o.out, "");
    EXPECT_TRUE(contains(o.err, "half_open_limit")) << o.err;
  }
  std::ofstream{gate};
  EXPECT_EQ(probe.wait().status, 0);
}

TEST_F(exec_sharing, processes_that_make_the_circuit_at_the_same_time_agree_on_one) {
  for (int round = 0; round < 5; ++round) {
    const std::string name = "race " + std::to_string(round);
    std::vector<process> all;
    for (int i = 0; i < 6; ++i) all.push_back(start_exec("true", {}, name));
    for (auto& p : all) EXPECT_EQ(p.wait().status, 0);
    EXPECT_EQ(fact("metrics.successes", name), "6");
  }
}

TEST_F(exec_sharing, the_lock_is_not_held_while_the_command_runs) {
  const outcome o = exec(SWITCHGEAR_PROGRAM " exec --name c -- " SWITCHGEAR_PROGRAM " status c");
  EXPECT_EQ(o.status, 0);
  EXPECT_TRUE(contains(o.out, "closed"));
}

TEST_F(exec_sharing, a_file_that_is_deleted_while_the_command_runs_does_not_change_its_exit_status) {
  EXPECT_EQ(exec("rm " + state_file().string() + "; exit 6").status, 6);
}

TEST_F(exec_sharing, a_file_that_is_damaged_while_the_command_runs_is_told_and_the_exit_status_stays) {
  const outcome o = exec("printf x > " + state_file().string() + "; exit 6");
  EXPECT_EQ(o.status, 6);
  EXPECT_TRUE(contains(o.err, "could not be recorded")) << o.err;
}

}  // namespace
}  // namespace program_tests
