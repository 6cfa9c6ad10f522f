// SPDX-License-Identifier: Apache-2.0
#include "fixture.hpp"

#include <stdexcept>
#include <thread>

namespace {

using testing::HasSubstr;

struct postgres_transactions_in_trouble : with_server {
  pg::client db{patient()};

  static pg::options patient() {
    pg::options o = settings();
    o.adapter.retry = {.max_attempts = 5, .backoff = sg::constant(0s)};
    return o;
  }
  void SetUp() override {
    with_server::SetUp();
    db.execute("drop table if exists notes");
    db.execute("create table notes (id int primary key, n int not null)");
    db.execute("insert into notes values (1, 0), (2, 0)");
  }
  void TearDown() override {
    server().resume();
    db.breaker().reset();
    db.execute("drop table if exists notes");
  }
  /// Makes every COMMIT that inserts into notes run this.
  void at_commit(const std::string& statement) {
    db.execute("create or replace function at_commit() returns trigger language plpgsql as $$ begin " + statement +
               "; return null; end $$");
    db.execute("create constraint trigger late after insert on notes deferrable initially deferred for each row "
               "execute function at_commit()");
  }
  /// Ends the sessions that are at it: no timeout of the server does.
  void end_commits() {
    db.query("select pg_terminate_backend(pid) from pg_stat_activity where query = 'commit' and state = 'active'");
  }
  static void write(pg::transaction& t) { t.execute("insert into notes values (3, 0)"); }
  int sum() { return *db.query("select sum(n)::int from notes")[0].get<int>(0); }
};

TEST_F(postgres_transactions_in_trouble, know_when_they_do_not_know) {
  at_commit("perform pg_terminate_backend(pg_backend_pid())");
  int runs = 0;
  const auto e = thrown_by<pg::commit_unknown_error>([&] {
    db.repeat_transaction([&](pg::transaction& t) {
      ++runs;
      write(t);
    });
  });
  EXPECT_EQ(runs, 1);
  EXPECT_EQ(e.inner_code, "57P01");
  EXPECT_EQ(e.context().operation, "transaction");
  EXPECT_EQ(db.breaker().snapshot().metrics.failures, 1u);
}

TEST_F(postgres_transactions_in_trouble, blame_the_caller_for_what_he_did_to_the_connection) {
  const auto copy = [](pg::transaction& t) {
    EXPECT_THROW(t.execute("copy (select 1) to stdout"), sg::refused_error);  // nobody reads that: the connection is closed
  };
  EXPECT_EQ(thrown_by<sg::refused_error>([&] { db.transaction(copy); }).code(), "0A000");
  const auto copy_and_more = [&](pg::transaction& t) {
    copy(t);
    EXPECT_THROW(t.execute("select 1"), pg::server_error);
  };
  EXPECT_EQ(thrown_by<sg::refused_error>([&] { db.transaction(copy_and_more); }).code(), "0A000");
  EXPECT_THROW(db.transaction([&](pg::transaction& t) {
    copy(t);
    throw std::domain_error("mine");
  }),
               std::domain_error);
  EXPECT_EQ(db.breaker().snapshot().metrics.failures, 0u);
}

TEST_F(postgres_transactions_in_trouble, tell_of_a_stop_that_was_swallowed) {
  std::stop_source stop;
  const auto swallowing = [&](pg::transaction& t) {
    stop.request_stop();
    EXPECT_THROW(t.execute("select 1"), sg::cancelled_error);
  };
  EXPECT_THROW(db.transaction(swallowing, {.call = {.stop = stop.get_token()}}), sg::cancelled_error);
}

TEST_F(postgres_transactions_in_trouble, never_repeat_an_unknown_commit_whatever_the_retry_options_say) {
  at_commit("perform pg_terminate_backend(pg_backend_pid())");
  pg::options o = patient();
  o.adapter.retry.when = sg::classifier{}.fail<std::exception>();
  pg::client eager(o);
  int runs = 0;
  EXPECT_THROW(eager.repeat_transaction([&](pg::transaction& t) {
    ++runs;
    write(t);
  }),
               pg::commit_unknown_error);
  EXPECT_EQ(runs, 1);
}

TEST_F(postgres_transactions_in_trouble, do_not_know_when_the_commit_takes_too_long) {
  at_commit("perform pg_sleep(60)");
  pg::options o = patient();
  o.statement_timeout = 500ms;
  pg::client hasty(o);
  const auto e = thrown_by<pg::commit_unknown_error>([&] { hasty.transaction(write); });
  EXPECT_THAT(e.texts, HasSubstr("took longer than 500ms"));
  end_commits();
}

TEST_F(postgres_transactions_in_trouble, do_not_know_when_the_call_timeout_passes_and_the_commit_is_lost) {
  at_commit("perform pg_advisory_xact_lock(1)");
  sg::testing::manual_clock clock;
  pg::options o = patient();
  o.adapter.breaker.call_timeout = 1s;
  o.adapter.clock = &clock;
  pg::client watched(o);
  std::thread commits;
  db.transaction([&](pg::transaction& holder) {
    holder.execute("select pg_advisory_xact_lock(1)");
    commits = std::thread([&] { EXPECT_THROW(watched.transaction(write), pg::commit_unknown_error); });
    EXPECT_TRUE(test_support::eventually([&] {
      return !holder.query("select 1 from pg_locks where locktype = 'advisory' and not granted").empty();
    }));
    clock.advance(2s);
    end_commits();
    commits.join();
  });
}

TEST_F(postgres_transactions_in_trouble, commit_although_the_call_timeout_passes_meanwhile) {
  at_commit("perform pg_advisory_xact_lock(2)");
  sg::testing::manual_clock clock;
  pg::options o = patient();
  o.adapter.breaker.call_timeout = 1s;
  o.adapter.clock = &clock;
  pg::client watched(o);
  std::thread commits;
  int returned = 0;
  db.transaction([&](pg::transaction& holder) {
    holder.execute("select pg_advisory_xact_lock(2)");
    commits = std::thread([&] {
      returned = watched.transaction([](pg::transaction& t) {
        write(t);
        return 7;
      });
    });
    EXPECT_TRUE(test_support::eventually([&] {
      return !holder.query("select 1 from pg_locks where locktype = 'advisory' and not granted").empty();
    }));
    clock.advance(2s);
  });
  commits.join();
  EXPECT_EQ(returned, 7);
  EXPECT_EQ(db.query("select 1 from notes where id = 3").size(), 1u);
  EXPECT_EQ(watched.breaker().snapshot().metrics.timeouts, 1u);
}

TEST_F(postgres_transactions_in_trouble, know_that_a_constraint_ended_the_commit) {
  at_commit("raise unique_violation");
  EXPECT_EQ(thrown_by<sg::refused_error>([&] { db.transaction(write); }).code(), "23505");
  EXPECT_EQ(db.breaker().snapshot().metrics.failures, 0u);
}

TEST_F(postgres_transactions_in_trouble, fail_when_the_connection_is_lost_in_the_middle) {
  const auto e = thrown_by<sg::connection_error>([&] {
    db.transaction([](pg::transaction& t) {
      write(t);
      t.query("select pg_terminate_backend(pg_backend_pid())");
    });
  });
  EXPECT_THAT(e.what(), Not(HasSubstr("COMMIT")));
  EXPECT_EQ(db.query("select 1 from notes where id = 3").size(), 0u);
}

TEST_F(postgres_transactions_in_trouble, do_not_commit_after_a_loss_that_was_swallowed) {
  EXPECT_THROW(db.transaction([](pg::transaction& t) {
    try {
      t.query("select pg_terminate_backend(pg_backend_pid())");
    } catch (const pg::server_error&) {
    }
  }),
               sg::connection_error);
  EXPECT_EQ(db.breaker().snapshot().metrics.failures, 1u);
}

TEST_F(postgres_transactions_in_trouble, count_a_loss_that_the_function_told_in_its_own_words) {
  EXPECT_THROW(db.transaction([](pg::transaction& t) {
    try {
      t.query("select pg_terminate_backend(pg_backend_pid())");
    } catch (const pg::server_error&) {
      throw std::runtime_error("my own words");
    }
  }),
               std::runtime_error);
  EXPECT_EQ(db.breaker().snapshot().metrics.failures, 1u);
}

TEST_F(postgres_transactions_in_trouble, are_repeated_after_a_failure_of_the_server) {
  int runs = 0;
  db.repeat_transaction([&](pg::transaction& t) {
    t.execute("update notes set n = n + 1 where id = 1");
    if (++runs < 3) t.query("select pg_terminate_backend(pg_backend_pid())");
  });
  EXPECT_EQ(runs, 3);
  EXPECT_EQ(sum(), 1);
  EXPECT_EQ(db.breaker().snapshot().metrics.failures, 0u);
}

TEST_F(postgres_transactions_in_trouble, take_a_serialization_failure_for_no_evidence) {
  const auto e = thrown_by<pg::conflict_error>([&] {
    db.transaction(
        [&](pg::transaction& t) {
          t.query("select * from notes");
          db.execute("update notes set n = n + 1 where id = 1");
          t.execute("update notes set n = n + 1 where id = 1");
        },
        {.isolation = pg::isolation::repeatable_read});
  });
  EXPECT_EQ(e.code(), "40001");
  EXPECT_EQ(db.breaker().snapshot().metrics.failures, 0u);
}

TEST_F(postgres_transactions_in_trouble, are_repeated_after_a_serialization_failure) {
  int runs = 0;
  db.repeat_transaction(
      [&](pg::transaction& t) {
        t.query("select * from notes");
        if (++runs == 1) db.execute("update notes set n = n + 10 where id = 1");
        t.execute("update notes set n = n + 1 where id = 1");
      },
      {.isolation = pg::isolation::repeatable_read});
  EXPECT_EQ(runs, 2);
  EXPECT_EQ(sum(), 11);
}

TEST_F(postgres_transactions_in_trouble, are_repeated_after_a_deadlock) {
  std::thread other;
  int runs = 0;
  db.repeat_transaction([&](pg::transaction& t) {
    t.execute("update notes set n = n + 1 where id = 1");
    if (++runs == 1) {
      other = std::thread([&] {
        db.repeat_transaction([](pg::transaction& u) {
          u.execute("update notes set n = n + 1 where id = 2");
          u.execute("update notes set n = n + 1 where id = 1");
        });
      });
      (void)test_support::eventually([&] { return !t.query("select 1 from pg_locks where not granted").empty(); });
    }
    t.execute("update notes set n = n + 1 where id = 2");
  });
  other.join();
  EXPECT_EQ(sum(), 4);
  EXPECT_EQ(db.breaker().snapshot().metrics.failures, 0u);
}

TEST_F(postgres_transactions_in_trouble, do_not_repeat_what_the_function_throws_itself) {
  int runs = 0;
  EXPECT_THROW(db.repeat_transaction([&](pg::transaction&) {
    ++runs;
    throw std::runtime_error("no");
  }),
               std::runtime_error);
  EXPECT_EQ(runs, 1);
}

TEST_F(postgres_transactions_in_trouble, repeat_what_the_function_throws_itself_when_told_so) {
  pg::options o = patient();
  o.adapter.retry.when = sg::classifier{}.fail_only<std::domain_error>();
  pg::client told(o);
  int runs = 0;
  EXPECT_EQ(told.repeat_transaction([&](pg::transaction&) {
    if (++runs < 3) throw std::domain_error("again");
    return 5;
  }),
            5);
  EXPECT_EQ(runs, 3);
}

TEST_F(postgres_transactions_in_trouble, show_nothing_secret) {
  const auto e = thrown_by<sg::connection_error>([&] {
    db.transaction([](pg::transaction& t) {
      t.query("do $$ begin raise exception 'hunter2' using errcode = 'XX000', detail = 'hunter2'; end $$");
    });
  });
  EXPECT_THAT(e.texts, Not(HasSubstr("hunter2")));
}

}  // namespace
