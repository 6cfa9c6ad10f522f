// SPDX-License-Identifier: Apache-2.0
#include "support.hpp"
#include <switchgear/scenario/conform.hpp>

#include <gmock/gmock.h>

#include <sstream>
#include <vector>

namespace switchgear::testing_scenario {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

std::string named(std::string_view name, std::string_view steps = "") {
  return R"({"scenario": ")" + std::string(name) + R"(", "steps": [)" + std::string(steps) + "]}";
}

class conform : public folder_test {
 protected:
  int run(const std::vector<std::string>& paths) {
    std::ostringstream out, err;
    const int code = scenario::run_conform(paths, out, err);
    out_ = out.str();
    err_ = err.str();
    return code;
  }
  std::string out_;
  std::string err_;
};

constexpr const char* fails = R"({"advance": "1s"}, {"expect": {"state": "open"}})";

TEST_F(conform, says_ok_for_each_and_ends_with_0) {
  put("a.json", named("first"));
  put("b.json", named("second", R"({"call": "success"})"));
  EXPECT_EQ(run({root_.string()}), 0);
  EXPECT_EQ(out_, "ok first\nok second\n2 passed, 0 failed\n");
  EXPECT_EQ(err_, "");
}

TEST_F(conform, says_where_a_scenario_failed_and_ends_with_1) {
  put("a.json", named("first", fails));
  put("b.json", named("second"));
  EXPECT_EQ(run({root_.string()}), 1);
  EXPECT_EQ(out_, "FAILED first: step 2: expected state open, seen closed\nok second\n1 passed, 1 failed\n");
  EXPECT_EQ(err_, "");
}

TEST_F(conform, runs_the_others_when_a_file_is_no_scenario_and_ends_with_2) {
  const std::string bad = put("b.json", named("bad", R"({"advance": 1}, {"repeat": 2, "steps": [{"success": "x"}]})"));
  put("a.json", named("first", fails));
  put("c.json", named("last"));
  EXPECT_EQ(run({root_.string()}), 2);
  EXPECT_EQ(out_, "FAILED first: step 2: expected state open, seen closed\nok last\n1 passed, 1 failed\n");
  EXPECT_EQ(err_, bad + ": step 2.1: unknown permit \"x\": no step before acquired it\n");
}

TEST_F(conform, calls_the_file_and_its_config_step_0) {
  const std::string broken = put("a.json", "{");
  const std::string config = put("b.json", R"({"scenario": "s", "config": {"jitter": 2}, "steps": []})");
  EXPECT_EQ(run({broken, config}), 2);
  EXPECT_THAT(err_, StartsWith(broken + ": step 0: "));
  EXPECT_THAT(err_, HasSubstr("\n" + config + ": step 0: invalid config: jitter = 2"));
  EXPECT_EQ(out_, "0 passed, 0 failed\n");
}

TEST_F(conform, reads_folders_recursively_in_name_order_and_json_only) {
  put("b/2.json", named("b2"));
  put("b/10.json", named("b10"));
  put("a.json", named("a"));
  put("c/deep/er.json", named("deep"));
  put("c/notes.txt", "no scenario");
  put("c/json", "no scenario");
  EXPECT_EQ(run({root_.string()}), 0);
  EXPECT_EQ(out_, "ok a\nok b10\nok b2\nok deep\n4 passed, 0 failed\n");
}

TEST_F(conform, takes_paths_in_the_order_given_and_named_files_whatever_their_ending) {
  put("f/a.json", named("a"));
  const std::string other = put("z.scenario", named("z"));
  EXPECT_EQ(run({other, at("f"), at("f/a.json")}), 0);
  EXPECT_EQ(out_, "ok z\nok a\nok a\n3 passed, 0 failed\n");
}

TEST_F(conform, refuses_a_path_that_does_not_exist) {
  put("a.json", named("a"));
  EXPECT_EQ(run({at("nowhere"), at("a.json")}), 2);
  EXPECT_EQ(err_, at("nowhere") + ": step 0: no such file or folder\n");
  EXPECT_EQ(out_, "ok a\n1 passed, 0 failed\n");
}

TEST_F(conform, refuses_to_run_nothing) {
  EXPECT_EQ(run({}), 2);
  EXPECT_THAT(err_, StartsWith("no scenario found"));
  EXPECT_EQ(run({root_.string()}), 2);
  EXPECT_THAT(err_, StartsWith("no scenario found"));
  EXPECT_EQ(out_, "0 passed, 0 failed\n");
}

TEST_F(conform, escapes_what_a_file_could_do_to_a_terminal) {
  put("a.json", named("two\\nlines \\u001b[31m"));
  EXPECT_EQ(run({root_.string()}), 0);
  EXPECT_EQ(out_, "ok two\\x0alines \\x1b[31m\n1 passed, 0 failed\n");
}

TEST_F(conform, does_not_follow_links_to_folders_round_in_circles) {
  put("f/a.json", named("a"));
  std::filesystem::create_directory_symlink(root_, root_ / "f" / "up");
  EXPECT_EQ(run({root_.string()}), 0);
  EXPECT_EQ(out_, "ok a\n1 passed, 0 failed\n");
}

TEST_F(conform, refuses_a_file_that_is_too_large) {
  const std::string large = put("a.json", std::string(2u << 20, ' '));
  EXPECT_EQ(run({large}), 2);
  EXPECT_THAT(err_, HasSubstr("larger than"));
}

}  // namespace
}  // namespace switchgear::testing_scenario
