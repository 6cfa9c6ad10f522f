// SPDX-License-Identifier: Apache-2.0
#include "fixture.hpp"

#include <thread>

namespace {

struct postgres_that_hangs : with_server {
  static pg::options hasty() {
    pg::options o = settings();
    o.connect_timeout = 200ms;
    o.statement_timeout = 200ms;
    return o;
  }
};

TEST_F(postgres_that_hangs, is_given_up_while_connecting) {
  pg::client db(hasty());
  server().stop();
  const auto e = thrown_by<sg::call_timeout_error>([&] { db.query("select 1"); });
  EXPECT_EQ(e.limit(), 200ms);
  EXPECT_EQ(db.breaker().snapshot().metrics.timeouts, 1u);
}

TEST_F(postgres_that_hangs, is_given_up_during_a_statement) {
  pg::options o = settings();
  o.statement_timeout = 500ms;
  pg::client db(o);
  ASSERT_EQ(db.query("select 1").size(), 1u);
  server().stop();
  EXPECT_THROW(db.query("select 1"), sg::call_timeout_error);
  EXPECT_EQ(db.connections(), 0u);
  EXPECT_EQ(db.breaker().snapshot().metrics.timeouts, 1u);
}

TEST_F(postgres_that_hangs, is_given_up_while_much_is_sent) {
  pg::options o = settings();
  o.statement_timeout = 500ms;
  pg::client db(o);
  ASSERT_EQ(db.query("select 1").size(), 1u);
  server().stop();
  EXPECT_THROW(db.query("select length($1::text)", {std::string(32 << 20, 'x')}), sg::call_timeout_error);
}

TEST_F(postgres_that_hangs, is_given_up_in_a_transaction) {
  pg::options o = settings();
  o.statement_timeout = 500ms;
  pg::client db(o);
  EXPECT_THROW(db.transaction([&](pg::transaction& t) {
    t.query("select 1");
    server().stop();
    t.query("select 2");
  }),
               sg::call_timeout_error);
}

TEST_F(postgres_that_hangs, serves_again_when_it_goes_on) {
  pg::client db(hasty());
  server().stop();
  EXPECT_THROW(db.query("select 1"), sg::call_timeout_error);
  server().resume();
  EXPECT_TRUE(test_support::eventually([&] {
    try {
      return db.query("select 1").size() == 1;
    } catch (const sg::error&) {
      db.breaker().reset();
      return false;
    }
  }));
}

TEST_F(postgres_that_hangs, is_left_at_once_when_the_caller_gives_up) {
  pg::client db(settings());
  ASSERT_EQ(db.query("select 1").size(), 1u);
  server().stop();
  std::stop_source stop;
  std::thread impatient([&] { stop.request_stop(); });
  EXPECT_THROW(db.query("select 1", {}, {.stop = stop.get_token()}), sg::cancelled_error);
  impatient.join();
  EXPECT_EQ(db.breaker().snapshot().metrics.failures, 0u);
}

TEST_F(postgres_that_hangs, is_left_at_once_while_connecting) {
  pg::client db(settings());
  server().stop();
  std::stop_source stop;
  std::thread impatient([&] { stop.request_stop(); });
  EXPECT_THROW(db.query("select 1", {}, {.stop = stop.get_token()}), sg::cancelled_error);
  impatient.join();
}

TEST_F(postgres_that_hangs, is_left_when_the_call_timeout_of_the_breaker_passes) {
  sg::testing::manual_clock clock;
  pg::options o = settings();
  o.adapter.breaker.call_timeout = 1s;
  o.adapter.clock = &clock;
  pg::client db(o);
  std::thread time([&] {
    (void)test_support::eventually([&] { return clock.timers() > 0; });
    clock.advance(2s);
  });
  EXPECT_THROW(db.query("select pg_sleep(60)"), sg::call_timeout_error);
  time.join();
  EXPECT_EQ(db.breaker().snapshot().metrics.timeouts, 1u);
}

TEST_F(postgres_that_hangs, is_not_asked_when_the_stop_came_before) {
  pg::client db(settings());
  std::stop_source stop;
  stop.request_stop();
  EXPECT_THROW(db.query("select 1", {}, {.stop = stop.get_token()}), sg::cancelled_error);
  EXPECT_EQ(db.breaker().snapshot().metrics.failures, 0u);
}

TEST_F(postgres_that_hangs, gives_up_itself_what_nobody_waits_for) {
  pg::options o = settings();
  o.statement_timeout = 200ms;
  EXPECT_THROW(pg::client(o).query("select pg_sleep(60)"), sg::call_timeout_error);
  pg::client other(settings());
  EXPECT_TRUE(test_support::eventually([&] {
    return other.query("select 1 from pg_stat_activity where query = 'select pg_sleep(60)' and state = 'active'").empty();
  }));
}

}  // namespace
