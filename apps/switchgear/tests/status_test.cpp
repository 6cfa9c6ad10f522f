// SPDX-License-Identifier: Apache-2.0
#include "process.hpp"
#include "terminal_session.hpp"

#include <nlohmann/json.hpp>

#include <csignal>
#include <fstream>

namespace program_tests {
namespace {

class status : public program_test {};

TEST_F(status, of_nothing_says_so_and_makes_nothing) {
  const outcome o = run({"status"});
  EXPECT_EQ(o.status, 0);
  EXPECT_TRUE(contains(o.out, "no circuits yet"));
  EXPECT_EQ(run({"status", "--json"}).out, "[]\n");
  EXPECT_FALSE(std::filesystem::exists(state()));
}

TEST_F(status, lists_circuits_without_colours_in_a_pipe) {
  ASSERT_EQ(exec("true", {}, "b").status, 0);
  ASSERT_EQ(exec("exit 1", {"--failure-threshold", "1"}, "a").status, 1);
  const outcome o = run({"status"});
  EXPECT_EQ(o.status, 0);
  EXPECT_TRUE(o.out.starts_with("NAME  STATE   FOR")) << o.out;
  EXPECT_LT(o.out.find("\na "), o.out.find("\nb "));
  EXPECT_FALSE(contains(o.out, "\x1b"));
  EXPECT_FALSE(contains(run({"status", "b"}).out, "\na "));
}

TEST_F(status, json_has_the_form_of_a_snapshot) {
  ASSERT_EQ(exec("exit 1", {"--failure-threshold", "1"}).status, 1);
  const auto json = nlohmann::json::parse(run({"status", "--json"}).out);
  ASSERT_EQ(json.size(), 1u);
  const auto& c = json[0];
  EXPECT_EQ(c["name"], "c");
  EXPECT_EQ(c["state"], "open");
  EXPECT_EQ(c["metrics"]["failures"], 1);
  EXPECT_TRUE(c.contains("window"));
  EXPECT_GT(c["now"]["retry_after"], 0);
  EXPECT_EQ(c["now"]["last_failure"], "exit status 1");
  EXPECT_EQ(c["state_changes"][0]["to_state"], "open");
}

TEST_F(status, tells_the_truth_about_an_open_period_that_has_passed) {
  ASSERT_EQ(exec("exit 1", {"--failure-threshold", "1", "--open-duration", "0s"}).status, 1);
  EXPECT_EQ(fact("state"), "half_open");
  EXPECT_EQ(fact("now.generation"), "1");
}

TEST_F(status, shows_a_damaged_file_as_an_error_and_the_others_all_the_same) {
  ASSERT_EQ(exec("true", {}, "good").status, 0);
  std::ofstream(state_file("bad.circuit")) << "nonsense";
  std::filesystem::permissions(state_file("bad.circuit"), std::filesystem::perms(0600));
  const outcome o = run({"status"});
  EXPECT_EQ(o.status, 1);
  EXPECT_TRUE(contains(o.out, "good"));
  EXPECT_TRUE(contains(o.err, "bad.circuit")) << o.err;
  EXPECT_EQ(nlohmann::json::parse(run({"status", "--json"}).out).size(), 1u);
}

TEST_F(status, watch_prints_plain_lines_into_a_pipe_until_it_is_ended) {
  ASSERT_EQ(exec("true").status, 0);
  process p = start({"status", "--watch", "--interval", "20ms"});
  ASSERT_TRUE(p.prints("closed"));
  ASSERT_EQ(run({"trip", "c"}).status, 0);
  EXPECT_TRUE(p.prints("open"));
  p.signal(SIGINT);
  const outcome o = p.wait();
  EXPECT_EQ(o.status, 0);
  EXPECT_FALSE(contains(o.out, "\x1b"));
}

TEST_F(status, watch_ends_when_nobody_reads) {
  ASSERT_EQ(exec("true").status, 0);
  const outcome o =
      shell(SWITCHGEAR_PROGRAM " status --watch --interval 10ms | head -1 >/dev/null; echo done");
  EXPECT_EQ(o.out, "done\n");
}

class command_line : public program_test {};

TEST_F(command_line, help_and_version) {
  EXPECT_TRUE(contains(run({"--help"}).out, "switchgear exec --name backup"));
  EXPECT_EQ(run({"--help"}).status, 0);
  EXPECT_TRUE(run({"--version"}).out.starts_with("switchgear "));
  for (const char* command : {"exec", "status", "history", "trip", "conform"}) {
    EXPECT_EQ(run({command, "--help"}).status, 0) << command;
  }
  EXPECT_EQ(run({}).status, 2);
}

TEST_F(command_line, unknown_commands_and_options_name_what_is_near) {
  const outcome command = run({"statsu"});
  EXPECT_EQ(command.status, 2);
  EXPECT_TRUE(contains(command.err, "\"status\"")) << command.err;
  const outcome option = run({"status", "--jsn"});
  EXPECT_EQ(option.status, 2);
  EXPECT_TRUE(contains(option.err, "--json")) << option.err;
}

TEST_F(status, shows_what_rejects_calls_first_and_why) {
  ASSERT_EQ(exec("true", {}, "a").status, 0);
  ASSERT_EQ(exec("exit 1", {"--failure-threshold", "1"}, "z").status, 1);
  const outcome o = run({"status"});
  EXPECT_LT(o.out.find("\nz "), o.out.find("\na ")) << o.out;
  EXPECT_TRUE(contains(o.out, "1 consecutive failure")) << o.out;
}

TEST_F(status, watch_at_a_terminal_is_coloured_and_counts_the_states) {
  ASSERT_EQ(exec("true", {}, "a").status, 0);
  ASSERT_EQ(exec("exit 1", {"--failure-threshold", "1"}, "z").status, 1);
  environment["TERM"] = "xterm";
  terminal_session t({SWITCHGEAR_PROGRAM, "status", "--watch", "--interval", "50ms"}, environment);
  EXPECT_TRUE(t.shows("\x1b[1;31m2 circuits: 1 open, 1 closed\x1b[0m")) << t.seen();
  EXPECT_TRUE(t.shows("CALLS/S")) << t.seen();
  EXPECT_EQ(t.interrupt(), 0);
}

TEST_F(status, watch_at_a_narrow_terminal_keeps_what_matters) {
  ASSERT_EQ(exec("exit 1", {"--failure-threshold", "1"}, "backup").status, 1);
  environment["TERM"] = "xterm";
  terminal_session t({SWITCHGEAR_PROGRAM, "status", "--watch", "--interval", "50ms"}, environment, 32);
  EXPECT_TRUE(t.shows("backup")) << t.seen();
  EXPECT_TRUE(t.shows("RETRY AFTER")) << t.seen();
  EXPECT_EQ(t.interrupt(), 0);
  EXPECT_FALSE(contains(t.seen(), "REJECTED")) << t.seen();
}

}  // namespace
}  // namespace program_tests
