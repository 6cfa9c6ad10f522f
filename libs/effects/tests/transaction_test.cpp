// SPDX-License-Identifier: Apache-2.0
#include "support.hpp"

#include <switchgear/transaction.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <optional>

namespace {

using namespace effects_tests;
using sg::transaction_state;
using testing::ElementsAre;
using testing::IsEmpty;

TEST(transaction, rolls_back_in_reverse_order) {
  diary d;
  sg::transaction t;
  t.on_rollback("a", d.note("undo a"));
  t.on_rollback("b", d.note("undo b"));
  t.on_rollback("c", d.note("undo c"));
  EXPECT_THAT(t.rollback(), IsEmpty());
  EXPECT_THAT(d.lines, ElementsAre("undo c", "undo b", "undo a"));
  EXPECT_EQ(t.state(), transaction_state::rolled_back);
}

TEST(transaction, runs_no_undo_once_committed) {
  diary d;
  {
    sg::transaction t;
    t.on_rollback("a", d.note("undo a"));
    t.commit();
    EXPECT_EQ(t.state(), transaction_state::committed);
    EXPECT_EQ(t.undos(), 0u);
  }
  EXPECT_THAT(d.lines, IsEmpty());
}

TEST(transaction, is_rolled_back_when_destroyed_without_a_decision) {
  diary d;
  {
    sg::transaction t;
    t.on_rollback("a", d.note("undo a"));
    t.on_rollback("b", d.note("undo b"));
  }
  EXPECT_THAT(d.lines, ElementsAre("undo b", "undo a"));
}

TEST(transaction, is_rolled_back_by_an_exception_that_passes) {
  diary d;
  EXPECT_THROW(
      {
        sg::transaction t;
        t.on_rollback("a", d.note("undo a"));
        throw outage("x");
      },
      outage);
  EXPECT_THAT(d.lines, ElementsAre("undo a"));
}

TEST(transaction, runs_each_undo_once_however_often_it_is_rolled_back) {
  diary d;
  {
    sg::transaction t;
    t.on_rollback("a", d.note("undo a"));
    (void)t.rollback();
    EXPECT_THAT(t.rollback(), IsEmpty());
  }
  EXPECT_THAT(d.lines, ElementsAre("undo a"));
}

TEST(transaction, runs_the_other_undos_after_one_that_throws) {
  diary d;
  sg::transaction t;
  t.on_rollback("a", d.note("undo a"));
  t.on_rollback("b", d.note_and_throw("undo b"));
  t.on_rollback("c", d.note("undo c"));
  (void)t.rollback();
  EXPECT_THAT(d.lines, ElementsAre("undo c", "undo b", "undo a"));
}

TEST(transaction, reports_undos_that_throw_with_name_text_and_exception) {
  diary d;
  sg::transaction t;
  t.on_rollback("a", [] { throw 7; });
  t.on_rollback("b", d.note_and_throw("no answer"));
  const auto failures = t.rollback();
  ASSERT_EQ(failures.size(), 2u);
  EXPECT_EQ(failures[0].name, "b");
  EXPECT_EQ(failures[0].what, "no answer");
  EXPECT_THROW(std::rethrow_exception(failures[0].exception), outage);
  EXPECT_EQ(failures[1].name, "a");
  EXPECT_EQ(failures[1].what, "an exception that is not a std::exception");
  EXPECT_THROW(std::rethrow_exception(failures[1].exception), int);
  EXPECT_EQ(t.undo_failures().size(), 2u);
}

TEST(transaction, tells_its_reporter_of_undos_that_throw_in_the_destructor) {
  diary d;
  std::vector<std::string> told;
  {
    sg::transaction t([&](const sg::undo_failure& f) { told.push_back(f.name + ": " + f.what); });
    t.on_rollback("a", d.note_and_throw("no answer"));
  }
  EXPECT_THAT(told, ElementsAre("a: no answer"));
}

TEST(transaction, goes_on_when_its_reporter_throws) {
  diary d;
  {
    sg::transaction t([](const sg::undo_failure&) { throw outage("reporter"); });
    t.on_rollback("a", d.note("undo a"));
    t.on_rollback("b", d.note_and_throw("undo b"));
  }
  EXPECT_THAT(d.lines, ElementsAre("undo b", "undo a"));
}

TEST(transaction, takes_undos_that_can_only_be_moved) {
  int seen = 0;
  sg::transaction t;
  t.on_rollback("a", [&seen, value = std::make_unique<int>(7)] { seen = *value; });
  (void)t.rollback();
  EXPECT_EQ(seen, 7);
}

TEST(transaction, destroys_what_undos_hold_when_it_commits) {
  const auto held = std::make_shared<int>(1);
  sg::transaction t;
  t.on_rollback("a", [held] {});
  t.on_commit("b", [held] {});
  t.commit();
  EXPECT_EQ(held.use_count(), 1);
}

TEST(transaction, can_hold_a_million_undos) {
  std::size_t undone = 0;
  {
    sg::transaction t;
    for (int i = 0; i < 1'000'000; ++i) t.on_rollback({}, [&undone] { ++undone; });
    EXPECT_EQ(t.undos(), 1'000'000u);
  }
  EXPECT_EQ(undone, 1'000'000u);
}

TEST(transaction, registers_the_undo_of_an_operation_that_succeeded) {
  diary d;
  sg::transaction t;
  EXPECT_EQ(t.run("a", [] { return 5; }, d.note("undo a")), 5);
  EXPECT_EQ(t.undos(), 1u);
  (void)t.rollback();
  EXPECT_THAT(d.lines, ElementsAre("undo a"));
}

TEST(transaction, registers_no_undo_of_an_operation_that_threw) {
  diary d;
  sg::transaction t;
  EXPECT_THROW(t.run("a", d.note_and_throw("a"), d.note("undo a")), outage);
  (void)t.rollback();
  EXPECT_THAT(d.lines, ElementsAre("a"));
}

TEST(transaction, returns_results_that_cannot_be_moved) {
  struct pinned {
    explicit pinned(int v) : value(v) {}
    pinned(const pinned&) = delete;
    int value;
  };
  sg::transaction t;
  EXPECT_EQ(t.run("a", [] { return pinned(3); }, [] {}).value, 3);
  EXPECT_EQ(t.undos(), 1u);
}

TEST(transaction, undoes_inner_operations_after_the_outer_one) {
  diary d;
  sg::transaction t;
  t.run("outer", [&] { t.run("inner", [] {}, d.note("undo inner")); }, d.note("undo outer"));
  (void)t.rollback();
  EXPECT_THAT(d.lines, ElementsAre("undo outer", "undo inner"));
}

TEST(transaction, undoes_an_operation_that_rolled_its_own_transaction_back) {
  diary d;
  sg::transaction t;
  t.run("a", [&] { (void)t.rollback(); }, d.note("undo a"));
  EXPECT_THAT(d.lines, ElementsAre("undo a"));
}

TEST(transaction, runs_commit_actions_in_order) {
  diary d;
  sg::transaction t;
  t.on_commit("a", d.note("a"));
  t.on_commit("b", d.note("b"));
  t.commit();
  EXPECT_THAT(d.lines, ElementsAre("a", "b"));
}

TEST(transaction, runs_no_commit_action_when_rolled_back) {
  diary d;
  {
    sg::transaction t;
    t.on_commit("a", d.note("a"));
  }
  EXPECT_THAT(d.lines, IsEmpty());
}

TEST(transaction, rolls_back_when_a_commit_action_throws) {
  diary d;
  sg::transaction t;
  t.on_rollback("x", d.note("undo x"));
  t.on_commit("a", d.note("a"));
  t.on_commit("b", d.note_and_throw("b"));
  t.on_commit("c", d.note("c"));
  EXPECT_EQ(thrown_by([&] { t.commit(); }), "b");
  EXPECT_THAT(d.lines, ElementsAre("a", "b", "undo x"));
  EXPECT_EQ(t.state(), transaction_state::rolled_back);
}

TEST(transaction, lets_a_commit_action_register_how_to_undo_itself) {
  diary d;
  sg::transaction t;
  t.on_rollback("x", d.note("undo x"));
  t.on_commit("a", [&] { t.on_rollback("a", d.note("undo a")); });
  t.on_commit("b", d.note_and_throw("b"));
  EXPECT_THROW(t.commit(), outage);
  EXPECT_THAT(d.lines, ElementsAre("b", "undo a", "undo x"));
}

TEST(transaction, refuses_everything_after_its_end) {
  diary d;
  sg::transaction t;
  t.commit();
  EXPECT_THROW(t.commit(), sg::transaction_error);
  EXPECT_THROW((void)t.rollback(), sg::transaction_error);
  EXPECT_THROW(t.on_rollback("a", d.note("undo a")), sg::transaction_error);
  EXPECT_THROW(t.on_commit("a", d.note("a")), sg::transaction_error);
  EXPECT_THROW(t.run("a", d.note("a"), d.note("undo a")), sg::transaction_error);
  EXPECT_THAT(d.lines, IsEmpty());
}

TEST(transaction, refuses_undos_while_it_rolls_back) {
  sg::transaction t;
  t.on_rollback("a", [&] { t.on_rollback("b", [] {}); });
  const auto failures = t.rollback();
  ASSERT_EQ(failures.size(), 1u);
  EXPECT_EQ(failures[0].what, "a transaction that is rolling_back cannot take an undo");
}

TEST(transaction, undoes_at_once_what_there_is_no_memory_to_register) {
  struct undo {
    bool& done;
    explicit undo(bool& d) : done(d) {}
    undo(const undo& other) : done(other.done) { throw std::bad_alloc(); }
    void operator()() const { done = true; }
  };
  bool done = false;
  const undo u(done);
  sg::transaction t;
  EXPECT_THROW(t.on_rollback("a", u), std::bad_alloc);
  EXPECT_TRUE(done);
  EXPECT_EQ(t.undos(), 0u);
}

TEST(transaction, undoes_at_once_what_cannot_be_copied) {
  struct undo {
    bool& done;
    explicit undo(bool& d) : done(d) {}
    undo(const undo& other) : done(other.done) { throw outage("no copies"); }
    void operator()() const { done = true; }
  };
  bool done = false;
  const undo u(done);
  sg::transaction t;
  EXPECT_THROW(t.on_rollback("a", u), outage);
  EXPECT_TRUE(done);
  EXPECT_EQ(t.undos(), 0u);
}

}  // namespace
