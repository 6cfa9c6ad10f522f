// SPDX-License-Identifier: Apache-2.0
#include "test_server.hpp"

#include <switchgear/http/client.hpp>

#include <gtest/gtest.h>

namespace sg = switchgear;
namespace http = switchgear::http;
using namespace std::chrono_literals;
using http_test::test_server;

namespace {

// What the breaker has counted of one call.
struct counted {
  std::uint64_t successes, failures, timeouts, ignored;
  friend bool operator==(const counted&, const counted&) = default;
  friend std::ostream& operator<<(std::ostream& out, const counted& c) {
    return out << c.successes << " successes, " << c.failures << " failures, " << c.timeouts << " timeouts, "
               << c.ignored << " ignored";
  }
};
constexpr counted success{1, 0, 0, 0}, failure{0, 1, 0, 0}, timeout{0, 1, 1, 0}, ignored{0, 0, 0, 1};

counted after(const http::request& r, http::options o = {}) {
  sg::circuit_breaker breaker{"service"};
  http::client client{breaker, std::move(o)};
  const http::result result = client.try_send(r);
  const sg::lifetime_metrics m = breaker.snapshot().metrics;
  EXPECT_EQ(m.total_calls(), 1u);
  return {m.successes, m.failures, m.timeouts, m.ignored};
}

counted after(const std::string& url, http::options o = {}) { return after(http::request{.url = url}, std::move(o)); }

TEST(http_verdict, of_a_2xx_is_success) {
  test_server server;
  EXPECT_EQ(after(server.url("/status/200")), success);
  EXPECT_EQ(after(server.url("/status/204")), success);
}

TEST(http_verdict, of_a_redirect_is_success_and_it_is_not_followed) {
  test_server server;
  EXPECT_EQ(after(server.url("/status/302")), success);
  EXPECT_EQ(server.requests(), 1);
}

TEST(http_verdict, of_a_4xx_is_no_evidence) {
  test_server server;
  for (const char* path : {"/status/400", "/status/401", "/status/404", "/status/422"}) {
    EXPECT_EQ(after(server.url(path)), ignored) << path;
  }
}

TEST(http_verdict, of_a_429_is_no_evidence_unless_asked_for) {
  test_server server;
  EXPECT_EQ(after(server.url("/status/429")), ignored);
  EXPECT_EQ(after(server.url("/status/429"), {.too_many_requests_fail = true}), failure);
  EXPECT_EQ(after(server.url("/status/404"), {.too_many_requests_fail = true}), ignored);
}

TEST(http_verdict, of_a_5xx_is_failure) {
  test_server server;
  for (const char* path : {"/status/500", "/status/502", "/status/503", "/status/504"}) {
    EXPECT_EQ(after(server.url(path)), failure) << path;
  }
}

TEST(http_verdict, of_a_refused_connection_is_failure) {
  const http_test::bound_socket nobody(-1);
  EXPECT_EQ(after(nobody.url("/")), failure);
}

TEST(http_verdict, of_a_reset_connection_is_failure) {
  test_server server;
  EXPECT_EQ(after(server.url("/reset")), failure);
}

TEST(http_verdict, of_a_connection_closed_without_a_word_is_failure) {
  test_server server;
  EXPECT_EQ(after(server.url("/drop")), failure);
}

TEST(http_verdict, of_a_response_that_is_cut_off_is_failure) {
  test_server server;
  EXPECT_EQ(after(server.url("/cut")), failure);
}

TEST(http_verdict, of_our_own_timeout_is_failure_counted_as_timeout) {
  test_server server;
  EXPECT_EQ(after(server.url("/hang"), {.timeout = 50ms}), timeout);
}

TEST(http_verdict, of_a_cancelled_call_is_no_evidence) {
  test_server server;
  std::stop_source stop;
  stop.request_stop();
  EXPECT_EQ(after({.url = server.url("/status/200"), .stop = stop.get_token()}), ignored);
}

TEST(http_verdict, of_a_malformed_url_is_no_evidence) {
  for (const char* url : {"", "http://", "http://host:port/", "http://127.0.0.1:99999/"}) {
    EXPECT_EQ(after(url), ignored) << url;
  }
  EXPECT_EQ(after(std::string("http://127.0.0.1/\0x", 19)), ignored);
}

TEST(http_verdict, of_an_unsupported_protocol_is_no_evidence) {
  for (const char* url : {"file:///etc/hostname", "ftp://127.0.0.1/", "gopher://127.0.0.1/", "no-such://127.0.0.1/"}) {
    EXPECT_EQ(after(url), ignored) << url;
  }
}

TEST(http_verdict, of_a_request_that_would_smuggle_a_header_is_no_evidence_and_nothing_is_sent) {
  test_server server;
  const std::string url = server.url("/status/200");
  EXPECT_EQ(after({.url = url, .headers = {{"X-A", "1\r\nX-B: 2"}}}), ignored);
  EXPECT_EQ(after({.url = url, .headers = {{"X-A: 1\r\nX-B", "2"}}}), ignored);
  EXPECT_EQ(after({.url = url, .correlation_id = "1\r\nX-B: 2"}), ignored);
  EXPECT_EQ(after({.method = "GET / HTTP/1.1\r\n", .url = url}), ignored);
  EXPECT_EQ(after({.url = url, .body = "a GET has none"}), ignored);
  EXPECT_EQ(after({.url = url, .timeout = -1ns}), ignored);
  EXPECT_EQ(server.connections(), 0);
}

TEST(http_verdict, of_a_sink_that_throws_is_no_evidence) {
  test_server server;
  sg::circuit_breaker breaker{"service"};
  http::client client{breaker};
  const auto full = [](const http::response&, std::string_view) { throw std::runtime_error("the disk is full"); };
  const http::result result = client.try_send({.url = server.url("/large/100000")}, full);
  EXPECT_FALSE(result);
  EXPECT_EQ(result.transfer().ending, http::ending::sink_threw);
  EXPECT_EQ(breaker.snapshot().metrics.ignored, 1u);
}

TEST(http_rules, judge_responses_outcomes_and_invalid_requests_of_other_guards_alike) {
  const sg::classifier rules = http::rules();
  EXPECT_EQ(rules.of_value(http::response{.status = 200}), sg::verdict::success);
  EXPECT_EQ(rules.of_value(http::response{.status = 404}), sg::verdict::ignored);
  EXPECT_EQ(rules.of_value(http::response{.status = 429}), sg::verdict::ignored);
  EXPECT_EQ(rules.of_value(http::response{.status = 503}), sg::verdict::failure);
  EXPECT_EQ(rules.of_value(http::outcome{.ending = http::ending::timed_out}), sg::verdict::timeout);
  const sg::classifier strict = http::rules({.too_many_requests_fail = true});
  EXPECT_EQ(strict.of_value(http::response{.status = 429}), sg::verdict::failure);

  sg::circuit_breaker outer{"outer", {}, http::rules()};
  sg::circuit_breaker inner{"inner"};
  http::client client{inner};
  EXPECT_THROW((void)outer.call([&] { return client.get("ftp://127.0.0.1/"); }), http::invalid_request);
  EXPECT_EQ(outer.snapshot().metrics.ignored, 1u);
}

}  // namespace
