// SPDX-License-Identifier: Apache-2.0
#include <switchgear/postgres/client.hpp>

#include <gtest/gtest.h>

namespace {

namespace sg = switchgear;
namespace pg = sg::postgres;
using namespace std::chrono_literals;

TEST(postgres_settings, name_the_target_without_credentials) {
  const pg::client db({.host = "db.example", .port = 5433, .database = "shop", .user = "alice", .password = "hunter2"});
  EXPECT_EQ(db.target(), "postgres.db.example:5433/shop");
  EXPECT_EQ(db.breaker().name(), db.target());
}

TEST(postgres_settings, are_read_from_a_connection_string) {
  EXPECT_EQ(pg::client({.connection = "postgresql://alice:hunter2@db.example:5433/shop"}).target(),
            "postgres.db.example:5433/shop");
  EXPECT_EQ(pg::client({.connection = "host=db.example dbname=shop password=hunter2"}).target(), "postgres.db.example:5432/shop");
}

TEST(postgres_settings, have_members_that_win_over_the_connection_string) {
  EXPECT_EQ(pg::client({.connection = "host=a dbname=b", .host = "c"}).target(), "postgres.c:5432/b");
}

TEST(postgres_settings, begin_with_five_failures_and_thirty_seconds) {
  const pg::client db({.host = "db.example", .database = "shop"});
  EXPECT_EQ(db.breaker().configuration().failure_threshold, 5u);
  EXPECT_EQ(db.breaker().configuration().open_duration, 30s);
}

TEST(postgres_settings, keep_that_when_another_option_of_the_adapter_is_set) {
  const pg::client db({.host = "db.example", .adapter = {.retry = {.max_attempts = 2}}});
  EXPECT_EQ(db.breaker().configuration().open_duration, 30s);
}

// libpq takes the first @ or / for the end of the credentials, and what comes then for the host.
TEST(postgres_settings, take_no_piece_of_a_password_for_the_host) {
  for (const char* text : {"postgresql://alice:x@hunter2@db.example/shop", "postgres://alice:x/hunter2@db.example/shop",
                           "postgresql://alice:x@y/hunter2@db.example/shop"}) {
    try {
      pg::client db({.connection = text});
      FAIL() << db.target();
    } catch (const sg::config_error& e) {
      EXPECT_EQ(std::string(e.what()).find("hunter2"), std::string::npos) << e.what();
      ASSERT_EQ(e.problems().size(), 1u);
      EXPECT_EQ(e.problems()[0].key, "connection");
    }
  }
  EXPECT_EQ(pg::client({.connection = "postgresql://alice:x%40y%2Fz@db.example/shop?application_name=a@b"}).target(),
            "postgres.db.example:5432/shop");
  EXPECT_EQ(pg::client({.connection = "postgresql://alice:x?y@db.example/shop"}).target(), "postgres.db.example:5432/shop");
}

TEST(postgres_settings, refuse_a_connection_string_with_a_zero_byte) {
  EXPECT_THROW(pg::client({.connection = std::string("host=a\0 port=1", 14)}), sg::config_error);
}

TEST(postgres_settings, do_not_show_a_connection_string_that_cannot_be_read) {
  try {
    pg::client db({.connection = "host=a hunter2 secret"});
    FAIL();
  } catch (const sg::config_error& e) {
    EXPECT_EQ(std::string(e.what()).find("hunter2"), std::string::npos) << e.what();
    ASSERT_EQ(e.problems().size(), 1u);
    EXPECT_EQ(e.problems()[0].key, "connection");
  }
}

TEST(postgres_settings, are_checked_all_at_once) {
  try {
    pg::client db({.host = "a", .connect_timeout = 0s, .statement_timeout = 25h, .connections = 0, .connection_wait = -1s});
    FAIL();
  } catch (const sg::config_error& e) {
    EXPECT_EQ(e.problems().size(), 4u);
  }
}

}  // namespace
