// SPDX-License-Identifier: Apache-2.0
#include "script_support.hpp"

namespace {

using namespace test_support;
using testing::ElementsAre;

using fleet_script = script_test;

words vote(const std::string& epoch, const std::string& count, const std::string& share = "0") {
  return {"api", epoch, count, share, "60000", "60000", "1", "5", "rule", "5 failures"};
}

TEST_F(fleet_script, an_unknown_circuit_is_closed_at_epoch_0) {
  const stored r = record_of("api");
  EXPECT_EQ(r.epoch, 0u);
  EXPECT_EQ(r.state, "closed");
  EXPECT_EQ(r.remaining, -1);
  EXPECT_EQ(r.cause, "none");
}

TEST_F(fleet_script, an_opening_that_needs_one_opens) {
  const words got = open("api", "0");
  ASSERT_EQ(got[0], "done");
  const stored r = record_at(got, 3);
  EXPECT_EQ(r.epoch, 1u);
  EXPECT_EQ(r.state, "open");
  EXPECT_EQ(r.remaining, 60000);
  EXPECT_EQ(r.attempt, 1u);
  EXPECT_EQ(r.failure_count, 5u);
  EXPECT_EQ(r.cause, "rule");
  EXPECT_EQ(r.reason, "5 failures");
  EXPECT_EQ(r.by, "a");
  EXPECT_EQ(r.version, 1u);
}

TEST_F(fleet_script, an_opening_said_twice_opens_once) {
  open("api", "0");
  const words before = dump();
  const words again = open("api", "0");
  EXPECT_EQ(again[0], "stale");
  EXPECT_EQ(record_at(again, 3).epoch, 1u);
  EXPECT_EQ(dump(), before);
}

TEST_F(fleet_script, an_opening_of_an_older_epoch_is_stale) {
  open("api", "0");
  operate("api", "1", "closed");
  EXPECT_EQ(open("api", "1")[0], "stale");
  EXPECT_EQ(record_of("api").state, "closed");
}

TEST_F(fleet_script, what_is_overridden_is_not_opened) {
  operate("api", "1", "disabled");
  EXPECT_EQ(open("api", "1")[0], "stale");
  EXPECT_EQ(record_of("api").state, "disabled");
}

TEST_F(fleet_script, a_circuit_without_a_record_opens_at_the_epoch_that_the_caller_knows) {
  EXPECT_EQ(record_at(open("api", "41"), 3).epoch, 42u);
}

TEST_F(fleet_script, a_vote_alone_opens_nothing_until_there_are_enough) {
  for (const char* id : {"a", "b", "c"}) sync(id);
  EXPECT_EQ(run("open", "a", vote("0", "2"))[0], "voted");
  EXPECT_EQ(record_of("api").state, "closed");
  EXPECT_EQ(run("open", "b", vote("0", "2"))[0], "done");
  EXPECT_EQ(record_of("api").state, "open");
}

TEST_F(fleet_script, a_vote_counts_once) {
  for (const char* id : {"a", "b", "c"}) sync(id);
  EXPECT_EQ(run("open", "a", vote("0", "2"))[0], "voted");
  EXPECT_EQ(run("open", "a", vote("0", "2"))[0], "voted");
  EXPECT_EQ(record_of("api").state, "closed");
}

TEST_F(fleet_script, a_vote_counts_for_its_time_only) {
  for (const char* id : {"a", "b"}) sync(id);
  run("open", "a", vote("0", "2"));
  command({"DEL", key("v:3:api:0:a")});
  EXPECT_EQ(run("open", "b", vote("0", "2"))[0], "voted");
  EXPECT_GT(ttl("v:3:api:0:b"), 50000);
}

TEST_F(fleet_script, votes_of_an_older_epoch_do_not_count) {
  for (const char* id : {"a", "b"}) sync(id);
  run("open", "a", vote("0", "2"));
  operate("api", "1", "closed");
  EXPECT_EQ(run("open", "b", vote("1", "2"))[0], "voted");
}

TEST_F(fleet_script, votes_of_the_dead_do_not_count) {
  for (const char* id : {"a", "b", "c"}) sync(id);
  run("open", "a", vote("0", "2"));
  command({"DEL", key("m:a")});
  EXPECT_EQ(run("open", "b", vote("0", "2"))[0], "voted");
}

TEST_F(fleet_script, a_share_of_those_who_live_is_enough) {
  for (const char* id : {"a", "b", "c", "d"}) sync(id);
  EXPECT_EQ(run("open", "a", vote("0", "0", "500000"))[0], "voted");
  EXPECT_EQ(run("open", "b", vote("0", "0", "500000"))[0], "done");
}

TEST_F(fleet_script, the_share_is_of_those_who_live_now) {
  for (const char* id : {"a", "b", "c", "d"}) sync(id);
  EXPECT_EQ(run("open", "a", vote("0", "0", "500000"))[0], "voted");
  run("leave", "c");
  run("leave", "d");
  EXPECT_EQ(run("open", "a", vote("0", "0", "500000"))[0], "done");
}

TEST_F(fleet_script, names_and_instances_with_colons_are_not_mixed_up) {
  sync("x");
  sync("1:x");
  EXPECT_EQ(run("open", "1:x", {"a", "1", "2", "0", "60000", "1", "1", "1", "rule", ""})[0], "voted");
  EXPECT_EQ(run("open", "x", {"a:1", "1", "2", "0", "60000", "1", "1", "1", "rule", ""})[0], "voted");
}

TEST_F(fleet_script, an_open_period_that_is_over_is_due) {
  open("api", "0", "a", "60000");
  EXPECT_GT(record_of("api").remaining, 50000);
  end_timer("api");
  EXPECT_EQ(record_of("api").remaining, 0);
  EXPECT_EQ(record_of("api").state, "open");
}

TEST_F(fleet_script, a_circuit_that_recovered_alone_is_closed_also_before_it_is_due_here) {
  open("api", "0");
  EXPECT_EQ(run("recovered", "b", {"api", "0", "fine again"})[0], "stale") << "of another epoch";
  const words got = run("recovered", "b", {"api", "1", "fine again"});
  ASSERT_EQ(got[0], "done");
  const stored r = record_at(got, 3);
  EXPECT_EQ(r.epoch, 2u);
  EXPECT_EQ(r.state, "closed");
  EXPECT_EQ(r.cause, "recovered");
  EXPECT_EQ(r.attempt, 0u);
  EXPECT_EQ(run("recovered", "b", {"api", "1", "fine again"})[0], "stale") << "said twice";
}

TEST_F(fleet_script, an_operator_decides_whatever_the_epoch) {
  open("api", "0");
  const stored forced = record_at(operate("api", "1", "forced_open"), 3);
  EXPECT_EQ(forced.epoch, 2u);
  EXPECT_EQ(forced.state, "forced_open");
  EXPECT_EQ(forced.remaining, -1);
  EXPECT_EQ(forced.cause, "operator");
  EXPECT_EQ(forced.owner, "Ada");
  EXPECT_EQ(forced.reason, "maintenance");
  EXPECT_EQ(forced.by, "op");
  EXPECT_FALSE(exists("t:api"));
  EXPECT_EQ(record_at(operate("api", "2", "disabled", "5000"), 3).remaining, 5000);
  const stored closed = record_at(operate("api", "3", "closed"), 3);
  EXPECT_EQ(closed.epoch, 4u);
  EXPECT_EQ(closed.state, "closed");
  EXPECT_EQ(closed.remaining, -1);
}

TEST_F(fleet_script, an_action_said_twice_is_done_once) {
  for (const char* state : {"forced_open", "closed"}) {
    operate("api", state, state);
    const words before = dump();
    EXPECT_EQ(operate("api", state, state)[0], "done");
    EXPECT_EQ(dump(), before);
  }
}

TEST_F(fleet_script, an_action_said_again_after_another_one_is_not_done_again) {
  operate("api", "1", "forced_open");
  operate("api", "2", "closed");
  EXPECT_EQ(record_at(operate("api", "1", "forced_open"), 3).state, "closed");
  EXPECT_EQ(record_of("api").epoch, 2u);
  EXPECT_LE(ttl("o:1"), 3600000);
}

TEST_F(fleet_script, an_override_ends_when_its_time_is_over) {
  operate("api", "1", "forced_open", "60000");
  EXPECT_GT(record_of("api").remaining, 50000);
  end_timer("api");
  const words got = sync("a");
  const stored r = record_at(got, 5);
  EXPECT_EQ(r.state, "closed");
  EXPECT_EQ(r.epoch, 2u);
  EXPECT_EQ(r.cause, "none");
}

TEST_F(fleet_script, an_override_that_nobody_asks_about_ends_too) {
  operate("api", "1", "forced_open", "60000");
  const setting known{.incarnation = "made-1"};
  EXPECT_EQ(sync("a", known, "1")[4], "0");
  command({"DEL", key("looked")});
  end_timer("api");
  auto listener = switchgear::redis::connection::open({.port = server_.port()});
  listener.command({"SUBSCRIBE", key("news")});
  const words got = sync("a", known, "1");
  ASSERT_EQ(got[4], "1");
  EXPECT_EQ(record_at(got, 5).state, "closed");
  EXPECT_TRUE(listener.poll(std::chrono::seconds(5)).has_value()) << "the others are told at once";
  EXPECT_FALSE(exists("timed"));
}

TEST_F(fleet_script, an_override_without_an_end_does_not_end) {
  operate("api", "1", "disabled");
  sync("a");
  EXPECT_EQ(record_of("api").state, "disabled");
  EXPECT_EQ(record_of("api").epoch, 1u);
}

TEST_F(fleet_script, an_open_circuit_opens_no_second_time_after_its_override) {
  open("api", "0");
  operate("api", "1", "forced_open", "60000");
  end_timer("api");
  EXPECT_EQ(open("api", "2")[0], "stale") << "the end of the override was a decision of its own";
  EXPECT_EQ(open("api", "3")[0], "done");
}

}  // namespace
