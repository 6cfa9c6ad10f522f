// SPDX-License-Identifier: Apache-2.0
#include "test_server.hpp"

#include <switchgear/http/client.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

namespace sg = switchgear;
namespace http = switchgear::http;
using namespace std::chrono_literals;
using http_test::test_server;
using testing::HasSubstr;
using testing::Not;

namespace {

bool is_uuid_v4(const std::string& text) {
  const std::string shape = "xxxxxxxx-xxxx-4xxx-vxxx-xxxxxxxxxxxx";
  return std::equal(text.begin(), text.end(), shape.begin(), shape.end(), [](char c, char expected) {
    const std::string itself(1, expected);
    const std::string allowed = expected == 'x' ? "0123456789abcdef" : expected == 'v' ? "89ab" : itself;
    return allowed.find(c) != allowed.npos;
  });
}

class http_client : public testing::Test {
 protected:
  test_server server_;
  sg::circuit_breaker breaker_{"payments", {.failure_threshold = 1}};
  http::client client_{breaker_, {.timeout = 10s}};
};

TEST_F(http_client, returns_status_headers_and_body) {
  const http::response r = client_.get(server_.url("/status/201"));
  EXPECT_EQ(r.status, 201);
  EXPECT_TRUE(r.ok());
  EXPECT_EQ(r.body, "told");
  EXPECT_EQ(r.find_header("x-told-BY"), "test server");
  EXPECT_EQ(r.find_header("X-Nobody"), std::nullopt);
}

TEST_F(http_client, returns_a_503_as_a_response_and_then_rejects) {
  EXPECT_EQ(client_.get(server_.url("/status/503")).status, 503);
  EXPECT_TRUE(breaker_.is_open());
  EXPECT_EQ(breaker_.snapshot().last_failure, "HTTP status 503");
  EXPECT_THROW((void)client_.get(server_.url("/status/200")), sg::circuit_open_error);
  EXPECT_EQ(server_.requests(), 1);
}

TEST_F(http_client, tells_of_a_failure_with_the_correlation_id_that_was_sent) {
  std::vector<sg::event> heard;
  const auto observed = breaker_.observe([&](const sg::event& e) { heard.push_back(e); }, sg::event_filter::failures);
  const http::response r = client_.get(server_.url("/status/503"));
  sg::drain_events();
  ASSERT_FALSE(heard.empty());
  EXPECT_EQ(heard.front().kind, sg::event_kind::failure);
  EXPECT_EQ(heard.front().correlation_id, r.correlation_id);
  EXPECT_TRUE(is_uuid_v4(heard.front().correlation_id));
}

TEST_F(http_client, sends_method_headers_and_body) {
  const std::string put = client_.send({.method = "PUT",
                                        .url = server_.url("/echo"),
                                        .headers = {{"X-Colour", "blue"}, {"X-Empty", ""}},
                                        .body = "twelve"})
                              .body;
  EXPECT_TRUE(put.starts_with("PUT /echo HTTP/1.1\r\n")) << put;
  EXPECT_THAT(put, HasSubstr("X-Colour: blue\r\n"));
  EXPECT_THAT(put, HasSubstr("X-Empty:\r\n"));
  EXPECT_THAT(put, HasSubstr("Content-Length: 6\r\n"));
  EXPECT_THAT(put, Not(HasSubstr("Content-Type")));
  EXPECT_TRUE(put.ends_with("\r\n\r\ntwelve")) << put;

  const std::string post = client_.post(server_.url("/echo"), "{}").body;
  EXPECT_TRUE(post.starts_with("POST /echo HTTP/1.1\r\n")) << post;
  EXPECT_THAT(post, HasSubstr("Content-Type: application/json\r\n"));
}

TEST_F(http_client, sends_a_large_body_without_waiting_for_a_100_continue) {
  const std::string body(2'000'000, 'b');
  const std::string echo = client_.post(server_.url("/echo"), body).body;
  EXPECT_THAT(echo.substr(0, 1000), Not(HasSubstr("Expect")));
  EXPECT_TRUE(echo.ends_with(body));
}

TEST_F(http_client, understands_that_a_head_request_has_no_body) {
  const http::response r = client_.send({.method = "HEAD", .url = server_.url("/status/200")});
  EXPECT_EQ(r.status, 200);
  EXPECT_EQ(r.body, "");
}

TEST_F(http_client, sends_the_callers_correlation_id) {
  const http::response field = client_.send({.url = server_.url("/echo"), .correlation_id = "order-7"});
  EXPECT_THAT(field.body, HasSubstr("\r\nX-Correlation-ID: order-7\r\n"));
  EXPECT_EQ(field.correlation_id, "order-7");

  const http::response header =
      client_.send({.url = server_.url("/echo"), .headers = {{"x-correlation-id", "order-8"}}});
  EXPECT_THAT(header.body, HasSubstr("\r\nX-Correlation-ID: order-8\r\n"));
  EXPECT_THAT(header.body, Not(HasSubstr("x-correlation-id")));
  EXPECT_EQ(header.correlation_id, "order-8");
}

TEST_F(http_client, sends_a_fresh_uuid_as_correlation_id_when_the_caller_has_none) {
  const http::response a = client_.get(server_.url("/echo")), b = client_.get(server_.url("/echo"));
  EXPECT_TRUE(is_uuid_v4(a.correlation_id)) << a.correlation_id;
  EXPECT_THAT(a.body, HasSubstr("\r\nX-Correlation-ID: " + a.correlation_id + "\r\n"));
  EXPECT_NE(a.correlation_id, b.correlation_id);
}

TEST_F(http_client, tells_of_a_rejection_with_context_and_without_secrets) {
  breaker_.force_open("maintenance");
  std::string url = server_.url("/receipts?token=hush");
  url.insert(7, "anna:hush@");
  try {
    (void)client_.send({.url = url, .correlation_id = "order-7"});
    FAIL() << "nothing was thrown";
  } catch (const sg::circuit_open_error& e) {
    EXPECT_EQ(e.name(), "payments");
    EXPECT_EQ(e.state(), sg::state::forced_open);
    EXPECT_EQ(e.reason(), sg::rejection_reason::forced_open);
    EXPECT_EQ(e.retry_after(), std::nullopt);
    EXPECT_EQ(e.correlation_id(), "order-7");
    EXPECT_EQ(e.context().transport, "http");
    EXPECT_EQ(e.context().operation, "GET");
    EXPECT_EQ(e.context().target, server_.host());
    EXPECT_THAT(e.what(), Not(HasSubstr("hush")));
  }
  EXPECT_EQ(server_.connections(), 0);
}

TEST_F(http_client, gives_a_rejection_a_fresh_correlation_id_when_the_caller_has_none) {
  breaker_.trip();
  try {
    (void)client_.get(server_.url("/"));
    FAIL() << "nothing was thrown";
  } catch (const sg::circuit_open_error& e) {
    EXPECT_TRUE(is_uuid_v4(e.correlation_id()));
    ASSERT_TRUE(e.retry_after().has_value());
    EXPECT_GT(*e.retry_after(), 0s);
  }
}

TEST_F(http_client, wraps_what_libcurl_says_in_a_connection_error) {
  const http_test::bound_socket nobody(-1);
  std::string url = nobody.url("/receipts?token=hush");
  url.insert(7, "anna:hush@");
  const std::string host = "127.0.0.1:" + std::to_string(nobody.port);
  try {
    (void)client_.send(
        {.method = "DELETE", .url = url, .headers = {{"Authorization", "hush"}}, .correlation_id = "order-7"});
    FAIL() << "nothing was thrown";
  } catch (const sg::connection_error& e) {
    EXPECT_EQ(e.context().transport, "http");
    EXPECT_EQ(e.context().operation, "DELETE");
    EXPECT_EQ(e.context().target, host);
    EXPECT_EQ(e.correlation_id(), "order-7");
    EXPECT_THAT(e.what(), HasSubstr("DELETE " + host));
    EXPECT_THAT(e.what(), HasSubstr("Connection refused"));
    EXPECT_THAT(e.what(), Not(HasSubstr("hush")));
    try {
      std::rethrow_if_nested(e);
      FAIL() << "no cause is nested";
    } catch (const http::transfer_error& cause) {
      EXPECT_THAT(cause.what(), HasSubstr("Connection refused"));
    }
  }
}

TEST_F(http_client, tells_a_timeout_by_the_breakers_name_and_the_limit_with_the_context_nested) {
  try {
    (void)client_.send({.url = server_.url("/hang"), .correlation_id = "order-7", .timeout = 50ms});
    FAIL() << "nothing was thrown";
  } catch (const sg::call_timeout_error& e) {
    EXPECT_EQ(e.name(), "payments");
    EXPECT_EQ(e.limit(), 50ms);
    try {
      std::rethrow_if_nested(e);
      FAIL() << "no cause is nested";
    } catch (const sg::connection_error& cause) {
      EXPECT_EQ(cause.context().target, server_.host());
      EXPECT_EQ(cause.correlation_id(), "order-7");
    }
  }
}

TEST_F(http_client, tells_an_invalid_request_without_showing_what_was_in_it) {
  try {
    (void)client_.get("ftp://anna:hush@files.example/hush");
    FAIL() << "nothing was thrown";
  } catch (const http::invalid_request& e) {
    EXPECT_EQ(e.context().target, "files.example:21");
    EXPECT_THAT(e.what(), HasSubstr("protocol"));
    EXPECT_THAT(e.what(), Not(HasSubstr("hush")));
  }
  try {
    (void)client_.send({.url = server_.url("/"), .headers = {{"X-Key", "hush\n"}}});
    FAIL() << "nothing was thrown";
  } catch (const http::invalid_request& e) {
    EXPECT_THAT(e.what(), HasSubstr("X-Key"));
    EXPECT_THAT(e.what(), Not(HasSubstr("hush")));
  }
  EXPECT_TRUE(breaker_.is_closed());
}

TEST_F(http_client, throws_cancelled_error_when_the_caller_gives_up) {
  std::stop_source stop;
  stop.request_stop();
  EXPECT_THROW((void)client_.send({.url = server_.url("/hang"), .stop = stop.get_token()}), sg::cancelled_error);
}

TEST_F(http_client, tells_a_rejection_without_exceptions) {
  breaker_.trip();
  const http::result r = client_.try_send({.url = server_.url("/")});
  EXPECT_FALSE(r);
  EXPECT_TRUE(r.rejected());
  EXPECT_EQ(r.rejection()->reason, sg::rejection_reason::open);
  EXPECT_EQ(r.verdict(), sg::verdict::abandoned);
}

TEST_F(http_client, tells_a_failed_transfer_without_exceptions) {
  const http::result r = client_.try_send({.url = server_.url("/cut")});
  EXPECT_FALSE(r);
  EXPECT_FALSE(r.rejected());
  EXPECT_EQ(r.transfer().ending, http::ending::failed);
  EXPECT_NE(r.transfer().reason, "");
  EXPECT_EQ(r.verdict(), sg::verdict::failure);
}

TEST(http_options, are_refused_with_every_limit_that_is_out_of_range) {
  try {
    const http::transport bad({.connect_timeout = -1ms, .timeout = 25h});
    FAIL() << "nothing was thrown";
  } catch (const sg::config_error& e) {
    ASSERT_EQ(e.problems().size(), 2u);
    EXPECT_EQ(e.problems()[0].key, "connect_timeout");
    EXPECT_EQ(e.problems()[1].key, "timeout");
  }
}

TEST(http_context, is_host_and_port_alone) {
  const auto target = [](const char* url) { return http::describe({.url = url}).target; };
  EXPECT_EQ(target("http://anna:hush@api.example/a?b=c#d"), "api.example:80");
  EXPECT_EQ(target("https://api.example/"), "api.example:443");
  EXPECT_EQ(target("http://[::1]:8080/"), "[::1]:8080");
  EXPECT_EQ(target("api.example:81/x"), "api.example:81");
  EXPECT_EQ(target("http://a b"), "(not a URL)");
}

}  // namespace
