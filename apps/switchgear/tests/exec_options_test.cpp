// SPDX-License-Identifier: Apache-2.0
#include "process.hpp"

#include <switchgear/config/keys.hpp>

#include <algorithm>
#include <fstream>

namespace program_tests {
namespace {

class exec_options : public program_test {
 protected:
  /// How many failures in a row open a circuit that is new.
  int failures_until_open(const std::vector<std::string>& options) {
    const std::string name = "new " + std::to_string(++circuits_);
    for (int n = 1; n <= 12; ++n) {
      if (contains(exec("exit 1", options, name).err, "→ open")) return n;
    }
    return 0;
  }
  std::string complaint(const std::vector<std::string>& options) {
    const outcome o = exec("echo ran", options);
    EXPECT_EQ(o.status, 125) << o.err;
    EXPECT_EQ(o.out, "");
    return o.err;
  }
  void write(const std::string& file, const std::string& text) { std::ofstream(folder() / file) << text; }
  [[nodiscard]] std::string path(const std::string& file) const { return (folder() / file).string(); }

 private:
  int circuits_ = 0;
};

TEST_F(exec_options, every_key_and_alias_is_an_option_that_help_explains) {
  const std::string help = run({"exec", "--help"}).out;
  for (const auto& info : switchgear::config_keys()) {
    for (std::string name : {std::string(info.key), std::string(info.alias)}) {
      std::replace(name.begin(), name.end(), '_', '-');
      EXPECT_TRUE(name.empty() || contains(help, "--" + name)) << name;
    }
  }
}

TEST_F(exec_options, the_option_wins_over_file_preset_and_environment_and_each_over_the_next) {
  environment["SWITCHGEAR_CB_FAILURE_THRESHOLD"] = "2";
  EXPECT_EQ(failures_until_open({}), 2);
  EXPECT_EQ(failures_until_open({"--preset", "strict"}), 3);
  write("c.toml", "[defaults]\nfailure_threshold = 4\n[breaker.\"other\"]\nfailure_threshold = 9\n");
  EXPECT_EQ(failures_until_open({"--preset", "strict", "--config", path("c.toml")}), 4);
  EXPECT_EQ(failures_until_open({"--preset", "strict", "--config", path("c.toml"), "--failure-threshold", "1"}), 1);
  environment["SWITCHGEAR_CONFIG"] = path("c.toml");
  EXPECT_EQ(failures_until_open({}), 4);
}

TEST_F(exec_options, without_any_word_the_defaults_hold) { EXPECT_EQ(failures_until_open({}), 5); }

TEST_F(exec_options, an_env_file_is_read_only_when_it_is_named) {
  write(".env", "SWITCHGEAR_CB_FAILURE_THRESHOLD=2\nSECRET=x\n");
  EXPECT_EQ(failures_until_open({"--env-file", path(".env")}), 2);
  environment["SWITCHGEAR_CB_FAILURE_THRESHOLD"] = "3";
  EXPECT_EQ(failures_until_open({"--env-file", path(".env")}), 3);
}

TEST_F(exec_options, what_a_circuit_was_given_stays_until_it_is_given_something_else) {
  EXPECT_EQ(exec("exit 1", {"--failure-threshold", "3"}).err, "");
  EXPECT_EQ(exec("exit 1").err, "");
  EXPECT_TRUE(contains(exec("exit 1").err, "3 consecutive failures (threshold 3)"));
}

TEST_F(exec_options, a_changed_option_reconfigures_the_live_circuit) {
  for (int i = 0; i < 3; ++i) EXPECT_EQ(exec("exit 1", {"--failure-threshold", "10"}).err, "");
  EXPECT_TRUE(contains(exec("exit 1", {"--failure-threshold", "4"}).err, "4 consecutive failures (threshold 4)"));
}

TEST_F(exec_options, aliases_work_and_clash_with_their_key) {
  EXPECT_EQ(exec("true", {"--recovery-timeout", "5s"}).status, 0);
  EXPECT_TRUE(contains(complaint({"--recovery-timeout", "5s", "--open-duration", "6s"}), "--open-duration"));
  EXPECT_TRUE(contains(complaint({"--jitter", "0", "--jitter", "1"}), "--jitter"));
}

TEST_F(exec_options, bad_values_name_the_option_the_value_and_the_range_all_at_once) {
  const std::string text = complaint({"--failure-threshold", "-1", "--jitter", "7", "--window", "soon"});
  EXPECT_TRUE(contains(text, "--failure-threshold = -1")) << text;
  EXPECT_TRUE(contains(text, "0 … 1048576")) << text;
  EXPECT_TRUE(contains(text, "--jitter = 7")) << text;
  EXPECT_TRUE(contains(text, "--window")) << text;
  EXPECT_FALSE(std::filesystem::exists(state_file()));
}

TEST_F(exec_options, an_unknown_option_names_the_nearest_one) {
  EXPECT_TRUE(contains(complaint({"--failure-treshold", "3"}), "--failure-threshold"));
  EXPECT_TRUE(contains(complaint({"--reset-timeout", "3"}), "--open-duration or --min-reset-interval"));
}

TEST_F(exec_options, a_bad_environment_or_file_is_told_before_anything_runs) {
  environment["SWITCHGEAR_CB_JITTR"] = "1";
  EXPECT_TRUE(contains(complaint({}), "SWITCHGEAR_CB_JITTR"));
  environment.erase("SWITCHGEAR_CB_JITTR");
  write("c.toml", "[defaults]\nfailure_treshold = 4\n");
  EXPECT_TRUE(contains(complaint({"--config", path("c.toml")}), "failure_threshold"));
  EXPECT_TRUE(contains(complaint({"--config", path("none.toml")}), "none.toml"));
  EXPECT_TRUE(contains(complaint({"--preset", "strikt"}), "strict"));
}

TEST_F(exec_options, bad_lists_and_durations_are_told) {
  for (const char* list : {"", "x", "1,", "5-2", "256", "1,,2", "-1"}) {
    const outcome o = run({"exec", "--name", "c", std::string("--ignore-exit=") + list, "--", "true"});
    EXPECT_EQ(o.status, 125) << list;
  }
  EXPECT_TRUE(contains(complaint({"--timeout", "soon"}), "--timeout \"soon\""));
  EXPECT_TRUE(contains(complaint({"--kill-after=-1s"}), "--kill-after"));
}

TEST_F(exec_options, a_missing_command_or_name_is_told_with_an_example) {
  const outcome none = run({"exec", "--name", "c"});
  EXPECT_EQ(none.status, 125);
  EXPECT_TRUE(contains(none.err, "behind --")) << none.err;
  EXPECT_EQ(run({"exec", "--name", "c", "true"}).status, 125);
  EXPECT_EQ(run({"exec", "--", "true"}).status, 125);
}

TEST_F(exec_options, shadow_judges_and_lets_pass) {
  ASSERT_EQ(exec("exit 1", {"--shadow", "--failure-threshold", "1"}).status, 1);
  const outcome o = exec("echo ran");
  EXPECT_EQ(o.status, 0);
  EXPECT_EQ(o.out, "ran\n");
  EXPECT_TRUE(contains(o.err, "would have rejected"));
  EXPECT_EQ(fact("metrics.would_reject"), "1");
}

TEST_F(exec_options, not_enabled_is_a_pass_through) {
  for (int i = 0; i < 3; ++i) EXPECT_EQ(exec("exit 1", {"--enabled", "false", "--failure-threshold", "1"}).status, 1);
  EXPECT_EQ(fact("metrics.total_calls"), "0");
  EXPECT_EQ(fact("state"), "disabled");
}

}  // namespace
}  // namespace program_tests
