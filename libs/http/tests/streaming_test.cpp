// SPDX-License-Identifier: Apache-2.0
#include "test_server.hpp"

#include <switchgear/http/client.hpp>

#include <gtest/gtest.h>

#include <sys/resource.h>

#include <algorithm>

namespace sg = switchgear;
namespace http = switchgear::http;
using namespace std::chrono_literals;
using http_test::test_server;

namespace {

long peak_memory_kib() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_maxrss;
}

TEST(http_stream, passes_a_large_body_through_without_keeping_it) {
  test_server server;
  sg::circuit_breaker breaker{"service"};
  http::client client{breaker, {.timeout = 2min}};
  (void)client.get(server.url("/large/100000"));  // what libcurl needs once is not counted
  const long before = peak_memory_kib();
  std::size_t total = 0, largest = 0;
  const http::response r = client.send({.url = server.url("/large/100000000")},
                                       [&](const http::response& head, std::string_view piece) {
                                         EXPECT_EQ(head.status, 200);
                                         total += piece.size();
                                         largest = std::max(largest, piece.size());
                                       });
  EXPECT_EQ(total, 100'000'000u);
  EXPECT_LE(largest, 16u * 1024);
  EXPECT_EQ(r.body, "");
  EXPECT_EQ(r.status, 200);
  EXPECT_LT(peak_memory_kib() - before, 16 * 1024) << "of a body of 100 MB";
  EXPECT_EQ(breaker.snapshot().metrics.successes, 1u + 1u);
}

TEST(http_stream, shows_status_and_headers_before_the_first_piece) {
  test_server server;
  sg::circuit_breaker breaker{"service"};
  http::client client{breaker};
  int pieces = 0;
  (void)client.send({.url = server.url("/status/503")}, [&](const http::response& head, std::string_view) {
    ++pieces;
    EXPECT_EQ(head.status, 503);
    EXPECT_EQ(head.find_header("X-Told-By"), "test server");
  });
  EXPECT_EQ(pieces, 1);
  EXPECT_EQ(breaker.snapshot().metrics.failures, 1u);
}

TEST(http_stream, passes_the_exception_of_its_sink_on_unchanged_and_ends_the_transfer) {
  struct disk_full {};
  test_server server;
  sg::circuit_breaker breaker{"service"};
  http::client client{breaker};
  EXPECT_THROW((void)client.send({.url = server.url("/large/10000000")},
                                 [](const http::response&, std::string_view) { throw disk_full{}; }),
               disk_full);
  server.wait_for_closed(1);
}

TEST(http_stream, that_breaks_off_is_a_failure_though_pieces_have_come) {
  test_server server;
  sg::circuit_breaker breaker{"service"};
  http::client client{breaker};
  std::string got;
  EXPECT_THROW((void)client.send({.url = server.url("/cut")},
                                 [&](const http::response&, std::string_view piece) { got += piece; }),
               sg::connection_error);
  EXPECT_EQ(got, "only this");
  EXPECT_EQ(breaker.snapshot().metrics.failures, 1u);
}

TEST(http_stream, may_call_the_same_client_from_its_sink) {
  test_server server;
  sg::circuit_breaker breaker{"service"};
  http::client client{breaker};
  int inner = 0;
  (void)client.send({.url = server.url("/status/200")}, [&](const http::response&, std::string_view) {
    inner = client.get(server.url("/status/204")).status;
  });
  EXPECT_EQ(inner, 204);
}

}  // namespace
