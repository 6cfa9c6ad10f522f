// SPDX-License-Identifier: Apache-2.0
#include "process.hpp"
#include "terminal_session.hpp"

namespace program_tests {
namespace {

class exec_terminal : public program_test {
 protected:
  [[nodiscard]] static std::vector<std::string> command(const std::string& script) {
    return {SWITCHGEAR_PROGRAM, "exec", "--name", "c", "--", "sh", "-c", script};
  }
};

TEST_F(exec_terminal, a_command_may_read_the_terminal) {
  terminal_session t(command("echo ask; read line; echo \"<$line>\""), environment);
  ASSERT_TRUE(t.shows("ask"));
  t.type("answer\n");
  EXPECT_TRUE(t.shows("<answer>")) << t.seen();
  EXPECT_EQ(t.wait(), 0);
}

TEST_F(exec_terminal, ctrl_c_ends_the_command_and_does_not_count) {
  terminal_session t(command("echo ready; sleep 300"), environment);
  ASSERT_TRUE(t.shows("ready"));
  EXPECT_EQ(t.interrupt(), 130);
  EXPECT_EQ(fact("metrics.ignored"), "1");
}

TEST_F(exec_terminal, ctrl_c_in_a_command_that_has_the_terminal_does_not_count_either) {
  terminal_session t(command("read line; echo \"<$line>\"; sleep 300"), environment);
  t.type("x\n");
  ASSERT_TRUE(t.shows("<x>"));
  EXPECT_EQ(t.interrupt(), 130);
  EXPECT_EQ(fact("metrics.ignored"), "1");
}

TEST_F(exec_terminal, ctrl_z_stops_the_job_of_a_shell_and_fg_continues_it) {
  environment["PS1"] = "$ ";
  terminal_session t({"/bin/bash", "--norc", "--noprofile", "--noediting", "-i"}, environment);
  t.type(SWITCHGEAR_PROGRAM " exec --name c -- sh -c 'echo rea''dy; read line; echo \"<$line>\"'\n");
  ASSERT_TRUE(t.shows("ready")) << t.seen();
  t.type("first\x1a");
  ASSERT_TRUE(t.shows("Stopped")) << t.seen();
  t.type("fg\n");
  t.type("second\n");
  EXPECT_TRUE(t.shows("second>")) << t.seen();
  t.type("exit 7\n");
  EXPECT_EQ(t.wait(), 7);
  EXPECT_EQ(fact("metrics.successes"), "1");
}

TEST_F(exec_terminal, status_watch_gives_the_terminal_back_as_it_was) {
  ASSERT_EQ(exec("true").status, 0);
  terminal_session t({SWITCHGEAR_PROGRAM, "status", "--watch", "--interval", "50ms"}, environment);
  ASSERT_TRUE(t.shows("\x1b[?1049h"));
  ASSERT_TRUE(t.shows("\x1b[32mclosed"));
  EXPECT_EQ(t.interrupt(), 0);
  EXPECT_TRUE(t.seen().ends_with("\x1b[?25h\x1b[?1049l")) << t.seen();
}

TEST_F(exec_terminal, status_uses_colours_unless_told_not_to) {
  ASSERT_EQ(exec("true").status, 0);
  terminal_session coloured({SWITCHGEAR_PROGRAM, "status"}, environment);
  EXPECT_EQ(coloured.wait(), 0);
  EXPECT_TRUE(contains(coloured.seen(), "\x1b[32mclosed"));
  environment["NO_COLOR"] = "1";
  terminal_session plain({SWITCHGEAR_PROGRAM, "status"}, environment);
  EXPECT_EQ(plain.wait(), 0);
  EXPECT_FALSE(contains(plain.seen(), "\x1b["));
}

}  // namespace
}  // namespace program_tests
