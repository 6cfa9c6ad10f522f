// SPDX-License-Identifier: Apache-2.0
#include "fixture.hpp"

namespace {

struct postgres_circuits : with_server {
  sg::testing::manual_clock clock;

  pg::options watched() {
    pg::options o = settings();
    o.adapter.breaker = {.failure_threshold = 2, .open_duration = 30s, .success_threshold = 1};
    o.adapter.clock = &clock;
    return o;
  }
};

TEST_F(postgres_circuits, open_when_the_server_is_killed_and_recover) {
  pg::client db(watched());
  ASSERT_EQ(db.query("select 1").size(), 1u);
  server().kill();
  EXPECT_THROW(db.query("select 1"), sg::connection_error);
  EXPECT_THROW(db.query("select 1"), sg::connection_error);
  EXPECT_TRUE(db.breaker().is_open());
  const auto e = thrown_by<sg::circuit_open_error>([&] { db.query("select 1", {}, {.correlation_id = "abc"}); });
  EXPECT_EQ(e.context().transport, "postgres");
  EXPECT_EQ(e.context().target, db.target());
  EXPECT_EQ(e.correlation_id(), "abc");
  EXPECT_EQ(e.retry_after(), 30s);
  server().start();
  EXPECT_THROW(db.query("select 1"), sg::circuit_open_error);
  clock.advance(30s);
  EXPECT_EQ(db.query("select 1").size(), 1u);
  EXPECT_TRUE(db.breaker().is_closed());
}

TEST_F(postgres_circuits, open_again_when_the_probe_finds_nobody) {
  pg::client db(watched());
  server().kill();
  for (int i = 0; i < 2; ++i) EXPECT_THROW(db.query("select 1"), sg::connection_error);
  clock.advance(30s);
  EXPECT_THROW(db.query("select 1"), sg::connection_error);
  EXPECT_TRUE(db.breaker().is_open());
}

TEST_F(postgres_circuits, notice_a_server_that_dies_during_a_statement) {
  pg::client db(watched());
  EXPECT_THROW(db.transaction([&](pg::transaction& t) {
    t.query("select 1");
    server().kill();
    t.query("select 1");
  }),
               sg::connection_error);
  EXPECT_EQ(db.breaker().snapshot().metrics.failures, 1u);
}

TEST_F(postgres_circuits, run_nothing_of_a_transaction_while_open) {
  pg::client db(watched());
  db.breaker().trip("test");
  bool ran = false;
  EXPECT_THROW(db.transaction([&](pg::transaction&) { ran = true; }), sg::circuit_open_error);
  EXPECT_FALSE(ran);
  EXPECT_EQ(db.connections(), 0u);
}

TEST_F(postgres_circuits, may_be_shared) {
  sg::circuit_breaker shared("databases", {.failure_threshold = 1}, pg::rules());
  pg::options o = settings();
  o.adapter.shared_breaker = &shared;
  pg::client db(o);
  EXPECT_THROW(db.query("selekt"), sg::refused_error);
  EXPECT_TRUE(shared.is_closed());
  EXPECT_EQ(&db.breaker(), &shared);
}

}  // namespace
