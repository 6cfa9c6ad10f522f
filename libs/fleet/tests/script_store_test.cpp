// SPDX-License-Identifier: Apache-2.0
#include "script_support.hpp"

namespace {

using namespace test_support;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::UnorderedElementsAre;

using fleet_script = script_test;

TEST_F(fleet_script, a_store_is_made_with_a_quarantine_by_whoever_comes_first) {
  const words got = sync("a", {.fresh = "first", .quarantine = "5000"});
  EXPECT_THAT(got, ElementsAre("all", "first", "0", "1", "0", "0"));
  EXPECT_GT(ttl("quarantine"), 4000);
  EXPECT_EQ(sync("b", {.fresh = "second"})[1], "first");
}

TEST_F(fleet_script, a_stranger_gets_everything_and_a_friend_what_is_new) {
  open("one", "0");
  open("two", "0");
  const words stranger = sync("b", {.incarnation = "another"}, "1");
  EXPECT_EQ(stranger[0], "all");
  ASSERT_EQ(stranger[4], "2");
  EXPECT_EQ(record_at(stranger, 5).name, "one");
  EXPECT_EQ(record_at(stranger, 17).name, "two");
  const words friendly = sync("b", {.incarnation = "made-1"}, "1");
  EXPECT_EQ(friendly[0], "ok");
  EXPECT_EQ(friendly[2], "2");
  ASSERT_EQ(friendly[4], "1");
  EXPECT_EQ(record_at(friendly, 5).name, "two");
  EXPECT_THAT(sync("b", {.incarnation = "made-1"}, "2"), ElementsAre("ok", "made-1", "2", "1", "0", "0"));
}

TEST_F(fleet_script, more_records_than_asked_for_come_in_pieces) {
  for (const char* name : {"one", "two", "three"}) open(name, "0");
  const words first = sync("b", {.incarnation = "made-1"}, "0", {"0", "0", "0"}, "2");
  EXPECT_EQ(first[0], "more");
  EXPECT_EQ(first[2], "2");
  EXPECT_EQ(first[4], "2");
  const words second = sync("b", {.incarnation = "made-1"}, first[2], {"0", "0", "0"}, "2");
  EXPECT_EQ(second[0], "ok");
  EXPECT_EQ(second[2], "3");
  EXPECT_EQ(record_at(second, 5).name, "three");
}

TEST_F(fleet_script, who_knows_another_store_is_told_that_it_is_lost_and_changes_nothing) {
  open("api", "0");
  const words before = dump();
  const setting other{.incarnation = "gone"};
  const std::vector<std::pair<std::string, words>> refused = {
      {"open", {"x", "0", "1", "0", "1000", "1000", "1", "1", "rule", "r"}},
      {"lease", {"api", "1", "1", "1000", "t"}},
      {"verdict", {"api", "1", "1", "t", "success", "1", "0", "1", "1", "r"}},
      {"recovered", {"api", "1", "r"}},
      {"operate", {"api", "id", "closed", "-1", "o", "r"}},
      {"leave", {}},
  };
  for (const auto& [op, arguments] : refused) {
    EXPECT_THAT(run(op, "b", arguments, other), ElementsAre("lost", "made-1", "1")) << op;
  }
  EXPECT_EQ(dump(), before);
}

TEST_F(fleet_script, a_store_that_went_back_in_time_gets_another_name_and_a_quarantine_and_keeps_its_records) {
  open("api", "0");
  end_quarantine();
  const words got = sync("a", {.incarnation = "made-1", .fresh = "made-2", .quarantine = "7000"}, "9");
  EXPECT_EQ(got[0], "all");
  EXPECT_EQ(got[1], "made-2");
  EXPECT_EQ(record_at(got, 5).name, "api");
  EXPECT_GT(ttl("quarantine"), 6000);
  EXPECT_EQ(sync("b", {.incarnation = "made-1", .fresh = "made-3"}, "9")[1], "made-2");
}

TEST_F(fleet_script, versions_go_on_when_only_the_head_of_the_store_was_lost) {
  open("one", "0");
  open("two", "0");
  command({"DEL", key("store")});
  const words got = sync("a", {.incarnation = "made-1", .fresh = "made-2"}, "2");
  EXPECT_EQ(got[0], "all");
  EXPECT_EQ(got[1], "made-2");
  EXPECT_EQ(got[2], "2");
  EXPECT_EQ(open("three", "0")[2], "3");
}

TEST_F(fleet_script, what_the_store_has_lost_is_restored_by_those_who_know) {
  const setting s{.incarnation = "old", .quarantine = "9000"};
  const words known{"3",
                    "api", "7", "open", "20000", "2", "5", "1", "rule", "5 failures", "", "b", "99",
                    "db", "4", "forced_open", "-1", "0", "0", "0", "operator", "maintenance", "Ada", "op", "98",
                    "cache", "2", "closed", "-1", "0", "0", "0", "recovered", "", "", "c", "97"};
  EXPECT_THAT(run("restore", "a", known, s), ElementsAre("done", "made-1", "3"));
  const stored api = record_of("api");
  EXPECT_EQ(api.epoch, 7u);
  EXPECT_EQ(api.state, "open");
  EXPECT_GT(api.remaining, 15000);
  EXPECT_EQ(api.successes, 1u);
  EXPECT_EQ(api.by, "b");
  EXPECT_EQ(record_of("db").state, "forced_open");
  EXPECT_EQ(record_of("db").remaining, -1);
  EXPECT_EQ(record_of("cache").epoch, 2u);
  EXPECT_GT(ttl("quarantine"), 8000);
  end_quarantine();
  const words before = dump();
  EXPECT_THAT(run("restore", "b", known, s), ElementsAre("done", "made-1", "3"));
  EXPECT_EQ(dump(), before) << "the second to restore the same changes nothing";
}

TEST_F(fleet_script, of_two_decisions_with_one_number_that_of_the_store_stays_with_a_new_number) {
  operate("api", "1", "forced_open");
  const words other{"1", "api", "1", "closed", "-1", "0", "0", "0", "recovered", "", "", "b", "7"};
  run("restore", "b", other);
  EXPECT_EQ(record_of("api").state, "forced_open");
  EXPECT_EQ(record_of("api").epoch, 2u);
  const words before = dump();
  run("restore", "b", other);
  EXPECT_EQ(dump(), before);
}

TEST_F(fleet_script, an_open_period_that_was_over_stays_over_when_it_is_restored) {
  run("restore", "a", {"1", "api", "7", "open", "0", "2", "5", "1", "rule", "", "", "b", "99"});
  EXPECT_EQ(record_of("api").remaining, 0);
  end_quarantine();
  EXPECT_EQ(lease("api", "7", "t")[0], "granted");
}

TEST_F(fleet_script, to_restore_what_the_store_had_forgotten_begins_a_quarantine) {
  open_due("api");
  EXPECT_EQ(lease("api", "1", "t", "2")[0], "granted");
  run("restore", "a", {"1", "api", "2", "open", "0", "2", "5", "0", "rule", "", "", "b", "99"},
      {.incarnation = "made-1", .quarantine = "5000"});
  const words got = lease("api", "2", "u", "2");
  EXPECT_EQ(got[0], "busy");
  EXPECT_GT(std::stol(got[3]), 4000);
}

TEST_F(fleet_script, members_that_went_are_counted_no_more) {
  sync("a");
  EXPECT_EQ(sync("b")[3], "2");
  command({"DEL", key("m:b")});  // its heartbeat has run out
  EXPECT_EQ(sync("a")[3], "1");
  EXPECT_EQ(command({"SMEMBERS", key("m")}).elements.size(), 1u);
}

TEST_F(fleet_script, a_large_fleet_is_counted_once_for_all_for_a_while) {
  for (int i = 0; i < 50; ++i) sync("i" + std::to_string(i));
  EXPECT_FALSE(exists("live"));
  sync("one more");
  EXPECT_GT(ttl("live"), 0);
  command({"PEXPIRE", key("live"), "60000"});
  command({"DEL", key("m:i7")});
  EXPECT_EQ(sync("i0")[3], "51");
  command({"DEL", key("live")});
  EXPECT_EQ(sync("i0")[3], "50");
}

TEST_F(fleet_script, who_leaves_takes_heartbeat_evidence_and_sights_along) {
  sync("a", {}, "0", {"1", "api", "0", "10", "5", "0", "1", "api", "{}", "0"});
  ASSERT_TRUE(exists("m:a") && exists("e:a") && exists("s:a"));
  EXPECT_EQ(run("leave", "a")[0], "done");
  EXPECT_FALSE(exists("m:a") || exists("e:a") || exists("s:a") || exists("m"));
}

TEST_F(fleet_script, evidence_of_the_same_epoch_is_summed_over_the_others) {
  sync("a", {}, "0", {"2", "api", "3", "10", "5", "1", "db", "0", "4", "4", "4", "0", "0"});
  sync("b", {}, "0", {"1", "api", "3", "20", "2", "2", "0", "0"});
  sync("c", {}, "0", {"1", "api", "2", "100", "100", "100", "0", "0"});
  const words got = sync("b", {.incarnation = "made-1"}, "0", {"1", "api", "3", "20", "2", "2", "0", "2", "db", "0", "api", "3"});
  EXPECT_THAT(words(got.begin() + 5, got.end()), ElementsAre("2", "db", "4", "4", "4", "api", "10", "5", "1"));
}

TEST_F(fleet_script, evidence_takes_the_place_of_what_was_said_before) {
  sync("a", {}, "0", {"1", "api", "3", "10", "5", "1", "0", "0"});
  sync("a", {}, "0", {"1", "db", "0", "1", "1", "1", "0", "0"});
  const words got = sync("b", {}, "0", {"0", "0", "2", "api", "3", "db", "0"});
  EXPECT_THAT(words(got.begin() + 5, got.end()), ElementsAre("2", "api", "0", "0", "0", "db", "1", "1", "1"));
}

TEST_F(fleet_script, sights_are_kept_until_they_are_taken_away) {
  sync("a", {}, "0", {"0", "2", "api", "{\"a\":1}", "db", "{}", "0"});
  sync("b", {}, "0", {"0", "1", "api", "{\"b\":1}", "0"});
  sync("a", {}, "0", {"0", "1", "db", "", "0"});
  const words api = run("views", "x", {"api"});
  ASSERT_EQ(api[3], "2");
  EXPECT_THAT(words(api.begin() + 4, api.end()), UnorderedElementsAre("a", "{\"a\":1}", "b", "{\"b\":1}"));
  EXPECT_EQ(run("views", "x", {"db"})[3], "0");
}

TEST_F(fleet_script, who_only_reads_leaves_no_trace) {
  EXPECT_THAT(run("records", "x", {"0", "10"}), ElementsAre("ok", "-", "0", "0"));
  EXPECT_THAT(run("members", "x"), ElementsAre("ok", "-", "0", "0"));
  EXPECT_THAT(run("views", "x", {"api"}), ElementsAre("ok", "-", "0", "0"));
  EXPECT_EQ(record_of("api").epoch, 0u);
  EXPECT_TRUE(keys().empty());
  sync("a");
  operate("api", "1", "forced_open", "60000");
  end_timer("api");
  command({"DEL", key("m:a")});
  const words before = dump();
  EXPECT_EQ(record_of("api").state, "closed");
  EXPECT_EQ(record_at(run("records", "x", {"0", "10"}), 4).state, "closed");
  EXPECT_EQ(run("members", "x")[3], "0");
  EXPECT_EQ(dump(), before);
}

TEST_F(fleet_script, two_namespaces_share_no_key) {
  open("api", "0");
  for (const std::string& k : keys()) EXPECT_EQ(k.rfind("sg:{test}:", 0), 0u) << k;
}

TEST_F(fleet_script, news_are_told_with_the_store_and_the_twelve_fields) {
  auto listener = switchgear::redis::connection::open({.port = server_.port()});
  listener.command({"SUBSCRIBE", key("news")});
  open("api", "0");
  const auto heard = listener.poll(std::chrono::seconds(5));
  ASSERT_TRUE(heard && heard->elements.size() == 3);
  EXPECT_EQ(heard->elements[2].text, "made-1\napi\n1\nopen\n60000\n1\n5\n0\nrule\n5 failures\n\na\n1");
}

TEST_F(fleet_script, lives_of_records_are_renewed_while_anybody_is_there) {
  open("api", "0");
  sync("a");
  command({"PEXPIRE", key("c:api"), "500"});
  sync("a");
  EXPECT_LE(ttl("c:api"), 500) << "not at every exchange";
  command({"DEL", key("renewing")});  // a quarter of the time has passed
  sync("a");
  EXPECT_GT(ttl("c:api"), 50000);
}

TEST_F(fleet_script, many_records_are_renewed_a_slice_at_a_time) {
  for (int i = 0; i < 600; ++i) open("c" + std::to_string(i), "0");
  const auto short_lived = [&] {
    int count = 0;
    for (int i = 0; i < 600; ++i) count += ttl("c:c" + std::to_string(i)) <= 50000 ? 1 : 0;
    return count;
  };
  for (int i = 0; i < 600; ++i) command({"PEXPIRE", key("c:c" + std::to_string(i)), "50000"});
  sync("a");
  EXPECT_EQ(short_lived(), 100);
  EXPECT_LE(ttl("renewing"), 100);
  command({"DEL", key("renewing")});
  sync("a");
  EXPECT_EQ(short_lived(), 0);
  EXPECT_GT(ttl("renewing"), 10000);
}

struct bad_call {
  const char* name;
  std::string op;
  words arguments;
  friend void PrintTo(const bad_call& b, std::ostream* out) { *out << b.name; }
};

class fleet_script_refuses : public script_test, public testing::WithParamInterface<bad_call> {};

TEST_P(fleet_script_refuses, and_changes_nothing) {
  const words got = run(GetParam().op, "a", GetParam().arguments);
  ASSERT_EQ(got[0], "error");
  EXPECT_THAT(got[1], HasSubstr("ERR fleet: "));
  EXPECT_TRUE(keys().empty());
}

const std::string long_name(201, 'n');
INSTANTIATE_TEST_SUITE_P(
    wrong, fleet_script_refuses,
    testing::Values(
        bad_call{"an_operation_that_is_none", "steal", {}}, bad_call{"too_few", "lease", {"api", "1", "1", "1000"}},
        bad_call{"too_many", "leave", {"now"}},
        bad_call{"an_empty_name", "recovered", {"", "1", "r"}}, bad_call{"a_long_name", "recovered", {long_name, "1", "r"}},
        bad_call{"a_name_with_a_line_feed", "recovered", {"a\nb", "1", "r"}},
        bad_call{"an_epoch_that_is_no_number", "recovered", {"api", "1e3", "r"}},
        bad_call{"an_epoch_below_zero", "recovered", {"api", "-1", "r"}},
        bad_call{"an_epoch_that_lua_cannot_hold", "recovered", {"api", "9007199254740992", "r"}},
        bad_call{"no_limit", "lease", {"api", "1", "0", "1000", "t"}},
        bad_call{"too_high_a_limit", "lease", {"api", "1", "1001", "1000", "t"}},
        bad_call{"a_lease_without_a_life", "lease", {"api", "1", "1", "0", "t"}},
        bad_call{"no_token", "lease", {"api", "1", "1", "1000", ""}},
        bad_call{"no_votes_needed", "open", {"api", "0", "0", "0", "1000", "1", "1", "1", "rule", "r"}},
        bad_call{"more_than_everybody", "open", {"api", "0", "1", "1000001", "1000", "1", "1", "1", "rule", "r"}},
        bad_call{"a_cause_that_is_none", "open", {"api", "0", "1", "0", "1000", "1", "1", "1", "mood", "r"}},
        bad_call{"a_verdict_that_is_none", "verdict", {"api", "1", "1", "t", "maybe", "1", "0", "1", "1", "r"}},
        bad_call{"an_action_that_is_none", "operate", {"api", "id", "open", "-1", "o", "r"}},
        bad_call{"an_override_that_does_not_last", "operate", {"api", "id", "disabled", "0", "o", "r"}},
        bad_call{"half_a_record", "restore", {"1", "api", "1", "open"}},
        bad_call{"the_second_record", "restore", {"2", "api", "1", "open", "0", "1", "1", "0", "rule", "", "", "b", "1",
                                                  "db", "1", "broken", "0", "1", "1", "0", "rule", "", "", "b", "2"}},
        bad_call{"too_long_a_list", "restore", {"10001"}},
        bad_call{"fewer_than_announced", "sync", {"0", "5000", "10", "5000", "2", "api", "0", "1", "1", "1", "0", "0"}},
        bad_call{"too_long_a_sight", "sync", {"0", "5000", "10", "5000", "0", "1", "api", std::string(4097, 'x'), "0"}},
        bad_call{"no_maximum", "sync", {"0", "5000", "0", "5000", "0", "0", "0"}}),
    [](const auto& info) { return info.param.name; });

TEST_F(fleet_script, a_reason_is_made_to_fit) {
  std::string reason(199, 'x');
  reason += "\xc3\xa4 and\nmore";
  run("open", "a", {"api", "0", "1", "0", "1000", "60000", "1", "5", "rule", reason});
  EXPECT_EQ(record_of("api").reason, std::string(199, 'x'));
  run("open", "a", {"db", "0", "1", "0", "1000", "60000", "1", "5", "rule", "two\nlines"});
  EXPECT_EQ(record_of("db").reason, "two lines");
}

TEST_F(fleet_script, a_full_server_refuses_before_anything_is_changed) {
  sync("a");
  command({"CONFIG", "SET", "maxmemory-policy", "noeviction"});
  command({"CONFIG", "SET", "maxmemory", "1mb"});
  const words before = dump();
  EXPECT_THAT(sync("a")[1], HasSubstr("OOM"));
  EXPECT_THAT(open("api", "0")[1], HasSubstr("OOM"));
  EXPECT_EQ(dump(), before);
}

}  // namespace
