// SPDX-License-Identifier: Apache-2.0
#include "../src/replies.hpp"

#include <switchgear/http/exchange.hpp>

#include <gtest/gtest.h>

namespace {

namespace sg = switchgear;
namespace detail = switchgear::vault::detail;

TEST(vault_replies, are_refused_when_they_are_not_as_documented) {
  for (const std::string& bad :
       {std::string(), std::string("null"), std::string("[]"), std::string("{}"), std::string("{\"data\": 1}"),
        std::string("{\"auth\": null}"), std::string("{"), std::string("\xff"), std::string(1'000'000, '[')}) {
    EXPECT_THROW((void)detail::read_login(bad), sg::http::malformed_reply);
    EXPECT_THROW((void)detail::read_secret(bad), sg::http::malformed_reply);
    EXPECT_THROW((void)detail::read_version(bad), sg::http::malformed_reply);
    EXPECT_THROW((void)detail::read_keys(bad), sg::http::malformed_reply);
    EXPECT_THROW((void)detail::read_lease(bad), sg::http::malformed_reply);
    EXPECT_THROW((void)detail::read_token_lease(bad), sg::http::malformed_reply);
    EXPECT_THROW((void)detail::read_health(200, bad), sg::http::malformed_reply);
    EXPECT_FALSE(detail::says(bad, "sealed"));
    EXPECT_FALSE(detail::has_errors(bad));
  }
}

TEST(vault_replies, may_not_smuggle_a_line_break_into_the_token) {
  const auto login = [](const std::string& token) {
    return R"({"auth": {"client_token": ")" + token + R"(", "lease_duration": 60, "renewable": true}})";
  };
  EXPECT_EQ(detail::read_login(login("hvs.a")).token, "hvs.a");
  EXPECT_THROW((void)detail::read_login(login("")), sg::http::malformed_reply);
  EXPECT_THROW((void)detail::read_login(login("a\\r\\nX-B: c")), sg::http::malformed_reply);
}

TEST(vault_replies, have_leases_of_a_sensible_length) {
  EXPECT_EQ(detail::read_lease(R"({"lease_duration": 2764800, "renewable": false})").duration, std::chrono::hours(768));
  EXPECT_THROW((void)detail::read_lease(R"({"lease_duration": -1, "renewable": false})"), sg::http::malformed_reply);
  EXPECT_THROW((void)detail::read_lease(R"({"lease_duration": 9223372036854775808, "renewable": false})"),
               sg::http::malformed_reply);
}

TEST(vault_replies, may_not_have_data_of_a_secret_that_is_not_found) {
  EXPECT_FALSE(detail::read_missing_secret(R"({"errors": []})"));
  EXPECT_THROW((void)detail::read_missing_secret(
                   R"({"data": {"data": {}, "metadata": {"version": 1, "created_time": "", "destroyed": false}}})"),
               sg::http::malformed_reply);
}

TEST(vault_replies, may_not_contradict_their_status) {
  EXPECT_THROW((void)detail::read_health(503, R"({"initialized": true, "sealed": false})"), sg::http::malformed_reply);
  EXPECT_THROW((void)detail::read_health(200, R"({"initialized": true, "sealed": true})"), sg::http::malformed_reply);
  EXPECT_THROW((void)detail::read_health(204, R"({"initialized": true, "sealed": false})"), sg::http::malformed_reply);
}

}  // namespace
