// SPDX-License-Identifier: Apache-2.0
#include <switchgear/redis/client.hpp>

#include "redis_server.hpp"

#include <gtest/gtest.h>

#include <array>
#include <thread>

namespace {

namespace sg = switchgear;
namespace redis = switchgear::redis;
using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::Not;

struct redis_client : testing::Test {
  redis_client() { server.start(); }
  [[nodiscard]] redis::options where() const { return {.port = server.port()}; }

  test_support::redis_server server;
};

template <class F>
std::string code_of_refusal(F f) {
  try {
    f();
  } catch (const sg::refused_error& e) {
    return e.code();
  }
  return "not refused";
}

TEST_F(redis_client, reads_what_it_wrote) {
  redis::client c(where());
  EXPECT_TRUE(c.set("colour", "blue"));
  EXPECT_EQ(c.get("colour"), "blue");
  EXPECT_EQ(c.get("nothing"), std::nullopt);
  EXPECT_TRUE(c.del("colour"));
  EXPECT_FALSE(c.del("colour"));
}

TEST_F(redis_client, sets_for_a_while_and_only_if_absent) {
  redis::client c(where());
  EXPECT_TRUE(c.set("k", "v", {.time_to_live = 1h, .only_if_absent = true}));
  EXPECT_FALSE(c.set("k", "w", {.only_if_absent = true}));
  EXPECT_EQ(c.get("k"), "v");
  EXPECT_GT(c.command({"PTTL", "k"}).integer, 3'000'000);
  EXPECT_TRUE(c.expire("k", 2h));
  EXPECT_GT(c.command({"PTTL", "k"}).integer, 6'000'000);
  EXPECT_FALSE(c.expire("nothing", 2h));
  EXPECT_THROW(c.set("k", "v", {.time_to_live = 0s}), sg::config_error);
  EXPECT_THROW(c.expire("k", -1s), sg::config_error);
  EXPECT_TRUE(c.set("short", "v", {.time_to_live = 1ns}));
}

TEST_F(redis_client, counts_and_keeps_fields) {
  redis::client c(where());
  EXPECT_EQ(c.incr("n"), 1);
  EXPECT_EQ(c.incr("n", 41), 42);
  EXPECT_TRUE(c.hset("h", "f", "v"));
  EXPECT_FALSE(c.hset("h", "f", "w"));
  EXPECT_EQ(c.hget("h", "f"), "w");
  EXPECT_EQ(c.hget("h", "g"), std::nullopt);
}

TEST_F(redis_client, runs_scripts) {
  redis::client c(where());
  const std::array<std::string_view, 1> keys{"k"}, arguments{"v"};
  EXPECT_EQ(c.eval("return KEYS[1] .. '=' .. ARGV[1]", keys, arguments).text, "k=v");
  EXPECT_EQ(code_of_refusal([&] { c.eval("return redis.error_reply('MYOWN no')"); }), "MYOWN");
}

TEST_F(redis_client, answers_a_ping) { EXPECT_NO_THROW(redis::client(where()).ping()); }

TEST_F(redis_client, sends_several_commands_at_once) {
  redis::client c(where());
  const std::vector<redis::words> commands{{"SET", "k", "v"}, {"LPUSH", "k", "v"}, {"GET", "k"}, {"GET", "nothing"}};
  const std::vector<redis::reply> replies = c.pipeline(commands);
  ASSERT_EQ(replies.size(), 4u);
  EXPECT_EQ(replies[0].text, "OK");
  EXPECT_EQ(replies[1].error_code(), "WRONGTYPE");
  EXPECT_EQ(replies[2].text, "v");
  EXPECT_TRUE(replies[3].is_nil());
  EXPECT_EQ(c.breaker().snapshot().metrics.successes, 1u);
  EXPECT_TRUE(c.pipeline({}).empty());
}

TEST_F(redis_client, runs_a_transaction_as_a_pipeline) {
  redis::client c(where());
  const std::vector<redis::words> commands{{"WATCH", "n"}, {"MULTI"}, {"INCR", "n"}, {"INCR", "n"}, {"EXEC"}};
  EXPECT_EQ(c.pipeline(commands).back().elements.back().integer, 2);
}

TEST_F(redis_client, keeps_connections_as_the_next_caller_expects_them) {
  redis::client c(where());
  EXPECT_THROW(c.command({"SELECT", "1"}), sg::config_error);
  EXPECT_THROW(c.command({"subscribe", "news"}), sg::config_error);
  EXPECT_THROW(c.command({"CLIENT", "reply", "off"}), sg::config_error);
  EXPECT_THROW(c.command({"MULTI"}), sg::config_error);
  EXPECT_THROW(c.command({""}), sg::config_error);
  EXPECT_THROW(c.command({}), sg::config_error);
  const std::vector<redis::words> unfinished{{"MULTI"}, {"INCR", "n"}}, watching{{"WATCH", "n"}, {"GET", "n"}}, nothing{{}};
  EXPECT_THROW(c.pipeline(unfinished), sg::config_error);
  EXPECT_THROW(c.pipeline(watching), sg::config_error);
  EXPECT_THROW(c.pipeline(nothing), sg::config_error);
  EXPECT_NO_THROW(c.command({"CLIENT", "ID"}));
  EXPECT_EQ(c.breaker().snapshot().metrics.total_calls(), 1u);
}

TEST_F(redis_client, takes_the_callers_mistakes_for_no_evidence) {
  redis::client c(where());
  c.set("k", "v");
  for (int i = 0; i < 10; ++i) {
    EXPECT_EQ(code_of_refusal([&] { c.command({"LPUSH", "k", "v"}); }), "WRONGTYPE");
    EXPECT_EQ(code_of_refusal([&] { c.command({"NONSENSE"}); }), "ERR");
  }
  EXPECT_TRUE(c.breaker().is_closed());
  EXPECT_EQ(c.breaker().snapshot().metrics.ignored, 20u);
  EXPECT_EQ(c.connections().idle, 1u);
}

TEST_F(redis_client, says_what_was_refused_to_whom_and_no_secret) {
  redis::client c(where());
  try {
    c.command({"CONFIG", "SET", "geheim", "geheim"}, {.correlation_id = "abc"});
    FAIL();
  } catch (const sg::refused_error& e) {
    EXPECT_THAT(e.what(), HasSubstr("CONFIG " + c.target() + ": ERR Unknown option"));
    EXPECT_THAT(e.what(), Not(HasSubstr("geheim")));
    EXPECT_EQ(e.context().transport, "redis");
    EXPECT_EQ(e.context().operation, "CONFIG");
    EXPECT_EQ(e.context().target, "redis.127.0.0.1:" + std::to_string(server.port()) + "/0");
    EXPECT_EQ(e.correlation_id(), "abc");
  }
}

TEST_F(redis_client, takes_a_full_memory_for_evidence) {
  redis::client c(where());
  c.command({"CONFIG", "SET", "maxmemory", "1"});
  try {
    c.set("k", "v");
    FAIL();
  } catch (const sg::connection_error& e) {
    EXPECT_THAT(e.what(), HasSubstr("Failed to run SET on redis.127.0.0.1"));
    EXPECT_THROW(std::rethrow_if_nested(e), redis::server_error);
  }
  const std::vector<redis::words> commands{{"GET", "k"}, {"SET", "k", "v"}};
  EXPECT_EQ(c.pipeline(commands)[1].error_code(), "OOM");
  EXPECT_EQ(c.breaker().snapshot().metrics.failures, 2u);
}

TEST_F(redis_client, takes_a_replica_that_is_asked_to_write_for_evidence) {
  redis::client c(where());
  c.command({"REPLICAOF", "127.0.0.1", "1"});
  EXPECT_THROW(c.set("k", "v"), sg::connection_error);
  EXPECT_EQ(c.breaker().snapshot().metrics.failures, 1u);
  EXPECT_EQ(c.connections().idle, 0u) << "the next call looks for the server anew";
}

TEST_F(redis_client, serves_more_threads_than_it_has_connections) {
  redis::client c(where(), {.max_connections = 3, .pool_timeout = 60s});
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&c, t] {
      const std::string key = "k" + std::to_string(t);
      for (int i = 0; i < 100; ++i) {
        c.incr("n");
        c.set(key, std::to_string(i));
        EXPECT_EQ(c.get(key), std::to_string(i));
      }
    });
  }
  for (std::thread& t : threads) t.join();
  EXPECT_EQ(c.get("n"), "800");
  EXPECT_EQ(c.connections().in_use, 0u);
  EXPECT_LE(c.connections().idle, 3u);
}

TEST(redis_client_login, is_refused_with_a_wrong_password_and_blames_nobody) {
  test_support::redis_server server({.password = "opensesame"});
  server.start();
  redis::client c({.port = server.port(), .password = "hunter2"});
  for (int i = 0; i < 10; ++i) EXPECT_EQ(code_of_refusal([&] { (void)c.get("k"); }), "WRONGPASS");
  const std::vector<redis::words> commands{{"GET", "k"}};
  EXPECT_EQ(code_of_refusal([&] { c.pipeline(commands); }), "WRONGPASS");
  EXPECT_TRUE(c.breaker().is_closed());
  EXPECT_EQ(c.connections().idle, 0u);
}

TEST(redis_client_login, is_turned_away_by_a_server_that_is_full) {
  test_support::redis_server server({.more = {"--maxclients", "1"}});
  server.start();
  redis::connection first = redis::connection::open({.port = server.port()});
  while (true) {  // the one that looked whether the server is there may still be counted
    try {
      first.command({"PING"});
      break;
    } catch (const sg::error&) {
      first = redis::connection::open({.port = server.port()});
    }
  }
  redis::client c({.port = server.port()}, {.guard = {.retry = {.max_attempts = 1}}});
  EXPECT_THROW((void)c.get("k"), sg::connection_error);
  EXPECT_EQ(c.breaker().snapshot().metrics.failures, 1u);
}

}  // namespace
