// SPDX-License-Identifier: Apache-2.0
#include "process.hpp"

#include <cerrno>
#include <csignal>
#include <fstream>
#include <sys/stat.h>

namespace program_tests {
namespace {

class exec_ending : public program_test {
 protected:
  [[nodiscard]] static bool is_gone(pid_t process) {
    std::ifstream status("/proc/" + std::to_string(process) + "/stat");
    std::string line;
    return !std::getline(status, line) || line.find(") Z") != std::string::npos;
  }
  [[nodiscard]] pid_t number_in(const std::string& file) const {
    pid_t number = 0;
    std::ifstream(folder() / file) >> number;
    return number;
  }
  [[nodiscard]] std::string path(const std::string& file) const { return (folder() / file).string(); }
};

TEST_F(exec_ending, a_timeout_ends_the_whole_process_group_and_is_a_failure) {
  const auto began = std::chrono::steady_clock::now();
  const outcome o = exec("sleep 300 & echo $! > " + path("grandchild") + "; sleep 300", {"--timeout", "300ms"});
  EXPECT_EQ(o.status, 124);
  EXPECT_LT(std::chrono::steady_clock::now() - began, 30s);
  EXPECT_TRUE(is_gone(number_in("grandchild")));
  EXPECT_EQ(fact("metrics.timeouts"), "1");
  EXPECT_EQ(fact("metrics.failures"), "1");
  EXPECT_EQ(fact("now.last_failure"), "timed out after 300ms");
}

TEST_F(exec_ending, what_does_not_listen_to_the_timeout_is_killed) {
  const outcome o = exec("trap '' TERM; (trap '' TERM; echo $$ > " + path("x") + "; while :; do sleep 1; done) & "
                         "echo $! > " + path("grandchild") + "; while :; do sleep 1; done",
                         {"--timeout", "300ms", "--kill-after", "100ms"});
  EXPECT_EQ(o.status, 124);
  EXPECT_TRUE(eventually([&] { return is_gone(number_in("grandchild")); }));
}

TEST_F(exec_ending, a_command_may_tidy_up_before_the_timeout_kills_it) {
  const outcome o = exec("trap 'echo tidy; exit 0' TERM; while :; do sleep 0.01; done", {"--timeout", "300ms"});
  EXPECT_EQ(o.status, 124);
  EXPECT_EQ(o.out, "tidy\n");
}

TEST_F(exec_ending, the_key_call_timeout_does_the_same_and_stays_in_force) {
  EXPECT_EQ(exec("sleep 300", {"--call-timeout", "200ms"}).status, 124);
  EXPECT_EQ(exec("sleep 300").status, 124);
  EXPECT_EQ(exec("exit 4", {"--timeout", "0"}).status, 4);
  EXPECT_EQ(fact("metrics.timeouts"), "2");
}

TEST_F(exec_ending, a_signal_goes_to_the_command_and_the_call_does_not_count) {
  for (const int number : {SIGINT, SIGTERM, SIGHUP}) {
    process p = start_exec("trap 'echo got it; exit 9' INT TERM HUP; echo ready; while :; do sleep 0.01; done");
    ASSERT_TRUE(p.prints("ready"));
    p.signal(number);
    const outcome o = p.wait();
    EXPECT_EQ(o.status, 128 + number);
    EXPECT_TRUE(contains(o.out, "got it"));
  }
  EXPECT_EQ(fact("metrics.ignored"), "3");
  EXPECT_EQ(fact("metrics.total_calls"), "3");
}

TEST_F(exec_ending, a_signal_reaches_the_whole_group) {
  process p = start_exec("sleep 300 & echo $! > " + path("grandchild") + "; echo ready; wait");
  ASSERT_TRUE(p.prints("ready"));
  const pid_t grandchild = number_in("grandchild");
  p.signal(SIGTERM);
  EXPECT_EQ(p.wait().status, 128 + SIGTERM);
  EXPECT_TRUE(eventually([&] { return is_gone(grandchild); }));
}

TEST_F(exec_ending, signals_that_were_ignored_stay_ignored) {
  const outcome o = shell("trap '' HUP; exec " SWITCHGEAR_PROGRAM
                          " exec --name c -- sh -c 'echo ready; kill -HUP $$ $PPID; echo lived'");
  EXPECT_EQ(o.status, 0);
  EXPECT_EQ(o.out, "ready\nlived\n");
}

TEST_F(exec_ending, being_killed_leaves_a_state_that_goes_on_and_the_probe_comes_free) {
  ASSERT_EQ(exec("exit 1", {"--failure-threshold", "1", "--open-duration", "0s", "--probe-timeout", "700ms",
                            "--success-threshold", "1"}).status, 1);
  process p = start_exec("echo $$ > " + path("child") + "; echo ready; sleep 300");
  ASSERT_TRUE(p.prints("ready"));
  p.signal(SIGKILL);
  EXPECT_EQ(p.wait().status, 128 + SIGKILL);
  ASSERT_EQ(::kill(-number_in("child"), SIGKILL), 0);  // it lives on, as --help says, and leads its group
  const outcome meanwhile = exec("true");
  EXPECT_TRUE(meanwhile.status == 75 || meanwhile.status == 0);
  EXPECT_TRUE(eventually([&] { return exec("true").status == 0; }));
  EXPECT_EQ(fact("state"), "closed");
}

TEST_F(exec_ending, a_probe_that_outlives_its_lease_is_told_what_to_do) {
  ASSERT_EQ(exec("exit 1", {"--failure-threshold", "1", "--open-duration", "0s", "--probe-timeout", "1ms"}).status, 1);
  const outcome late = exec("sleep 0.05");
  EXPECT_EQ(late.status, 0);
  EXPECT_TRUE(contains(late.err, "set --probe-timeout above")) << late.err;
  EXPECT_EQ(fact("state"), "half_open");
}

// The file is what survives: 50 processes are killed at moments spread over all they do.
TEST_F(exec_ending, killed_at_any_moment_leaves_a_usable_state) {
  ASSERT_EQ(exec("true", {"--failure-threshold", "3", "--open-duration", "0s"}).status, 0);
  for (int i = 0; i < 50; ++i) {
    process p = start_exec(i % 3 == 0 ? "exit 0" : "exit 1");
    const auto at = std::chrono::steady_clock::now() + std::chrono::microseconds(150 * i);
    while (std::chrono::steady_clock::now() < at) {
    }
    p.signal(SIGKILL);
    p.wait();
    ASSERT_EQ(fact("name"), "c") << i;
  }
  EXPECT_EQ(run({"reset", "c"}).status, 0);
  EXPECT_EQ(exec("true").status, 0);
}

TEST_F(exec_ending, what_a_command_leaves_behind_becomes_no_zombie_while_it_runs) {
  ASSERT_EQ(::mkfifo(path("gate").c_str(), 0600), 0);
  process p = start_exec("(sh -c 'echo $$ > " + path("orphan") + "' &) ; while [ ! -s " + path("orphan") +
                         " ]; do sleep 0.01; done; echo ready; read wait < " + path("gate"));
  ASSERT_TRUE(p.prints("ready"));
  EXPECT_TRUE(eventually([&] { return !std::filesystem::exists("/proc/" + std::to_string(number_in("orphan"))); }));
  std::ofstream(path("gate")) << "go\n";
  EXPECT_EQ(p.wait().status, 0);
}

}  // namespace
}  // namespace program_tests
