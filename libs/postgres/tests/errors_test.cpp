// SPDX-License-Identifier: Apache-2.0
#include "fixture.hpp"

namespace {

using testing::HasSubstr;

struct postgres_errors : with_server {
  pg::client db{settings()};

  sg::refused_error refused(std::string_view sql, const std::vector<pg::value>& parameters = {}) {
    return thrown_by<sg::refused_error>([&] { db.query(sql, parameters); });
  }
  caught<sg::connection_error> failed(std::string_view sql) {
    return thrown_by<sg::connection_error>([&] { db.query(sql); });
  }
  void expect_no_evidence() {
    EXPECT_EQ(db.breaker().snapshot().metrics.failures, 0u);
    EXPECT_EQ(db.breaker().snapshot().metrics.ignored, 1u);
  }
};

TEST_F(postgres_errors, refuse_bad_syntax_and_say_where) {
  const sg::refused_error e = refused("select 1 'hunter2'");
  EXPECT_EQ(refused("selekt 1").code(), "42601");
  EXPECT_THAT(refused("selekt 1").what(), HasSubstr("syntax_error (42601): at character 1"));
  EXPECT_THAT(e.what(), Not(HasSubstr("hunter2")));
  EXPECT_EQ(db.breaker().snapshot().metrics.failures, 0u);
}

TEST_F(postgres_errors, carry_context_and_correlation) {
  const auto e = thrown_by<sg::refused_error>([&] { db.query("selekt 1", {}, {.correlation_id = "abc"}); });
  EXPECT_EQ(e.context().transport, "postgres");
  EXPECT_EQ(e.context().operation, "query");
  EXPECT_EQ(e.context().target, db.target());
  EXPECT_EQ(e.correlation_id(), "abc");
}

TEST_F(postgres_errors, refuse_what_does_not_exist) {
  EXPECT_EQ(refused("select * from nowhere").code(), "42P01");
  expect_no_evidence();
}

TEST_F(postgres_errors, name_a_violated_constraint_and_not_the_value) {
  db.execute("create temporary table accounts (email text constraint one_each unique)");
  db.execute("insert into accounts values ($1)", {"hunter2@example"});
  const sg::refused_error e = refused("insert into accounts values ($1)", {"hunter2@example"});
  EXPECT_EQ(e.code(), "23505");
  EXPECT_THAT(e.what(), HasSubstr("unique_violation (23505): constraint one_each, table accounts"));
  EXPECT_THAT(e.what(), Not(HasSubstr("hunter2")));
}

TEST_F(postgres_errors, show_no_value_that_cannot_be_read) {
  const sg::refused_error e = refused("select $1::int", {"hunter2"});
  EXPECT_EQ(e.code(), "22P02");
  EXPECT_THAT(e.what(), Not(HasSubstr("hunter2")));
  EXPECT_EQ(refused("do $$ begin raise exception 'hunter2'; end $$").code(), "P0001");
  EXPECT_THAT(db.breaker().snapshot().last_failure, Not(HasSubstr("hunter2")));
}

TEST_F(postgres_errors, refuse_zero_bytes_that_libpq_would_cut_off) {
  EXPECT_EQ(refused(std::string_view("select 1\0; garbage", 18)).code(), "42601");
  EXPECT_EQ(refused("select $1::text", {std::string("a\0b", 3)}).code(), "22021");
}

TEST_F(postgres_errors, refuse_several_statements_in_one) {
  EXPECT_EQ(refused("select 1; select 2").code(), "42601");
}

TEST_F(postgres_errors, refuse_copy_and_go_on) {
  EXPECT_EQ(refused("copy (select 1) to stdout").code(), "0A000");
  EXPECT_EQ(db.query("select 1").size(), 1u);
}

TEST_F(postgres_errors, refuse_a_wrong_password_without_showing_it) {
  pg::options o = settings();
  o.password = "wrong-secret";
  pg::client stranger(o);
  const auto e = thrown_by<sg::refused_error>([&] { stranger.query("select 1"); });
  EXPECT_EQ(e.code(), "28P01");
  EXPECT_THAT(e.texts, Not(HasSubstr("secret")));
  EXPECT_THAT(e.texts, Not(HasSubstr("tester")));
  EXPECT_EQ(stranger.breaker().snapshot().metrics.failures, 0u);
}

TEST_F(postgres_errors, refuse_a_missing_password) {
  pg::options o = settings();
  o.password.clear();
  o.connection = "passfile=/nowhere";
  EXPECT_EQ(thrown_by<sg::refused_error>([&] { pg::client(o).query("select 1"); }).code(), "28P01");
}

TEST_F(postgres_errors, refuse_an_unknown_database) {
  pg::options o = settings();
  o.database = "nowhere";
  EXPECT_EQ(thrown_by<sg::refused_error>([&] { pg::client(o).query("select 1"); }).code(), "3D000");
}

TEST_F(postgres_errors, hold_it_against_a_server_that_is_not_there) {
  pg::options o = settings();
  o.port = static_cast<std::uint16_t>(test_support::free_port());
  pg::client lost(o);
  const auto e = thrown_by<sg::connection_error>([&] { lost.query("select 1"); });
  EXPECT_EQ(e.inner_code, "08001");
  EXPECT_THAT(e.texts, HasSubstr("refused"));
  EXPECT_THAT(e.texts, Not(HasSubstr("secret")));
  EXPECT_EQ(lost.breaker().snapshot().metrics.failures, 1u);
}

TEST_F(postgres_errors, hold_it_against_a_server_that_is_ill) {
  for (const std::string code : {"53200", "58030", "XX001", "57P03"}) {
    EXPECT_EQ(failed("do $$ begin raise exception 'hunter2' using errcode = '" + code + "'; end $$").inner_code, code);
  }
  EXPECT_EQ(db.breaker().snapshot().metrics.failures, 4u);
  EXPECT_THAT(db.breaker().snapshot().last_failure, Not(HasSubstr("hunter2")));
}

TEST_F(postgres_errors, hold_it_against_a_server_that_ends_the_session) {
  const auto e = failed("select pg_terminate_backend(pg_backend_pid())");
  EXPECT_EQ(e.inner_code, "57P01");
  EXPECT_EQ(db.query("select 1").size(), 1u);
}

TEST_F(postgres_errors, hold_it_against_a_server_that_is_full) {
  db.execute("create role guest login password 'hunter2-guest' connection limit 0");
  pg::options o = settings();
  o.user = "guest";
  o.password = "hunter2-guest";
  const auto e = thrown_by<sg::connection_error>([&] { pg::client(o).query("select 1"); });
  EXPECT_EQ(e.inner_code, "53300");
  EXPECT_THAT(e.texts, Not(HasSubstr("guest")));
  db.execute("drop role guest");
}

TEST_F(postgres_errors, take_a_statement_that_the_server_cancels_for_a_failure) {
  pg::options o = settings();
  o.limit_on_server = false;
  o.connection = "options='-c statement_timeout=50'";
  pg::client hasty(o);
  EXPECT_EQ(thrown_by<sg::connection_error>([&] { hasty.query("select pg_sleep(60)"); }).inner_code, "57014");
}

}  // namespace
