// SPDX-License-Identifier: Apache-2.0
#include <switchgear/redis/client.hpp>

#include <gtest/gtest.h>

namespace {

namespace sg = switchgear;
namespace redis = switchgear::redis;
using sg::verdict;

template <class E>
verdict on(const E& e) {
  try {
    throw e;
  } catch (...) {
    return redis::rules().of_current_exception().verdict;
  }
}

redis::reply error(std::string text) { return {.is = redis::reply::kind::error, .text = std::move(text)}; }

// As a call through the client sees it.
verdict on_text(const std::string& text) { return on(redis::describe_error(error(text), "GET")); }

struct row {
  const char* text;
  sg::verdict verdict;
};
const row table[] = {
    {"LOADING Redis is loading the dataset in memory", verdict::failure},
    {"BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.", verdict::failure},
    {"MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.", verdict::failure},
    {"READONLY You can't write against a read only replica.", verdict::failure},
    {"CLUSTERDOWN The cluster is down", verdict::failure},
    {"TRYAGAIN Multiple keys request during rehashing of slot", verdict::failure},
    {"OOM command not allowed when used memory > 'maxmemory'.", verdict::failure},
    {"MISCONF Redis is configured to save RDB snapshots, but it's currently unable to persist to disk.", verdict::failure},
    {"NOREPLICAS Not enough good replicas to write.", verdict::failure},
    {"UNBLOCKED force unblock from blocking operation, instance state changed (master -> replica?)", verdict::failure},
    {"IOERR error or timeout writing to target instance", verdict::failure},
    {"ERR max number of clients reached", verdict::failure},
    {"NOAUTH Authentication required.", verdict::ignored},
    {"WRONGPASS invalid username-password pair or user is disabled.", verdict::ignored},
    {"NOPERM this user has no permissions to run the 'get' command", verdict::ignored},
    {"DENIED Redis is running in protected mode", verdict::ignored},
    {"MOVED 3999 127.0.0.1:6381", verdict::ignored},
    {"ASK 3999 127.0.0.1:6381", verdict::ignored},
    {"CROSSSLOT Keys in request don't hash to the same slot", verdict::ignored},
    {"WRONGTYPE Operation against a key holding the wrong kind of value", verdict::ignored},
    {"ERR syntax error", verdict::ignored},
    {"NOSCRIPT No matching script. Please use EVAL.", verdict::ignored},
    {"EXECABORT Transaction discarded because of previous errors.", verdict::ignored},
    {"BUSYKEY Target key name already exists.", verdict::ignored},
    {"BUSYGROUP Consumer Group name already exists", verdict::ignored},
    {"NOGROUP No such key 'k' or consumer group 'g'", verdict::ignored},
    {"MYOWN what my script says", verdict::ignored},
    {"no code at all", verdict::ignored},
    {"", verdict::ignored},
};

TEST(redis_rules, judge_every_row_of_the_table_as_an_exception) {
  for (const row& r : table) EXPECT_EQ(on_text(r.text), r.verdict) << r.text;
}

TEST(redis_rules, judge_every_row_of_the_table_as_a_reply_of_a_pipeline) {
  for (const row& r : table) {
    const std::vector<redis::reply> replies{{.is = redis::reply::kind::status, .text = "OK"}, error(r.text)};
    const verdict expected = r.verdict == verdict::ignored ? verdict::success : r.verdict;
    EXPECT_EQ(redis::rules().of_value(replies), expected) << r.text;
    EXPECT_EQ(redis::rules().of_value(error(r.text)), expected) << r.text;
  }
}

TEST(redis_rules, judge_what_the_network_does) {
  EXPECT_EQ(on(redis::io_timeout("no reply")), verdict::timeout);
  EXPECT_EQ(on(redis::io_error("reset")), verdict::failure);
}

TEST(redis_rules, do_not_blame_the_server_for_what_it_never_saw) {
  EXPECT_EQ(on(redis::no_connection_free("all in use")), verdict::ignored);
  EXPECT_EQ(on(sg::cancelled_error("enough")), verdict::ignored);
  EXPECT_EQ(on(sg::config_error({})), verdict::ignored);
  EXPECT_EQ(on(sg::refused_error("no", {}, "")), verdict::ignored);
}

TEST(redis_rules, take_every_value_for_a_success) {
  EXPECT_EQ(redis::rules().of_value(redis::reply{}), verdict::success);
  EXPECT_EQ(redis::rules().of_value(redis::reply{.is = redis::reply::kind::text, .text = "LOADING"}), verdict::success);
}

TEST(redis_error_text, has_the_words_of_the_server_without_what_it_quotes) {
  const auto shown = [](std::string text, std::string_view command = "GET") {
    return std::string(redis::describe_error(error(std::move(text)), command).what());
  };
  EXPECT_EQ(shown("READONLY You can't write against a read only replica."),
            "READONLY You can't write against a read only replica.");
  EXPECT_EQ(shown("ERR wrong number of arguments for 'get' command"), "ERR wrong number of arguments for … command");
  EXPECT_EQ(shown("ERR unknown command 'x', with args beginning with: 'a' 'b' "), "ERR unknown command …");
  EXPECT_EQ(shown("ERR bad 'a'b'c' and \"d\" here"), "ERR bad … here");
  EXPECT_EQ(shown("NOPERM User alice has no permissions to run the 'get' command"), "NOPERM the user has no permission for this");
  EXPECT_EQ(shown("ERR cut off 'secr"), "ERR cut off …");
  EXPECT_EQ(shown("ERR it's secret"), "ERR it…");
  EXPECT_EQ(shown("ERR a\x1b[31mb\r\n"), "ERR a[31mb");
  EXPECT_EQ(shown("ERR secret", "eval"), "ERR from a script");
  EXPECT_EQ(shown("ERR secret", "FCALL_RO"), "ERR from a script");
  EXPECT_EQ(shown("ERR user_script:1: secret", "EXEC"), "ERR from a script");
}

}  // namespace
