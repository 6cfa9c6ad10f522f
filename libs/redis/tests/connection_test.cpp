// SPDX-License-Identifier: Apache-2.0
#include <switchgear/redis/connection.hpp>

#include "redis_server.hpp"
#include "tcp_proxy.hpp"

#include <gtest/gtest.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <string>
#include <thread>
#include <vector>

namespace {

namespace sg = switchgear;
namespace redis = switchgear::redis;
using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::Not;

template <class F>
std::string text_of_server_error(F f) {
  try {
    f();
  } catch (const redis::server_error& e) {
    return e.code() + " | " + e.what();
  }
  return "nothing was thrown";
}

struct redis_connection : testing::Test {
  redis_connection() { server.start(); }
  redis::connection open() { return redis::connection::open({.port = server.port()}); }
  redis::connection open_through(const test_support::tcp_proxy& proxy, std::chrono::nanoseconds timeout = 5s) {
    return redis::connection::open({.port = proxy.port(), .timeout = timeout});
  }

  test_support::redis_server server;
};

TEST_F(redis_connection, reads_what_it_wrote) {
  redis::connection c = open();
  EXPECT_EQ(c.command({"SET", "colour", "blue"}), (redis::reply{.is = redis::reply::kind::status, .text = "OK"}));
  EXPECT_EQ(c.command({"GET", "colour"}), (redis::reply{.is = redis::reply::kind::text, .text = "blue"}));
  EXPECT_EQ(c.command({"INCR", "n"}), (redis::reply{.is = redis::reply::kind::integer, .integer = 1}));
  EXPECT_TRUE(c.command({"GET", "nothing"}).is_nil());
}

TEST_F(redis_connection, keeps_every_byte) {
  std::string bytes;
  for (int i = 0; i < 256; ++i) bytes.push_back(static_cast<char>(i));
  redis::connection c = open();
  c.command({"SET", bytes, bytes + "\r\n$3\r\n"});
  EXPECT_EQ(c.command({"GET", bytes}).text, bytes + "\r\n$3\r\n");
  c.command({"SET", "empty", {}});
  EXPECT_EQ(c.command({"GET", "empty"}), (redis::reply{.is = redis::reply::kind::text}));
}

TEST_F(redis_connection, carries_values_larger_than_every_buffer) {
  const std::string large(20'000'000, 'x');
  redis::connection c = open();
  c.command({"SET", "large", large});
  EXPECT_TRUE(c.command({"GET", "large"}).text == large);
}

TEST_F(redis_connection, reads_the_replies_of_a_pipeline_in_order) {
  redis::connection c = open();
  for (int i = 0; i < 10'000; ++i) c.append({"INCR", "n"});
  for (int i = 1; i <= 10'000; ++i) ASSERT_EQ(c.read().integer, i);
}

TEST_F(redis_connection, returns_arrays_and_the_errors_within) {
  redis::connection c = open();
  c.command({"SET", "k", "v"});
  c.command({"MULTI"});
  c.command({"GET", "k"});
  c.command({"LPUSH", "k", "v"});
  const redis::reply r = c.command({"EXEC"});
  ASSERT_EQ(r.elements.size(), 2u);
  EXPECT_EQ(r.elements[0].text, "v");
  EXPECT_EQ(r.elements[1].error_code(), "WRONGTYPE");
}

TEST_F(redis_connection, throws_the_code_of_an_error_and_stays_usable) {
  redis::connection c = open();
  c.command({"SET", "k", "v"});
  EXPECT_THAT(text_of_server_error([&] { c.command({"LPUSH", "k", "v"}); }), HasSubstr("WRONGTYPE | WRONGTYPE Operation"));
  EXPECT_EQ(c.command({"GET", "k"}).text, "v");
}

TEST_F(redis_connection, does_not_repeat_what_the_server_quotes) {
  redis::connection c = open();
  const auto shown = [&](std::initializer_list<std::string_view> words) {
    return text_of_server_error([&] { c.command(words); });
  };
  EXPECT_EQ(shown({"HUNTER2", "geheim", "a'geheim'b"}), "ERR | ERR unknown command …");
  EXPECT_EQ(shown({"CONFIG", "SET", "maxmemory", "geheim"}).find("geheim"), std::string::npos);
  EXPECT_EQ(shown({"EVAL", "return redis.error_reply('GEHEIM ' .. ARGV[1])", "0", "geheim"}), "GEHEIM | GEHEIM from a script");
  EXPECT_EQ(shown({"EVAL", "geheim geheim", "0"}), "ERR | ERR from a script");
}

TEST_F(redis_connection, wants_a_command_with_at_least_one_word) {
  redis::connection c = open();
  EXPECT_THROW(c.command({}), sg::config_error);
  EXPECT_EQ(c.command({"PING"}).text, "PONG");
}

TEST_F(redis_connection, uses_the_database_it_was_told) {
  redis::connection c = redis::connection::open({.port = server.port(), .database = 3});
  c.command({"SET", "k", "v"});
  EXPECT_TRUE(open().command({"GET", "k"}).is_nil());
}

TEST_F(redis_connection, says_that_there_is_no_such_database) {
  EXPECT_THAT(text_of_server_error([&] { (void)redis::connection::open({.port = server.port(), .database = 99}); }),
              HasSubstr("ERR | ERR DB index is out of range"));
}

TEST_F(redis_connection, refuses_tls_and_says_what_to_do) {
  try {
    (void)redis::connection::open({.port = server.port(), .tls = true});
    FAIL();
  } catch (const sg::config_error& e) {
    EXPECT_THAT(e.what(), HasSubstr("stunnel"));
  }
}

TEST_F(redis_connection, gives_up_on_a_server_that_hangs) {
  redis::connection c = redis::connection::open({.port = server.port(), .timeout = 50ms});
  server.stop();
  EXPECT_THROW(c.command({"PING"}), redis::io_timeout);
  EXPECT_EQ(c.descriptor(), -1);
  EXPECT_THROW(c.command({"PING"}), redis::io_error);
}

TEST_F(redis_connection, gives_up_writing_to_a_server_that_hangs) {
  redis::connection c = redis::connection::open({.port = server.port(), .timeout = 50ms});
  server.stop();
  const std::string large(50'000'000, 'x');
  EXPECT_THROW(c.command({"SET", "k", large}), redis::io_timeout);
}

TEST_F(redis_connection, sees_the_server_die_and_raises_no_signal) {
  redis::connection c = open();
  server.kill();
  const std::string large(5'000'000, 'x');
  EXPECT_THROW(c.command({"SET", "k", large}), redis::io_error);
  EXPECT_THROW(c.append({"PING"}), redis::io_error);
  EXPECT_THROW((void)open(), redis::io_error);
}

TEST_F(redis_connection, is_cut_in_the_middle_of_a_reply) {
  test_support::tcp_proxy proxy(server.port());
  open().command({"SET", "k", std::string(1000, 'x')});
  redis::connection c = open_through(proxy);
  proxy.cut_after(500);
  EXPECT_THROW(c.command({"GET", "k"}), redis::io_error);
  // The system may still accept a connection that nobody will serve.
  EXPECT_THROW(open_through(proxy).command({"PING"}), redis::io_error);
  proxy.heal();
  EXPECT_EQ(open_through(proxy).command({"GET", "k"}).text.size(), 1000u);
}

TEST_F(redis_connection, limits_a_reply_that_trickles) {
  test_support::tcp_proxy proxy(server.port());
  redis::connection c = open_through(proxy, 50ms);
  proxy.black_hole(true);
  EXPECT_THROW(c.command({"PING"}), redis::io_timeout);
}

TEST_F(redis_connection, waits_for_a_slow_network) {
  test_support::tcp_proxy proxy(server.port());
  redis::connection c = open_through(proxy);
  proxy.delay(20ms);
  const auto before = std::chrono::steady_clock::now();
  EXPECT_EQ(c.command({"PING"}).text, "PONG");
  EXPECT_GE(std::chrono::steady_clock::now() - before, 40ms);
}

TEST_F(redis_connection, takes_only_the_protocol_of_redis) {
  redis::connection writer = open();
  // A reply that is nested deeper than hiredis reads.
  EXPECT_THROW(writer.command({"EVAL", "return {{{{{{{{{{1}}}}}}}}}}", "0"}), redis::io_error);
}

TEST_F(redis_connection, polls_messages_until_the_time_is_over) {
  redis::connection reader = open();
  reader.append({"SUBSCRIBE", "news"});
  ASSERT_TRUE(reader.poll(20s));
  EXPECT_FALSE(reader.poll(0ns));
  EXPECT_FALSE(reader.poll(1ms));
  open().command({"PUBLISH", "news", "hello"});
  const std::optional<redis::reply> message = reader.poll(20s);
  ASSERT_TRUE(message && message->elements.size() == 3);
  EXPECT_EQ(message->elements[2].text, "hello");
}

TEST_F(redis_connection, is_woken_while_it_polls) {
  redis::connection reader = open();
  const int wake = ::eventfd(0, EFD_CLOEXEC);
  std::thread waker([&] {
    const std::uint64_t one = 1;
    EXPECT_EQ(::write(wake, &one, sizeof one), 8);
  });
  EXPECT_FALSE(reader.poll(20s, wake));
  waker.join();
  ::close(wake);
  EXPECT_EQ(reader.command({"PING"}).text, "PONG");
}

TEST_F(redis_connection, is_closed_for_good_after_the_server_closed_it) {
  redis::connection c = open();
  server.restart_empty();
  EXPECT_THROW((void)c.poll(20s), redis::io_error);
  EXPECT_THROW((void)c.poll(0ns), redis::io_error);
  EXPECT_EQ(open().command({"DBSIZE"}).integer, 0);
}

TEST(redis_login, knows_passwords_and_users) {
  test_support::redis_server server({.password = "opensesame", .user = "alice", .user_password = "wonderland"});
  server.start();
  const auto log_in = [&](std::string user, std::string password) {
    return redis::connection::open({.port = server.port(), .user = std::move(user), .password = std::move(password)});
  };
  EXPECT_EQ(log_in("", "opensesame").command({"ACL", "WHOAMI"}).text, "default");
  EXPECT_EQ(log_in("alice", "wonderland").command({"ACL", "WHOAMI"}).text, "alice");
  const std::string wrong = text_of_server_error([&] { (void)log_in("alice", "hunter2"); });
  EXPECT_THAT(wrong, HasSubstr("WRONGPASS | WRONGPASS invalid username-password pair"));
  EXPECT_THAT(wrong, Not(HasSubstr("hunter2")));
  redis::connection without = redis::connection::open({.port = server.port()});
  EXPECT_THAT(text_of_server_error([&] { without.command({"GET", "k"}); }), HasSubstr("NOAUTH"));
}

TEST(redis_login, gives_up_on_a_server_that_accepts_and_says_nothing) {
  test_support::redis_server server({.password = "opensesame"});
  server.start();
  server.stop();
  const redis::options impatient{.port = server.port(), .password = "opensesame", .timeout = 50ms};
  EXPECT_THROW((void)redis::connection::open(impatient), redis::io_timeout);
}

TEST(redis_lookup, says_that_there_is_no_such_host) {
  EXPECT_THROW((void)redis::connection::open({.host = "no such host"}), redis::io_error);
}

}  // namespace
