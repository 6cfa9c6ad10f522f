// SPDX-License-Identifier: Apache-2.0
#include "http_stub.hpp"
#include "test_server.hpp"

#include <switchgear/http/exchange.hpp>

#include <gtest/gtest.h>

namespace {

namespace sg = switchgear;
using namespace std::chrono_literals;

struct http_exchange : testing::Test {
  http_test::test_server server;
  sg::http::transport transport{{.timeout = 10s, .environment_proxy = false}};
  sg::error_context context{"consul", "get", "consul.dc1"};

  sg::http::response ask(const sg::http::request& r, std::size_t most = 1000) {
    return sg::http::exchange(transport, r, most, context, "consul.dc1");
  }
};

TEST_F(http_exchange, returns_a_response_of_any_status) {
  const auto r = ask({.url = server.url("/status/503")});
  EXPECT_EQ(r.status, 503);
  EXPECT_EQ(r.body, "told");
}

TEST_F(http_exchange, takes_a_reply_of_just_the_allowed_length) {
  EXPECT_EQ(ask({.url = server.url("/large/1000")}).body.size(), 1000u);
}

TEST_F(http_exchange, ends_a_reply_that_is_too_long) {
  EXPECT_THROW((void)ask({.url = server.url("/large/1001")}), sg::http::malformed_reply);
}

TEST_F(http_exchange, says_what_libcurl_says_of_a_broken_connection) {
  EXPECT_THROW((void)ask({.url = server.url("/cut")}), sg::http::transfer_error);
}

TEST_F(http_exchange, takes_bytes_that_are_no_http_for_the_fault_of_the_server) {
  test_support::http_stub other{[](const auto&) -> test_support::http_response {
    return {.body = "SSH-2.0-OpenSSH_9.2\r\n", .does = test_support::http_response::behaviour::garbage};
  }};
  EXPECT_THROW((void)ask({.url = other.url()}), sg::http::transfer_error);
  EXPECT_EQ(transport.send({.url = other.url()}).ending, sg::http::ending::failed);
  EXPECT_EQ(transport.send({.url = "ftp://127.0.0.1/"}).ending, sg::http::ending::invalid);
}

TEST_F(http_exchange, never_sends_again_by_itself_what_may_change_something) {
  using does = test_support::http_response::behaviour;
  for (const char* method : {"PUT", "POST", "DELETE", "PATCH"}) {
    test_support::answer_instead next;
    next = {.status = 200};
    test_support::http_stub other{[&](const auto&) { return next.get().value(); }};
    (void)ask({.url = other.url()});  // leaves an open connection behind, which libcurl takes for the next request
    next = {.does = does::drop};
    EXPECT_THROW((void)ask({.method = method, .url = other.url()}), sg::http::transfer_error) << method;
    EXPECT_EQ(other.requests().size(), 2u) << method;
  }
}

TEST_F(http_exchange, takes_a_missing_file_of_authorities_for_a_mistake_of_the_caller) {
  test_support::http_stub other{[](const auto&) -> test_support::http_response { return {}; }};
  sg::http::transport strict{{.timeout = 10s, .environment_proxy = false, .certificate_authorities = "/nonexistent/ca.pem"}};
  const sg::http::request r{.url = "https://" + other.host()};
  EXPECT_THROW((void)sg::http::exchange(strict, r, 1000, context, "consul.dc1"), sg::http::invalid_request);
}

TEST_F(http_exchange, nests_the_context_in_a_timeout) {
  try {
    (void)ask({.url = server.url("/hang"), .timeout = 20ms});
    FAIL();
  } catch (const sg::call_timeout_error& e) {
    EXPECT_EQ(e.name(), "consul.dc1");
    EXPECT_THROW(std::rethrow_if_nested(e), sg::connection_error);
  }
}

TEST_F(http_exchange, tells_the_wish_of_the_caller_and_his_mistakes_apart) {
  std::stop_source stop;
  stop.request_stop();
  EXPECT_THROW((void)ask({.url = server.url("/hang"), .stop = stop.get_token()}), sg::cancelled_error);
  EXPECT_THROW((void)ask({.url = server.url("/echo"), .headers = {{"X-A", "a\r\nb"}}}), sg::http::invalid_request);
}

TEST(percent_encoding, leaves_only_what_a_url_may_hold) {
  EXPECT_EQ(sg::http::percent_encode("a b/ü?#%&~"), "a%20b%2F%C3%BC%3F%23%25%26~");
  EXPECT_EQ(sg::http::percent_encode("config/a b", true), "config/a%20b");
  EXPECT_EQ(sg::http::percent_encode(std::string_view("\0", 1)), "%00");
}

TEST(nesting, counts_brackets_outside_of_texts) {
  EXPECT_FALSE(sg::http::nests_deeper_than(R"({"a": [1, 2], "b": [[]]})", 3));
  EXPECT_TRUE(sg::http::nests_deeper_than(R"({"a": [1, 2], "b": [[]]})", 2));
  EXPECT_FALSE(sg::http::nests_deeper_than(R"(["[[[[\"[[[["])", 1));
  EXPECT_TRUE(sg::http::nests_deeper_than(std::string(100'000, '['), 64));
}

TEST(plain_paths, keep_their_place) {
  for (const char* good : {"a", "config/app", "config/app/", "a b", ".hidden/..a"})
    EXPECT_TRUE(sg::http::is_plain_path(good)) << good;
  for (const char* bad : {"", "/", "/a", "a//b", "../a", "a/..", "a/./b", "a//", "a\nb"})
    EXPECT_FALSE(sg::http::is_plain_path(bad)) << bad;
}

TEST(addresses, are_a_scheme_a_host_and_a_port) {
  for (const char* good : {"http://127.0.0.1:8500", "https://vault.internal", "http://[::1]:8200", "https://a.example/consul"}) {
    EXPECT_FALSE(sg::http::problem_of_address(good)) << good;
  }
  for (const char* bad :
       {"", "127.0.0.1:8500", "unix:///run/consul", "http://", "http://u:hunter2@a", "http://a?x", "http://a b"}) {
    const auto problem = sg::http::problem_of_address(bad);
    ASSERT_TRUE(problem) << bad;
    EXPECT_EQ(to_string(*problem).find("hunter2"), std::string::npos);
  }
}

}  // namespace
