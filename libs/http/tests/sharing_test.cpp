// SPDX-License-Identifier: Apache-2.0
#include "test_server.hpp"

#include <switchgear/http/client.hpp>

#include <gtest/gtest.h>

#include <csignal>
#include <thread>
#include <vector>

namespace sg = switchgear;
namespace http = switchgear::http;
using namespace std::chrono_literals;
using http_test::test_server;

namespace {

TEST(http_connection, is_used_again_for_one_call_after_another) {
  test_server server;
  http::transport transport;
  for (int i = 0; i < 20; ++i) {
    const http::request r{.url = server.url(i % 2 ? "/status/500" : "/status/200")};
    ASSERT_EQ(transport.send(r).ending, http::ending::complete);
  }
  EXPECT_EQ(server.connections(), 1);
  EXPECT_EQ(server.requests(), 20);
}

TEST(http_connection, is_made_anew_when_the_server_has_closed_it) {
  test_server server;
  http::transport transport;
  ASSERT_EQ(transport.send({.url = server.url("/cut")}).ending, http::ending::failed);
  ASSERT_EQ(transport.send({.url = server.url("/status/200")}).ending, http::ending::complete);
  EXPECT_EQ(server.connections(), 2);
}

TEST(http_connection, count_is_at_most_the_number_of_simultaneous_calls) {
  test_server server;
  sg::circuit_breaker breaker{"service"};
  http::client client{breaker};
  constexpr int threads = 8, calls = 50;
  std::atomic<int> good{0};
  {
    std::vector<std::jthread> callers;
    for (int t = 0; t < threads; ++t) {
      callers.emplace_back([&, t] {
        for (int i = 0; i < calls; ++i) {
          const std::string id = std::to_string(t) + "-" + std::to_string(i);
          const http::response r = client.send({.url = server.url("/echo"), .correlation_id = id});
          // Each caller gets the answer to his own question.
          if (r.body.find("X-Correlation-ID: " + id + "\r\n") != r.body.npos) ++good;
        }
      });
    }
  }
  EXPECT_EQ(good, threads * calls);
  EXPECT_EQ(server.requests(), threads * calls);
  EXPECT_LE(server.connections(), threads);
  EXPECT_EQ(breaker.snapshot().metrics.successes, static_cast<std::uint64_t>(threads * calls));
}

TEST(http_threads, of_many_callers_open_the_circuit_once_and_then_send_nothing_more) {
  test_server server;
  sg::circuit_breaker breaker{"service", {.failure_threshold = 5, .open_duration = 1h}};
  http::client client{breaker};
  {
    std::vector<std::jthread> callers;
    for (int t = 0; t < 8; ++t) {
      callers.emplace_back([&] {
        while (!client.try_send({.url = server.url("/status/503")}).rejected()) {
        }
      });
    }
  }
  const sg::snapshot s = breaker.snapshot();
  EXPECT_EQ(s.metrics.transitions, 1u);
  EXPECT_EQ(s.metrics.failures, static_cast<std::uint64_t>(server.requests()));
  EXPECT_LE(server.requests(), 5 + 7) << "five that opened it, and those that were out by then";
}

TEST(http_signals, do_not_end_the_program_during_a_call_and_are_as_before_after_it) {
  test_server server;
  http::transport transport;
  sigset_t broken_pipe, before, after;
  sigemptyset(&broken_pipe);
  sigaddset(&broken_pipe, SIGPIPE);
  pthread_sigmask(SIG_UNBLOCK, &broken_pipe, nullptr);
  pthread_sigmask(SIG_BLOCK, nullptr, &before);
  bool sunk = false;
  (void)transport.send({.url = server.url("/status/200")}, [&](const http::response&, std::string_view) {
    sunk = pthread_kill(pthread_self(), SIGPIPE) == 0;
  });
  EXPECT_TRUE(sunk);
  pthread_sigmask(SIG_BLOCK, nullptr, &after);
  for (int s = 1; s < 32; ++s) EXPECT_EQ(sigismember(&before, s), sigismember(&after, s)) << s;
}

}  // namespace
