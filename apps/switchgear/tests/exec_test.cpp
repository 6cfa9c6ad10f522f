// SPDX-License-Identifier: Apache-2.0
#include "process.hpp"

#include <fstream>
#include <iterator>
#include <sys/stat.h>

namespace program_tests {
namespace {

class exec : public program_test {
 protected:
  outcome run_exec(const std::string& script, const std::vector<std::string>& options = {}) const {
    return program_test::exec(script, options);
  }
  const std::vector<std::string> two_failures = {"--failure-threshold", "2", "--open-duration", "1h"};
};

TEST_F(exec, passes_output_and_exit_status_through) {
  const outcome o = run_exec("echo out; echo err >&2; exit 3");
  EXPECT_EQ(o.status, 3);
  EXPECT_EQ(o.out, "out\n");
  EXPECT_EQ(o.err, "err\n");
  EXPECT_EQ(run_exec("exit 0").status, 0);
  EXPECT_EQ(run_exec("exit 255").status, 255);
}

TEST_F(exec, passes_arguments_untouched) {
  const outcome o = run({"exec", "--name", "c", "--", "printf", "%s|", "--name", "", "--", "a b", "*", "--help", "-5"});
  EXPECT_EQ(o.out, "--name||--|a b|*|--help|-5|");
  EXPECT_EQ(o.status, 0);
}

TEST_F(exec, passes_standard_input_through) {
  const outcome o = shell("echo hello | " SWITCHGEAR_PROGRAM " exec --name c -- cat");
  EXPECT_EQ(o.out, "hello\n");
}

TEST_F(exec, opens_after_failures_in_a_row_and_then_rejects_with_75_without_running) {
  EXPECT_EQ(run_exec("exit 1", two_failures).err, "");
  EXPECT_EQ(run_exec("exit 1").err, "circuit c closed → open: 2 consecutive failures (threshold 2)\n");
  const outcome rejected = run_exec("echo ran");
  EXPECT_EQ(rejected.status, 75);
  EXPECT_EQ(rejected.out, "");
  EXPECT_TRUE(contains(rejected.err, "open (2 consecutive failures (threshold 2)), retry after 59m")) << rejected.err;
  EXPECT_EQ(fact("metrics.rejections"), "1");
}

TEST_F(exec, recovers_through_probes) {
  ASSERT_EQ(run_exec("exit 1", {"--failure-threshold", "1", "--open-duration", "0s"}).status, 1);
  const outcome probe = run_exec("true", {"--success-threshold", "1"});
  EXPECT_EQ(probe.status, 0);
  EXPECT_EQ(probe.err, "circuit c open → half_open: open duration passed\n"
                       "circuit c half_open → closed: 1 probe succeeded (threshold 1)\n");
}

TEST_F(exec, quiet_says_nothing_of_transitions_but_explains_rejections) {
  EXPECT_EQ(run_exec("exit 1", {"--quiet", "--failure-threshold", "1"}).err, "");
  EXPECT_TRUE(contains(run_exec("true", {"--quiet"}).err, "rejected"));
}

TEST_F(exec, a_command_killed_by_a_signal_is_a_failure_with_128_more) {
  EXPECT_EQ(run_exec("kill -9 $$").status, 137);
  EXPECT_EQ(fact("metrics.failures"), "1");
  EXPECT_EQ(fact("now.last_failure"), "killed by signal 9 (SIGKILL)");
}

TEST_F(exec, a_command_that_cannot_be_started_is_127_or_126_and_no_evidence) {
  const outcome missing = run({"exec", "--name", "c", "--failure-threshold", "1", "--", "/nowhere/to/be/found"});
  EXPECT_EQ(missing.status, 127);
  EXPECT_TRUE(contains(missing.err, "/nowhere/to/be/found")) << missing.err;
  EXPECT_EQ(run({"exec", "--name", "c", "--", "no-such-command-anywhere"}).status, 127);
  std::ofstream(folder() / "data") << "no program";
  EXPECT_EQ(run({"exec", "--name", "c", "--", (folder() / "data").string()}).status, 126);
  EXPECT_EQ(fact("state"), "closed");
  EXPECT_EQ(fact("metrics.ignored"), "3");
  EXPECT_EQ(fact("metrics.failures"), "0");
}

TEST_F(exec, ignored_exit_statuses_are_no_evidence) {
  for (const char* status : {"1", "64", "70", "78"}) {
    EXPECT_EQ(std::to_string(run_exec(std::string("exit ") + status, {"--ignore-exit", "1,64-78"}).status), status);
  }
  EXPECT_EQ(fact("metrics.ignored"), "4");
  run_exec("exit 79", {"--ignore-exit", "1,64-78"});
  EXPECT_EQ(fact("metrics.failures"), "1");
}

TEST_F(exec, only_the_listed_exit_statuses_are_failures) {
  EXPECT_EQ(run_exec("exit 1", {"--failure-exit", "5-6"}).status, 1);
  EXPECT_EQ(fact("metrics.successes"), "1");
  run_exec("exit 6", {"--failure-exit", "5-6"});
  EXPECT_EQ(fact("metrics.failures"), "1");
  run_exec("exit 5", {"--failure-exit", "5-6", "--ignore-exit", "5"});
  EXPECT_EQ(fact("metrics.ignored"), "1");
}

TEST_F(exec, makes_a_private_folder_and_private_files_wherever_the_umask_stands) {
  const outcome o = shell("umask 000; " SWITCHGEAR_PROGRAM " exec --name c -- true");
  ASSERT_EQ(o.status, 0) << o.err;
  struct stat info{};
  ASSERT_EQ(::stat(state().c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777, 0700u);
  ASSERT_EQ(::stat(state_file().c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777, 0600u);
}

TEST_F(exec, uses_the_state_folder_of_the_desktop_when_none_is_named) {
  environment.erase("SWITCHGEAR_STATE_DIR");
  EXPECT_EQ(run_exec("true").status, 0);
  EXPECT_TRUE(std::filesystem::exists(folder() / ".local/state/switchgear/c.circuit"));
  environment["XDG_STATE_HOME"] = (folder() / "xdg").string();
  EXPECT_EQ(run_exec("true").status, 0);
  EXPECT_TRUE(std::filesystem::exists(folder() / "xdg/switchgear/c.circuit"));
}

TEST_F(exec, refuses_a_folder_open_to_others) {
  std::filesystem::create_directory(state());
  ::chmod(state().c_str(), 0755);
  const outcome o = run_exec("echo ran");
  EXPECT_EQ(o.status, 125);
  EXPECT_EQ(o.out, "");
  EXPECT_TRUE(contains(o.err, "chmod 700")) << o.err;
}

TEST_F(exec, refuses_a_damaged_file_and_leaves_it_as_it_is) {
  ASSERT_EQ(run_exec("true").status, 0);
  std::fstream file(state_file(), std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(100) << "damage";
  file.close();
  const auto bytes = [&] {
    std::ifstream in(state_file(), std::ios::binary);
    return std::string{std::istreambuf_iterator<char>(in), {}};
  };
  const std::string before = bytes();
  const outcome o = run_exec("echo ran");
  EXPECT_EQ(o.status, 125);
  EXPECT_EQ(o.out, "");
  EXPECT_TRUE(contains(o.err, state_file().string())) << o.err;
  EXPECT_TRUE(contains(o.err, "move or delete it")) << o.err;
  EXPECT_EQ(run({"reset", "c"}).status, 1);
  EXPECT_EQ(bytes(), before);
  std::filesystem::remove(state_file());
  EXPECT_EQ(run_exec("true").status, 0);
}

TEST_F(exec, takes_any_name_and_stays_in_its_folder) {
  const std::vector<std::string> names = {"a/b", "..", ".", "../../x", "größe €", "-x", std::string(200, '/')};
  for (const auto& name : names) {
    const outcome o = run({"exec", "--name=" + name, "--", "true"});
    EXPECT_EQ(o.status, 0) << name << o.err;
    EXPECT_EQ(fact("name", name), name);
  }
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(state()), {}), static_cast<std::ptrdiff_t>(names.size()));
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder()), {}), 1);
}

TEST_F(exec, refuses_what_is_no_name) {
  for (const std::string& name : {std::string("a\nb"), std::string(201, 'x'), std::string("\xff")}) {
    EXPECT_EQ(run({"exec", "--name", name, "--", "true"}).status, 125);
  }
}

}  // namespace
}  // namespace program_tests
