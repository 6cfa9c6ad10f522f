// SPDX-License-Identifier: Apache-2.0
#include "fixture.hpp"

#include <cstdlib>
#include <limits>
#include <stdexcept>

namespace {

using testing::HasSubstr;

struct postgres_queries : with_server {
  pg::client db{settings()};
};

TEST_F(postgres_queries, bring_rows_and_columns) {
  const pg::result r = db.query("select n as number, 'row ' || n as name from generate_series(1, 3) n");
  ASSERT_EQ(r.size(), 3u);
  ASSERT_EQ(r.columns(), 2u);
  EXPECT_EQ(r.column_name(1), "name");
  int sum = 0;
  for (const pg::row row : r) sum += *row.get<int>("number");
  EXPECT_EQ(sum, 6);
  EXPECT_EQ(r[2].get<std::string>("name"), "row 3");
}

TEST_F(postgres_queries, give_back_every_kind_of_parameter) {
  const pg::bytes data{std::byte{0}, std::byte{255}, std::byte{'\''}};
  const pg::result r = db.query("select $1::bigint, $2::float8, $3::bool, $4::text, $5::bytea, $6::int",
                                {std::numeric_limits<std::int64_t>::min(), 0.1, true, "it's \"ü\"", data, nullptr});
  EXPECT_EQ(r[0].get<std::int64_t>(0), std::numeric_limits<std::int64_t>::min());
  EXPECT_EQ(r[0].get<double>(1), 0.1);
  EXPECT_EQ(r[0].get<bool>(2), true);
  EXPECT_EQ(r[0].get<std::string_view>(3), "it's \"ü\"");
  EXPECT_EQ(r[0].get<pg::bytes>(4), data);
  EXPECT_EQ(r[0].get<int>(5), std::nullopt);
  EXPECT_TRUE(r[0].is_null(5));
}

TEST_F(postgres_queries, tell_an_empty_text_from_null) {
  const pg::result r = db.query("select $1::text, $2::text, $3::bytea", {"", nullptr, pg::bytes{}});
  EXPECT_EQ(r[0].get<std::string>(0), "");
  EXPECT_EQ(r[0].get<std::string>(1), std::nullopt);
  EXPECT_EQ(r[0].get<pg::bytes>(2), pg::bytes{});
}

TEST_F(postgres_queries, read_numbers_that_are_none) {
  const pg::result r = db.query("select 'NaN'::float8, '-Infinity'::float8");
  EXPECT_TRUE(std::isnan(*r[0].get<double>(0)));
  EXPECT_EQ(r[0].get<double>(1), -std::numeric_limits<double>::infinity());
}

TEST_F(postgres_queries, refuse_to_read_a_field_as_what_it_is_not) {
  const pg::result r = db.query("select 'hunter2' as word, 300 as number");
  const auto e = thrown_by<pg::conversion_error>([&] { (void)r[0].get<int>("word"); });
  EXPECT_THAT(e.what(), HasSubstr("word"));
  EXPECT_THAT(e.what(), Not(HasSubstr("hunter2")));
  EXPECT_THROW((void)r[0].get<std::int8_t>("number"), pg::conversion_error);
  EXPECT_THROW((void)r[0].get<bool>("number"), pg::conversion_error);
}

TEST_F(postgres_queries, know_what_does_not_exist) {
  const pg::result r = db.query("select 1 as one");
  EXPECT_THROW((void)r[1], std::out_of_range);
  EXPECT_THROW((void)r[0].get<int>("two"), std::out_of_range);
  EXPECT_THROW((void)r[0].get<int>(1), std::out_of_range);
  EXPECT_THROW((void)pg::result().column_name(0), std::out_of_range);
}

TEST_F(postgres_queries, count_the_rows_they_changed) {
  EXPECT_EQ(db.execute("create temporary table counted (n int)"), 0u);
  EXPECT_EQ(db.execute("insert into counted select generate_series(1, 5)"), 5u);
  EXPECT_EQ(db.execute("update counted set n = n + 1 where n > $1", {3}), 2u);
}

TEST_F(postgres_queries, bring_big_results) {
  const pg::result r = db.query("select repeat('x', 1000) as text from generate_series(1, 20000)");
  EXPECT_EQ(r.size(), 20'000u);
  EXPECT_EQ(r[19'999].get<std::string_view>(0)->size(), 1000u);
}

TEST_F(postgres_queries, send_big_parameters) {
  const std::string big(16 << 20, 'y');
  EXPECT_EQ(db.query("select length($1::text)", {big})[0].get<int>(0), 16 << 20);
}

TEST_F(postgres_queries, treat_parameters_as_data) {
  EXPECT_EQ(db.query("select $1::text", {"'; drop table users; --"})[0].get<std::string>(0), "'; drop table users; --");
}

TEST_F(postgres_queries, use_one_connection_one_after_the_other) {
  const auto who = [&] { return *db.query("select pg_backend_pid()")[0].get<int>(0); };
  const int first = who();
  EXPECT_EQ(who(), first);
  EXPECT_EQ(db.connections(), 1u);
}

TEST_F(postgres_queries, work_over_a_unix_socket) {
  pg::options o = settings();
  o.host = server().folder();
  EXPECT_EQ(pg::client(o).query("select 1")[0].get<int>(0), 1);
}

TEST_F(postgres_queries, work_with_a_connection_string) {
  const std::string where = "postgresql://tester:hunter2-secret@127.0.0.1:" + std::to_string(server().port()) + "/postgres";
  EXPECT_EQ(pg::client({.connection = where}).query("select 1")[0].get<int>(0), 1);
}

TEST_F(postgres_queries, keep_the_server_options_of_the_environment) {
  ::setenv("PGOPTIONS", "-c work_mem=3MB", 1);
  const pg::client db(settings());
  ::unsetenv("PGOPTIONS");
  EXPECT_EQ(db.query("show work_mem")[0].get<std::string>(0), "3MB");
  EXPECT_EQ(db.query("show statement_timeout")[0].get<std::string>(0), "21s");
}

TEST_F(postgres_queries, may_be_repeated_when_they_say_so) {
  pg::options o = settings();
  o.adapter.retry = {.max_attempts = 4, .backoff = sg::constant(0s)};
  pg::client repeating(o);
  repeating.execute("create sequence if not exists attempts");
  repeating.execute("create or replace function fail_twice() returns int language plpgsql as $$ begin "
                    "if nextval('attempts') < 3 then raise exception 'no' using errcode = '58030'; end if; return 7; end $$");
  EXPECT_THROW((void)repeating.query("select fail_twice()"), sg::connection_error);
  EXPECT_EQ(repeating.repeat_query("select fail_twice()")[0].get<int>(0), 7);
  repeating.execute("drop function fail_twice; ");
  repeating.execute("drop sequence attempts");
}

}  // namespace
