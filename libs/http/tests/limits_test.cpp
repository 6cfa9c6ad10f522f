// SPDX-License-Identifier: Apache-2.0
#include "test_server.hpp"

#include <switchgear/http/client.hpp>

#include <gtest/gtest.h>

#include <thread>

namespace sg = switchgear;
namespace http = switchgear::http;
using namespace std::chrono_literals;
using http_test::test_server;

namespace {

// Generous above, since the machine may be busy with other tests; what is told apart is "at the limit" from "never".
void expect_ended_at(std::chrono::nanoseconds limit, const http::outcome& o) {
  EXPECT_EQ(o.ending, http::ending::timed_out);
  EXPECT_EQ(o.limit, limit);
  EXPECT_GE(o.took + 1ms, limit);
  EXPECT_LT(o.took, limit + 5s);
}

TEST(http_limit, ends_a_transfer_whose_server_never_answers_and_closes_the_connection) {
  test_server server;
  http::transport transport({.timeout = 100ms});
  expect_ended_at(100ms, transport.send({.url = server.url("/hang")}));
  server.wait_for_closed(1);
}

TEST(http_limit, ends_a_transfer_that_trickles) {
  test_server server;
  http::transport transport({.timeout = 150ms});
  const http::outcome o = transport.send({.url = server.url("/trickle")});
  expect_ended_at(150ms, o);
  EXPECT_EQ(o.reply.status, 200);
  server.wait_for_closed(1);
}

TEST(http_limit, of_a_request_comes_before_that_of_the_client) {
  test_server server;
  http::transport transport({.timeout = 1h});
  expect_ended_at(80ms, transport.send({.url = server.url("/hang"), .timeout = 80ms}));
}

TEST(http_limit, of_a_request_may_be_none) {
  test_server server;
  http::transport transport({.timeout = 1ns});
  EXPECT_EQ(transport.send({.url = server.url("/status/200"), .timeout = 0ns}).ending, http::ending::complete);
}

TEST(http_limit, for_connecting_ends_an_attempt_that_nobody_answers) {
  const http_test::full_server server;
  http::transport transport({.connect_timeout = 100ms, .timeout = 1h});
  const http::outcome o = transport.send({.url = server.listener.url("/")});
  expect_ended_at(100ms, o);
  EXPECT_EQ(o.reason, "no connection in time");
}

TEST(http_limit, of_the_breaker_wins_when_it_is_the_shorter_one) {
  test_server server;
  sg::circuit_breaker breaker{"service", {.call_timeout = 80ms}};
  http::client client{breaker, {.timeout = 1h}};
  const http::result r = client.try_send({.url = server.url("/hang")});
  expect_ended_at(80ms, r.transfer());
  EXPECT_EQ(breaker.snapshot().metrics.timeouts, 1u);
}

TEST(http_limit, does_not_spoil_the_line_for_the_next_call) {
  test_server server;
  http::transport transport({.timeout = 10s});
  EXPECT_EQ(transport.send({.url = server.url("/hang"), .timeout = 30ms}).ending, http::ending::timed_out);
  EXPECT_EQ(transport.send({.url = server.url("/status/200")}).ending, http::ending::complete);
}

TEST(http_stop, ends_a_hanging_transfer_at_once) {
  test_server server;
  // An open connection and no short limit: nothing but the stop request can end the waiting.
  http::transport transport({.connect_timeout = 1h, .timeout = 1h});
  ASSERT_EQ(transport.send({.url = server.url("/status/200")}).ending, http::ending::complete);
  std::stop_source stop;
  std::jthread impatient([&] {
    while (server.requests() < 2) std::this_thread::yield();
    stop.request_stop();
  });
  const http::outcome o = transport.send({.url = server.url("/hang"), .stop = stop.get_token()});
  EXPECT_EQ(o.ending, http::ending::cancelled);
  EXPECT_LT(o.took, 30s);
  server.wait_for_closed(1);
}

TEST(http_stop, after_the_end_of_the_transfer_does_nothing) {
  test_server server;
  http::transport transport;
  std::stop_source stop;
  const http::request stoppable{.url = server.url("/status/200"), .stop = stop.get_token()};
  EXPECT_EQ(transport.send(stoppable).ending, http::ending::complete);
  stop.request_stop();
  EXPECT_EQ(transport.send({.url = server.url("/status/200")}).ending, http::ending::complete);
}

}  // namespace
