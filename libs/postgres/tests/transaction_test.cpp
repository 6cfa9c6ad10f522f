// SPDX-License-Identifier: Apache-2.0
#include "fixture.hpp"

#include <memory>
#include <stdexcept>

namespace {

struct postgres_transactions : with_server {
  pg::client db{settings()};

  void SetUp() override {
    with_server::SetUp();
    db.execute("drop table if exists accounts");
    db.execute("create table accounts (id int primary key, balance int not null)");
    db.execute("insert into accounts values (1, 100), (2, 100)");
  }
  void TearDown() override {
    db.execute("drop table if exists accounts");
    with_server::TearDown();
  }
  int balance(int id) { return *db.query("select balance from accounts where id = $1", {id})[0].get<int>(0); }
  static void pay(pg::transaction& t, int from, int to) {
    t.execute("update accounts set balance = balance - 10 where id = $1", {from});
    t.execute("update accounts set balance = balance + 10 where id = $1", {to});
  }
};

struct closed_today : std::runtime_error {
  using std::runtime_error::runtime_error;
};

TEST_F(postgres_transactions, commit_and_return_what_the_function_returns) {
  const auto paid = db.transaction([](pg::transaction& t) {
    pay(t, 1, 2);
    return std::make_unique<int>(10);
  });
  EXPECT_EQ(*paid, 10);
  EXPECT_EQ(balance(1), 90);
  EXPECT_EQ(balance(2), 110);
}

TEST_F(postgres_transactions, are_one_call_of_the_breaker) {
  const auto before = db.breaker().snapshot().metrics.successes;
  db.transaction([](pg::transaction& t) { pay(t, 1, 2); });
  EXPECT_EQ(db.breaker().snapshot().metrics.successes, before + 1);
}

TEST_F(postgres_transactions, roll_back_on_an_exception_which_passes_unchanged) {
  const auto e = thrown_by<closed_today>([&] {
    db.transaction([](pg::transaction& t) {
      pay(t, 1, 2);
      throw closed_today("on Sundays");
    });
  });
  EXPECT_STREQ(e.what(), "on Sundays");
  EXPECT_EQ(balance(1), 100);
  EXPECT_EQ(db.breaker().snapshot().metrics.failures, 0u);
  EXPECT_EQ(db.breaker().snapshot().metrics.ignored, 1u);
}

TEST_F(postgres_transactions, let_pass_what_is_no_exception_class) {
  EXPECT_THROW(db.transaction([](pg::transaction&) { throw 7; }), int);
}

TEST_F(postgres_transactions, hold_no_error_of_another_dependency_against_the_database) {
  EXPECT_THROW(db.transaction([](pg::transaction&) { throw sg::connection_error("cache down", {}, ""); }), sg::connection_error);
  EXPECT_EQ(db.breaker().snapshot().metrics.failures, 0u);
}

TEST_F(postgres_transactions, roll_back_when_a_statement_is_refused) {
  const auto e = thrown_by<sg::refused_error>([&] {
    db.transaction([](pg::transaction& t) {
      pay(t, 1, 2);
      t.execute("insert into accounts values (1, 0)");
    });
  });
  EXPECT_EQ(e.code(), "23505");
  EXPECT_EQ(e.context().operation, "transaction");
  EXPECT_EQ(balance(1), 100);
}

TEST_F(postgres_transactions, do_not_pretend_to_commit_after_an_error_that_was_swallowed) {
  const auto e = thrown_by<sg::refused_error>([&] {
    db.transaction([](pg::transaction& t) {
      pay(t, 1, 2);
      try {
        t.execute("insert into accounts values (1, 0)");
      } catch (const sg::refused_error&) {
      }
    });
  });
  EXPECT_EQ(e.code(), "25P02");
  EXPECT_EQ(balance(1), 100);
}

TEST_F(postgres_transactions, notice_that_a_statement_has_ended_them) {
  const auto e = thrown_by<sg::refused_error>([&] { db.transaction([](pg::transaction& t) { t.execute("rollback"); }); });
  EXPECT_EQ(e.code(), "25P01");
}

TEST_F(postgres_transactions, roll_back_when_asked_to) {
  EXPECT_EQ(db.transaction([](pg::transaction& t) {
    pay(t, 1, 2);
    t.roll_back();
    return 7;
  }),
            7);
  EXPECT_EQ(balance(1), 100);
}

TEST_F(postgres_transactions, have_an_isolation_and_a_mode) {
  const std::string found = db.transaction(
      [](pg::transaction& t) {
        return *t.query("show transaction_isolation")[0].get<std::string>(0) + " " +
               *t.query("show transaction_read_only")[0].get<std::string>(0);
      },
      {.isolation = pg::isolation::serializable, .read_only = true});
  EXPECT_EQ(found, "serializable on");
}

TEST_F(postgres_transactions, roll_back_when_the_caller_gives_up_before_the_commit) {
  std::stop_source stop;
  EXPECT_THROW(db.transaction(
                   [&](pg::transaction& t) {
                     pay(t, 1, 2);
                     stop.request_stop();
                   },
                   {.call = {.stop = stop.get_token()}}),
               sg::cancelled_error);
  EXPECT_EQ(balance(1), 100);
}

TEST_F(postgres_transactions, roll_back_when_the_call_timeout_passes_before_the_commit) {
  sg::testing::manual_clock clock;
  pg::options o = settings();
  o.adapter.breaker.call_timeout = 1s;
  o.adapter.clock = &clock;
  pg::client watched(o);
  EXPECT_THROW(watched.transaction([&](pg::transaction& t) {
    pay(t, 1, 2);
    clock.advance(2s);
  }),
               sg::call_timeout_error);
  EXPECT_EQ(balance(1), 100);
}

}  // namespace
