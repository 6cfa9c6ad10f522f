// SPDX-License-Identifier: Apache-2.0
#include "audit_log.hpp"
#include "dashboard_support.hpp"

#include <sys/stat.h>

namespace {

using namespace dashboards;
using sg::detail::audit_entry;
using sg::detail::audit_log;
using testing::ElementsAre;
using testing::HasSubstr;

audit_entry entry(std::string name, std::string outcome = "done") {
  sg::circuit_action action{.what = sg::circuit_action::kind::force_open,
                            .name = std::move(name),
                            .instance = "i",
                            .owner = "ops",
                            .reason = "because \"of\" that",
                            .ttl = 5min};
  return {std::chrono::system_clock::time_point(1s), std::move(action), std::move(outcome), "all well", "127.0.0.1:1"};
}

TEST(audit_log, shows_the_newest_first) {
  audit_log log("");
  for (const char* name : {"a", "b", "c"}) log.finish(*log.intend(entry(name, "intended")), entry(name));
  texts names;
  for (const json& e : json::parse(log.list())) names.push_back(e["circuit"]);
  EXPECT_THAT(names, ElementsAre("c", "b", "a"));
  EXPECT_EQ(json::parse(log.list("b")).size(), 1u);
  EXPECT_EQ(json::parse(log.list("b", "other")).size(), 0u);
}

TEST(audit_log, shows_every_key_of_the_contract_and_no_other) {
  EXPECT_EQ(json::parse(to_json(entry("a"))), json::parse(R"({"time":"1970-01-01T00:00:01.000Z","action":"force-open",
    "circuit":"a","instance":"i","owner":"ops","reason":"because \"of\" that","ttl":"5m","outcome":"done","message":"all well",
    "peer":"127.0.0.1:1"})"));
}

TEST(audit_log, keeps_the_last_ones_in_memory) {
  audit_log log("", 3);
  for (int i = 0; i < 10; ++i) log.finish("", entry(std::to_string(i)));
  const json all = json::parse(log.list());
  ASSERT_EQ(all.size(), 3u);
  EXPECT_EQ(all[0]["circuit"], "9");
}

TEST(audit_log, writes_two_lines_for_each_action) {
  const folder here;
  audit_log log(here / "audit");
  const auto id = log.intend(entry("a\nb", "intended"));
  ASSERT_TRUE(id);
  EXPECT_EQ(lines_of(here / "audit").size(), 1u);  // before anything is done
  EXPECT_TRUE(log.finish(*id, entry("a\nb")));
  const texts lines = lines_of(here / "audit");
  ASSERT_EQ(lines.size(), 2u);
  EXPECT_EQ(json::parse(lines[0])["outcome"], "intended");
  EXPECT_EQ(json::parse(lines[1])["outcome"], "done");
  EXPECT_EQ(json::parse(lines[0])["id"], json::parse(lines[1])["id"]);
  EXPECT_EQ(json::parse(lines[1])["circuit"], "a\nb");
}

TEST(audit_log, makes_a_file_that_nobody_else_can_read) {
  const folder here;
  const audit_log log(here / "audit");
  EXPECT_EQ(log.problem(), std::nullopt);
  struct stat about {};
  ASSERT_EQ(::stat((here / "audit").c_str(), &about), 0);
  EXPECT_EQ(about.st_mode & 0777U, 0600U & 0777U);
}

TEST(audit_log, appends_to_what_is_there) {
  const folder here;
  std::ofstream(here / "audit") << "{\"before\":true}\n";
  audit_log log(here / "audit");
  log.finish(*log.intend(entry("a")), entry("a"));
  EXPECT_EQ(lines_of(here / "audit").size(), 3u);
  EXPECT_EQ(lines_of(here / "audit")[0], "{\"before\":true}");
}

TEST(audit_log, begins_a_line_of_its_own_behind_one_that_was_not_finished) {
  const folder here;
  std::ofstream(here / "audit") << "{\"id\":\"ha";
  audit_log log(here / "audit");
  ASSERT_TRUE(log.intend(entry("a", "intended")));
  const texts lines = lines_of(here / "audit");
  ASSERT_EQ(lines.size(), 2u);
  EXPECT_EQ(json::parse(lines[1])["circuit"], "a");
}

TEST(audit_log, goes_on_in_a_new_file_when_the_old_one_was_renamed) {
  const folder here;
  audit_log log(here / "audit");
  log.finish(*log.intend(entry("a")), entry("a"));
  std::filesystem::rename(here / "audit", here / "audit.1");
  log.finish(*log.intend(entry("b")), entry("b"));
  EXPECT_EQ(lines_of(here / "audit").size(), 2u);
  EXPECT_EQ(lines_of(here / "audit.1").size(), 2u);
}

TEST(audit_log, says_when_it_cannot_write_and_works_again_when_it_can) {
  const folder here;
  audit_log log(here / "missing/audit");
  EXPECT_THAT(log.problem().value_or(""), HasSubstr("missing/audit"));
  EXPECT_EQ(log.intend(entry("a")), std::nullopt);
  EXPECT_FALSE(log.finish("id", entry("a")));
  EXPECT_EQ(json::parse(log.list()).size(), 1u);  // what was done is known in any case
  std::filesystem::create_directory(here / "missing");
  EXPECT_TRUE(log.intend(entry("a")));
  EXPECT_EQ(log.problem(), std::nullopt);
}

TEST(audit_log, writes_into_files_only) {
  const folder here;
  EXPECT_TRUE(audit_log(here / ".").problem());
  EXPECT_THAT(audit_log("/dev/null").problem().value_or(""), HasSubstr("not a regular file"));
}

}  // namespace
