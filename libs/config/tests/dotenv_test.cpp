// SPDX-License-Identifier: Apache-2.0
#include "switchgear/config/dotenv.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace {

namespace sg = switchgear;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::vector<std::string> lines_of(std::string_view text) {
  std::vector<std::string> out;
  const auto result = sg::parse_dotenv(text);
  EXPECT_THAT(result.problems, IsEmpty());
  for (const auto& e : result.file.entries) out.push_back(std::to_string(e.line) + " " + e.name + "=" + e.value);
  return out;
}

std::vector<std::string> problems_of(std::string_view text) {
  std::vector<std::string> out;
  for (const auto& p : sg::parse_dotenv(text).problems) out.push_back(p.key);
  return out;
}

TEST(dotenv, reads_names_and_values) {
  EXPECT_THAT(lines_of("A=1\n\n# comment\n  B = two words  \nexport C=3\nD=\nexport=4"),
              ElementsAre("1 A=1", "4 B=two words", "5 C=3", "6 D=", "7 export=4"));
}

TEST(dotenv, reads_quotes) {
  EXPECT_THAT(lines_of("A=\"a # b\"\nB='it\\n'\nC=\"x\\ty\\\"\\\\\\$\\q\"\nD=''  # comment\nE=\"\"\n"),
              ElementsAre("1 A=a # b", "2 B=it\\n", "3 C=x\ty\"\\$\\q", "4 D=", "5 E="));
}

TEST(dotenv, ends_an_unquoted_value_at_a_comment) {
  EXPECT_THAT(lines_of("A=1 # one\nB=a#b\nC=#\n"), ElementsAre("1 A=1", "2 B=a#b", "3 C="));
}

TEST(dotenv, reads_files_of_other_systems) {
  EXPECT_THAT(lines_of("\xef\xbb\xbf"
                       "A=1\r\nB=\"2\"\r\n\r\nC='3' # x\r\nD=4\r"),
              ElementsAre("1 A=1", "2 B=2", "4 C=3", "5 D=4"));
}

TEST(dotenv, lets_a_quoted_value_go_over_several_lines) {
  EXPECT_THAT(lines_of("KEY=\"-----BEGIN\nabc\n-----END\"\nA=1\n"),
              ElementsAre("1 KEY=-----BEGIN\nabc\n-----END", "4 A=1"));
}

TEST(dotenv, expands_nothing) { EXPECT_THAT(lines_of("A=$HOME\nB=\"${A}\"\n"), ElementsAre("1 A=$HOME", "2 B=${A}")); }

TEST(dotenv, reports_every_bad_line_with_file_and_number_and_goes_on) {
  EXPECT_THAT(problems_of("A\n1B=2\n=3\nexport D\nA B=1\nG=\"x\" y\nH='x\nOK=1\n"),
              ElementsAre(".env:1", ".env:2", ".env:3", ".env:4", ".env:5", ".env:6", ".env:7"));
  EXPECT_EQ(sg::parse_dotenv("A='x\nOK=1\n").file.entries.size(), 1U);
}

TEST(dotenv, never_repeats_a_bad_line) {
  for (const auto& p : sg::parse_dotenv("hunter2\nPASSWORD=\"hunter2\nX='hunter2' hunter2\n").problems) {
    EXPECT_EQ(to_string(p).find("hunter2"), std::string::npos) << to_string(p);
  }
}

class dotenv_on_disk : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (std::filesystem::temp_directory_path() / "switchgear-dotenv-XXXXXX").string();
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::filesystem::path folder_;
};

TEST_F(dotenv_on_disk, is_read_and_named_in_its_problems) {
  const std::string path = (folder_ / "my.env").string();
  std::ofstream(path) << "A=1\nbad line\n";
  const auto result = sg::load_dotenv(path);
  ASSERT_EQ(result.file.entries.size(), 1U);
  ASSERT_EQ(result.problems.size(), 1U);
  EXPECT_EQ(result.problems[0].key, path + ":2");
}

TEST_F(dotenv_on_disk, is_a_problem_when_missing_unless_the_caller_says_otherwise) {
  const std::string path = (folder_ / "none.env").string();
  EXPECT_EQ(sg::load_dotenv(path).problems.size(), 1U);
  EXPECT_THAT(sg::load_dotenv(path).problems[0].message, HasSubstr("No such file"));
  EXPECT_THAT(sg::load_dotenv(path, sg::missing_file::is_empty).problems, IsEmpty());
}

TEST_F(dotenv_on_disk, is_a_problem_when_it_is_a_folder_or_too_large) {
  EXPECT_EQ(sg::load_dotenv(folder_.string(), sg::missing_file::is_empty).problems.size(), 1U);
  const std::string path = (folder_ / "large.env").string();
  std::ofstream(path) << std::string((1U << 20) + 1, '#');
  EXPECT_THAT(sg::load_dotenv(path).problems.at(0).message, HasSubstr("1 MiB"));
}

}  // namespace
