// SPDX-License-Identifier: Apache-2.0
#include "process.hpp"

#include <nlohmann/json.hpp>

namespace program_tests {
namespace {

class operators : public program_test {
 protected:
  void SetUp() override { ASSERT_EQ(exec("true").status, 0); }
  std::string told(const std::vector<std::string>& arguments) {
    const outcome o = run(arguments);
    EXPECT_EQ(o.status, 0) << o.err;
    return o.out;
  }
};

TEST_F(operators, trip_opens_once) {
  EXPECT_EQ(told({"trip", "c", "--reason", "disk swap"}), "circuit c closed → open: disk swap\n");
  EXPECT_EQ(told({"trip", "c"}), "nothing to do: circuit c is open already\n");
  const outcome rejected = exec("true");
  EXPECT_EQ(rejected.status, 75);
  EXPECT_TRUE(contains(rejected.err, "open (disk swap), retry after")) << rejected.err;
}

TEST_F(operators, force_open_holds_until_release_and_names_its_owner) {
  EXPECT_EQ(told({"force-open", "c", "--reason", "audit", "--owner", "anna", "--ttl", "2h"}),
            "circuit c closed → forced_open: audit\n");
  EXPECT_EQ(fact("now.override.owner"), "anna");
  EXPECT_EQ(fact("now.override.reason"), "audit");
  EXPECT_NE(fact("now.override.until"), "null");
  const outcome rejected = exec("true");
  EXPECT_EQ(rejected.status, 75);
  EXPECT_TRUE(contains(rejected.err, "forced_open (audit) by anna")) << rejected.err;
  EXPECT_TRUE(contains(told({"status"}), "anna: audit (until "));
  EXPECT_TRUE(contains(told({"force-open", "c", "--owner", "bert"}), "new owner"));
  EXPECT_EQ(fact("now.override.owner"), "bert");
  EXPECT_EQ(told({"release", "c"}), "circuit c forced_open → closed: released by hand\n");
  EXPECT_TRUE(contains(told({"release", "c"}), "nothing to do"));
}

TEST_F(operators, the_owner_is_the_login_name_when_none_is_given) {
  told({"disable", "c"});
  EXPECT_FALSE(fact("now.override.owner").empty());
  EXPECT_EQ(fact("state"), "disabled");
}

TEST_F(operators, an_override_ends_with_its_time_to_live) {
  told({"force-open", "c", "--ttl", "1ms"});
  EXPECT_TRUE(eventually([&] { return exec("true").status == 0; }));
}

TEST_F(operators, reset_closes_and_reset_metrics_leaves_the_state_alone) {
  told({"trip", "c"});
  EXPECT_TRUE(contains(told({"reset", "c", "--metrics"}), "count from 0"));
  EXPECT_EQ(fact("state"), "open");
  EXPECT_EQ(fact("metrics.total_calls"), "0");
  EXPECT_EQ(told({"reset", "c", "--reason", "fixed"}), "circuit c open → closed: fixed\n");
  EXPECT_EQ(told({"reset", "c"}), "circuit c reset: its windows and counts are empty again\n");
}

TEST_F(operators, a_pass_through_cannot_be_moved) {
  ASSERT_EQ(exec("true", {"--enabled", "false"}).status, 0);
  EXPECT_TRUE(contains(told({"trip", "c"}), "nothing to do"));
}

TEST_F(operators, an_unknown_circuit_names_the_nearest_one_and_is_not_made) {
  for (const char* verb : {"trip", "force-open", "disable", "release", "reset", "history", "status"}) {
    const outcome o = run({verb, "d"});
    EXPECT_EQ(o.status, 1) << verb;
    EXPECT_TRUE(contains(o.err, "the nearest name is \"c\"")) << o.err;
  }
  EXPECT_FALSE(std::filesystem::exists(state_file("d.circuit")));
}

TEST_F(operators, a_bad_time_to_live_is_a_usage_error) {
  const outcome o = run({"disable", "c", "--ttl", "soon"});
  EXPECT_EQ(o.status, 2);
  EXPECT_TRUE(contains(o.err, "--ttl \"soon\"")) << o.err;
  EXPECT_EQ(run({"trip"}).status, 2);
  EXPECT_EQ(run({"trip", "c", "--owner", "x"}).status, 2);
}

TEST_F(operators, history_shows_the_newest_last) {
  EXPECT_TRUE(contains(told({"history", "c"}), "no transition"));
  told({"trip", "c", "--reason", "one"});
  told({"reset", "c", "--reason", "two"});
  const std::string table = told({"history", "c"});
  EXPECT_LT(table.find("one"), table.find("two"));
  const auto json = nlohmann::json::parse(told({"history", "c", "--json", "--limit", "1"}));
  ASSERT_EQ(json.size(), 1u);
  EXPECT_EQ(json[0]["reason"], "two");
  EXPECT_EQ(json[0]["from_state"], "open");
  EXPECT_EQ(json[0]["to_state"], "closed");
  EXPECT_EQ(json[0]["generation"], 2);
}

}  // namespace
}  // namespace program_tests
