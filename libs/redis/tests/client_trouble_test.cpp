// SPDX-License-Identifier: Apache-2.0
#include <switchgear/redis/client.hpp>

#include "redis_server.hpp"
#include "tcp_proxy.hpp"

#include <switchgear/testing/manual_clock.hpp>
#include <switchgear/testing/skipping_clock.hpp>

#include <gtest/gtest.h>

#include <filesystem>
#include <iterator>
#include <stop_token>
#include <thread>

namespace {

namespace sg = switchgear;
namespace redis = switchgear::redis;
using namespace std::chrono_literals;
using test_support::eventually;
using testing::HasSubstr;
using testing::Not;

std::ptrdiff_t descriptors() {
  std::filesystem::directory_iterator all("/proc/self/fd");
  return std::distance(begin(all), end(all));
}

const sg::adapter_options once{.retry = {.max_attempts = 1}};

struct redis_client_in_trouble : testing::Test {
  redis_client_in_trouble() { server.start(); }
  [[nodiscard]] redis::options where(std::chrono::nanoseconds timeout = 60s) const {
    return {.port = server.port(), .timeout = timeout};
  }

  test_support::redis_server server;
};

TEST_F(redis_client_in_trouble, opens_its_circuit_and_recovers) {
  sg::testing::manual_clock clock;
  redis::client c(where(), {.guard = {.breaker = {.failure_threshold = 2, .open_duration = 30s, .success_threshold = 1},
                                      .retry = {.max_attempts = 1},
                                      .clock = &clock}});
  c.set("k", "v");
  server.kill();
  EXPECT_THROW((void)c.get("k"), sg::connection_error);
  EXPECT_THROW((void)c.get("k"), sg::connection_error);
  try {
    (void)c.get("k", {.correlation_id = "abc"});
    FAIL();
  } catch (const sg::circuit_open_error& e) {
    EXPECT_EQ(e.retry_after(), 30s);
    EXPECT_EQ(e.context().operation, "GET");
    EXPECT_EQ(e.correlation_id(), "abc");
  }
  server.restart_empty();
  clock.advance(30s);
  EXPECT_EQ(c.get("k"), std::nullopt);
  EXPECT_TRUE(c.breaker().is_closed());
}

TEST_F(redis_client_in_trouble, counts_a_server_that_hangs_as_timeouts) {
  redis::client c(where(50ms), {.guard = once});
  c.ping();
  server.stop();
  try {
    c.ping();
    FAIL();
  } catch (const sg::connection_error& e) {
    EXPECT_THROW(std::rethrow_if_nested(e), redis::io_timeout);
  }
  EXPECT_EQ(c.breaker().snapshot().metrics.timeouts, 1u);
  server.resume();
  EXPECT_TRUE(eventually([&] {
    try {
      c.ping();
      return true;
    } catch (const sg::connection_error&) {
      return false;
    } catch (const sg::circuit_open_error&) {
      c.breaker().reset();
      return false;
    }
  }));
}

TEST_F(redis_client_in_trouble, does_not_use_a_connection_that_died_while_it_was_idle) {
  redis::client c(where(), {.guard = once});
  c.set("k", "v");
  server.restart_empty();
  EXPECT_EQ(c.get("k"), std::nullopt);
  EXPECT_EQ(c.breaker().snapshot().metrics.failures, 0u);
}

TEST_F(redis_client_in_trouble, is_cut_in_the_middle_of_a_reply_and_reads_the_next_one_whole) {
  test_support::tcp_proxy proxy(server.port());
  redis::client c({.port = proxy.port()}, {.guard = once});
  c.set("k", std::string(1000, 'x'));
  proxy.cut_after(500);
  EXPECT_THROW((void)c.get("k"), sg::connection_error);
  EXPECT_EQ(c.connections().idle, 0u);
  proxy.heal();
  EXPECT_EQ(c.get("k")->size(), 1000u);
}

TEST_F(redis_client_in_trouble, never_takes_a_late_reply_for_the_next_one) {
  test_support::tcp_proxy proxy(server.port());
  redis::client writer(where());
  writer.set("a", "1");
  writer.set("b", "2");
  redis::client c({.port = proxy.port(), .timeout = 100ms}, {.guard = once});
  proxy.black_hole(true);
  EXPECT_THROW((void)c.get("a"), sg::connection_error);
  proxy.heal();
  EXPECT_TRUE(eventually([&] {
    try {
      EXPECT_EQ(c.get("b"), "2");
      return true;
    } catch (const sg::connection_error&) {  // a slow machine
      return false;
    }
  }));
}

TEST_F(redis_client_in_trouble, repeats_what_only_reads) {
  sg::testing::skipping_clock clock;
  redis::client c(where(), {.guard = {.retry = {.max_attempts = 3}, .clock = &clock}});
  clock.on_wait([&](std::chrono::nanoseconds) {
    if (clock.waits().size() == 2) server.restart_empty();
  });
  server.kill();
  EXPECT_EQ(c.get("k"), std::nullopt);
  EXPECT_EQ(clock.waits().size(), 2u);
  EXPECT_EQ(c.breaker().snapshot().metrics.total_calls(), 1u);
}

TEST_F(redis_client_in_trouble, does_not_repeat_what_writes_unless_it_is_told_that_it_may) {
  sg::testing::skipping_clock clock;
  redis::client c(where(), {.guard = {.retry = {.max_attempts = 3}, .clock = &clock}});
  server.kill();
  EXPECT_THROW(c.incr("n"), sg::connection_error);
  EXPECT_THROW(c.command({"SET", "k", "v"}), sg::connection_error);
  EXPECT_EQ(clock.waits().size(), 0u);
  EXPECT_THROW(c.command({"SET", "k", "v"}, {}, redis::repeatable::yes), sg::connection_error);
  EXPECT_EQ(clock.waits().size(), 2u);
}

TEST_F(redis_client_in_trouble, ends_at_once_when_the_caller_gives_up) {
  redis::client c(where());
  c.ping();
  server.stop();
  std::stop_source enough;
  std::thread caller([&] { EXPECT_THROW((void)c.get("k", {.stop = enough.get_token()}), sg::cancelled_error); });
  EXPECT_TRUE(eventually([&] { return c.connections().in_use == 1; }));
  enough.request_stop();
  caller.join();
  EXPECT_EQ(c.breaker().snapshot().metrics.ignored, 1u);
  EXPECT_EQ(c.connections().idle, 0u);
  server.resume();
  EXPECT_EQ(c.get("k"), std::nullopt);
}

TEST_F(redis_client_in_trouble, is_not_disturbed_by_a_stop_request_that_comes_too_late) {
  redis::client c(where(), {.max_connections = 1});
  std::stop_source enough;
  EXPECT_EQ(c.get("k", {.stop = enough.get_token()}), std::nullopt);
  enough.request_stop();
  EXPECT_EQ(c.get("k"), std::nullopt);
}

TEST_F(redis_client_in_trouble, ends_at_the_call_timeout_of_the_breaker) {
  redis::client c(where(), {.guard = {.breaker = {.call_timeout = 50ms}}});
  server.stop();
  EXPECT_THROW((void)c.get("k"), sg::call_timeout_error);
  EXPECT_EQ(c.breaker().snapshot().metrics.timeouts, 1u);
}

struct redis_pool : redis_client_in_trouble {
  // Keeps the only connection busy until it is told to stop.
  std::thread occupy(redis::client& c) {
    std::thread out([&] {
      EXPECT_THROW(c.command({"BLPOP", "never", "0"}, {.stop = release.get_token()}), sg::cancelled_error);
    });
    EXPECT_TRUE(eventually([&] { return c.connections().in_use == 1; }));
    return out;
  }
  std::stop_source release;
};

TEST_F(redis_pool, says_when_no_connection_is_free_and_blames_nobody) {
  redis::client c(where(), {.max_connections = 1, .pool_timeout = 1ms});
  std::thread busy = occupy(c);
  try {
    (void)c.get("k");
    ADD_FAILURE();
  } catch (const redis::no_connection_free& e) {
    EXPECT_THAT(e.what(), HasSubstr("all 1 connections are in use, and none came free within 1ms"));
  }
  release.request_stop();
  busy.join();
  EXPECT_EQ(c.get("k"), std::nullopt);
  EXPECT_EQ(c.breaker().snapshot().metrics.failures, 0u);
}

TEST_F(redis_pool, hands_a_connection_to_who_waits) {
  redis::client c(where(), {.max_connections = 1, .pool_timeout = 60s});
  std::thread busy = occupy(c);
  std::thread waiting([&] { EXPECT_EQ(c.get("k"), std::nullopt); });
  release.request_stop();
  busy.join();
  waiting.join();
}

TEST_F(redis_pool, ends_the_wait_when_the_caller_gives_up) {
  redis::client c(where(), {.max_connections = 1, .pool_timeout = 60s});
  std::thread busy = occupy(c);
  std::stop_source enough;
  std::thread waiting([&] { EXPECT_THROW((void)c.get("k", {.stop = enough.get_token()}), sg::cancelled_error); });
  enough.request_stop();
  waiting.join();
  release.request_stop();
  busy.join();
}

TEST_F(redis_client_in_trouble, leaks_no_descriptor) {
  test_support::tcp_proxy proxy(server.port());
  const std::ptrdiff_t before = descriptors();
  {
    redis::client c({.port = proxy.port()}, {.guard = {.breaker = {.failure_threshold = 1000}, .retry = {.max_attempts = 1}}});
    for (int i = 0; i < 100; ++i) {
      c.ping();
      proxy.cut();
      EXPECT_THROW(c.ping(), sg::connection_error);
      proxy.heal();
    }
  }
  EXPECT_TRUE(eventually([&] { return proxy.connections() == 0 && descriptors() <= before; })) << before << " " << descriptors();
}

TEST_F(redis_client_in_trouble, shows_neither_keys_nor_values_nor_the_password) {
  redis::client c({.port = server.port(), .user = "alice", .password = "wonderland"}, {.guard = once});
  server.kill();
  try {
    c.set("geheim", "geheim");
    FAIL();
  } catch (const sg::connection_error& e) {
    EXPECT_THAT(e.what(), Not(HasSubstr("geheim")));
    EXPECT_THAT(e.what(), Not(HasSubstr("wonderland")));
    EXPECT_THAT(e.context().target, Not(HasSubstr("alice")));
    EXPECT_EQ(e.context().operation, "SET");
  }
}

}  // namespace
