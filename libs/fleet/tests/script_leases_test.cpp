// SPDX-License-Identifier: Apache-2.0
#include "script_support.hpp"

namespace {

using namespace test_support;

using fleet_script = script_test;

TEST_F(fleet_script, a_probe_of_a_circuit_that_is_due_gets_a_lease_that_ends) {
  open_due("api");
  const words got = lease("api", "1", "t");
  ASSERT_EQ(got[0], "granted");
  EXPECT_EQ(got[3], "1");
  EXPECT_EQ(record_at(got, 4).state, "open");
  EXPECT_EQ(command({"GET", key("l:api:1")}).text, "t");
  EXPECT_GT(ttl("l:api:1"), 50000);
}

TEST_F(fleet_script, the_same_token_gets_the_same_slot_again_and_no_longer_life) {
  open_due("api");
  lease("api", "1", "t", "3");
  lease("api", "1", "u", "3");
  command({"PEXPIRE", key("l:api:2"), "20000"});
  const words again = lease("api", "1", "u", "3");
  EXPECT_EQ(again[0], "granted");
  EXPECT_EQ(again[3], "2");
  EXPECT_LE(ttl("l:api:2"), 20000);
}

TEST_F(fleet_script, there_are_no_more_leases_than_the_limit_and_the_others_are_told_how_long_to_wait) {
  open_due("api");
  EXPECT_EQ(lease("api", "1", "t", "2", "60000")[3], "1");
  EXPECT_EQ(lease("api", "1", "u", "2", "30000", "b")[3], "2");
  const words got = lease("api", "1", "v", "2", "60000", "c");
  ASSERT_EQ(got[0], "busy");
  EXPECT_GT(std::stol(got[3]), 20000);
  EXPECT_LE(std::stol(got[3]), 30000);
  EXPECT_EQ(record_at(got, 4).name, "api");
}

TEST_F(fleet_script, before_the_open_period_is_over_there_is_no_lease) {
  open("api", "0");
  end_quarantine();
  const words got = lease("api", "1", "t");
  ASSERT_EQ(got[0], "busy");
  EXPECT_GT(std::stol(got[3]), 50000);
}

TEST_F(fleet_script, in_quarantine_there_is_no_lease) {
  sync("a", {.quarantine = "60000"});
  open("api", "0", "a", "0");
  const words got = lease("api", "1", "t");
  ASSERT_EQ(got[0], "busy");
  EXPECT_GT(std::stol(got[3]), 50000);
}

TEST_F(fleet_script, in_quarantine_a_lease_in_force_is_kept) {
  sync("a", {.quarantine = "60000"});
  const setting lost{.incarnation = "gone"};
  const words got = run("keep", "b", {"api", "7", "1", "9000", "t"}, lost);
  ASSERT_EQ(got[0], "granted");
  EXPECT_EQ(got[3], "1");
  EXPECT_LE(ttl("l:api:1"), 9000);
  EXPECT_EQ(run("keep", "b", {"api", "7", "1", "90000", "t"}, lost)[3], "1");
  EXPECT_LE(ttl("l:api:1"), 9000) << "kept again, it lives no longer";
  EXPECT_EQ(run("keep", "c", {"api", "7", "1", "9000", "u"}, lost)[0], "busy");
}

TEST_F(fleet_script, a_lease_of_another_epoch_or_of_a_closed_circuit_is_stale) {
  EXPECT_EQ(lease("api", "0", "t")[0], "stale");
  open_due("api");
  const words got = lease("api", "0", "t");
  EXPECT_EQ(got[0], "stale");
  EXPECT_EQ(record_at(got, 3).epoch, 1u);
  EXPECT_FALSE(exists("l:api:1"));
}

TEST_F(fleet_script, leases_of_an_older_epoch_keep_their_slots) {
  open_due("api");
  lease("api", "1", "t");
  operate("api", "1", "closed");
  ASSERT_EQ(open("api", "2", "a", "0")[0], "done");
  EXPECT_EQ(lease("api", "3", "u")[0], "busy");
  EXPECT_EQ(verdict("api", "1", "1", "t", "success", "1")[0], "stale");
  EXPECT_EQ(record_of("api").epoch, 3u);
  EXPECT_EQ(record_of("api").successes, 0u);
  EXPECT_EQ(lease("api", "3", "u")[0], "granted") << "given back with the late verdict";
}

TEST_F(fleet_script, a_success_counts_and_gives_the_lease_back) {
  open_due("api");
  lease("api", "1", "t");
  const words got = verdict("api", "1", "1", "t", "success");
  ASSERT_EQ(got[0], "done");
  const stored r = record_at(got, 3);
  EXPECT_EQ(r.successes, 1u);
  EXPECT_EQ(r.state, "open");
  EXPECT_EQ(r.epoch, 1u);
  EXPECT_EQ(r.version, 2u);
  EXPECT_FALSE(exists("l:api:1"));
}

TEST_F(fleet_script, each_verdict_that_counts_is_news) {
  open_due("api");
  lease("api", "1", "t");
  auto listener = switchgear::redis::connection::open({.port = server_.port()});
  listener.command({"SUBSCRIBE", key("news")});
  verdict("api", "1", "1", "t", "success");
  const auto success = listener.poll(std::chrono::seconds(5));
  ASSERT_TRUE(success && success->elements.size() == 3);
  EXPECT_EQ(success->elements[2].text, "made-1\napi\n1\nopen\n0\n1\n5\n1\nrule\n5 failures\n\na\n2");
  lease("api", "1", "u");
  verdict("api", "1", "1", "u", "none");
  lease("api", "1", "v");
  verdict("api", "1", "1", "v", "failure");
  const auto failure = listener.poll(std::chrono::seconds(5));
  ASSERT_TRUE(failure && failure->elements.size() == 3);
  EXPECT_EQ(failure->elements[2].text, "made-1\napi\n2\nopen\n30000\n2\n1\n0\nprobe\na probe\n\na\n3");
}

TEST_F(fleet_script, enough_successes_close) {
  open_due("api");
  lease("api", "1", "t");
  verdict("api", "1", "1", "t", "success");
  lease("api", "1", "u");
  const stored r = record_at(verdict("api", "1", "1", "u", "success"), 3);
  EXPECT_EQ(r.state, "closed");
  EXPECT_EQ(r.epoch, 2u);
  EXPECT_EQ(r.cause, "recovered");
  EXPECT_EQ(r.remaining, -1);
}

TEST_F(fleet_script, a_verdict_said_twice_counts_once) {
  open_due("api");
  lease("api", "1", "t");
  verdict("api", "1", "1", "t", "success");
  const words before = dump();
  const words again = verdict("api", "1", "1", "t", "success");
  EXPECT_EQ(again[0], "stale");
  EXPECT_EQ(record_at(again, 3).successes, 1u);
  EXPECT_EQ(dump(), before);
}

TEST_F(fleet_script, a_verdict_of_one_whose_lease_has_gone_to_another_takes_nothing_away) {
  open_due("api");
  lease("api", "1", "t");
  command({"DEL", key("l:api:1")});  // its time is over
  lease("api", "1", "u");
  EXPECT_EQ(verdict("api", "1", "1", "t", "failure")[0], "stale");
  EXPECT_EQ(command({"GET", key("l:api:1")}).text, "u");
  EXPECT_EQ(record_of("api").epoch, 1u);
}

TEST_F(fleet_script, a_failed_probe_opens_again_for_as_long_as_its_machine_says) {
  open_due("api");
  lease("api", "1", "t", "2");
  lease("api", "1", "u", "2");
  verdict("api", "1", "2", "u", "success", "3");
  const stored r = record_at(verdict("api", "1", "1", "t", "failure"), 3);
  EXPECT_EQ(r.epoch, 2u);
  EXPECT_EQ(r.state, "open");
  EXPECT_EQ(r.remaining, 30000);
  EXPECT_EQ(r.attempt, 2u);
  EXPECT_EQ(r.failure_count, 1u);
  EXPECT_EQ(r.successes, 0u);
  EXPECT_EQ(r.cause, "probe");
}

TEST_F(fleet_script, a_lease_that_was_not_used_is_given_back_without_a_trace) {
  open_due("api");
  const words before = dump();
  lease("api", "1", "t");
  EXPECT_EQ(verdict("api", "1", "1", "t", "none")[0], "done");
  EXPECT_EQ(dump(), before);
}

TEST_F(fleet_script, leases_stay_in_force_while_an_operator_overrides) {
  open_due("api");
  lease("api", "1", "t");
  operate("api", "1", "forced_open");
  EXPECT_EQ(lease("api", "2", "u")[0], "stale");
  EXPECT_EQ(verdict("api", "1", "1", "t", "success", "1")[0], "stale");
  EXPECT_EQ(record_of("api").state, "forced_open");
}

}  // namespace
