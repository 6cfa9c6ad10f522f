// SPDX-License-Identifier: Apache-2.0
#include "test_server.hpp"

#include <switchgear/http/client.hpp>

#include <gtest/gtest.h>

// The example of the README, as it stands there.
namespace sg = switchgear;
using namespace std::chrono_literals;

namespace {

std::string receipt(sg::http::client& client, const std::string& url) {
  try {
    sg::http::response r = client.get(url);
    return r.ok() ? r.body : "status " + std::to_string(r.status);
  } catch (const sg::circuit_open_error&) {
    return "later";  // nothing was sent
  } catch (const sg::call_timeout_error&) {
    return "too slow";  // the transfer was ended
  } catch (const sg::connection_error& e) {
    return e.context().target + " cannot be reached";
  }
}

TEST(http_readme, shows_what_a_caller_meets) {
  http_test::test_server server;
  const http_test::bound_socket nobody(-1);

  sg::circuit_breaker payments{"payments", {.failure_threshold = 3, .open_duration = 30s}};
  sg::http::client client{payments, {.connect_timeout = 250ms, .timeout = 2s}};

  EXPECT_EQ(receipt(client, server.url("/status/200")), "told");
  EXPECT_EQ(receipt(client, server.url("/status/404")), "status 404");
  EXPECT_EQ(receipt(client, nobody.url("/")), "127.0.0.1:" + std::to_string(nobody.port) + " cannot be reached");
  EXPECT_EQ(receipt(client, server.url("/status/503")), "status 503");
  EXPECT_EQ(receipt(client, server.url("/hang")), "too slow");
  EXPECT_EQ(receipt(client, server.url("/status/200")), "later");
}

}  // namespace
