// SPDX-License-Identifier: Apache-2.0
#include "../src/base64.hpp"
#include "../src/replies.hpp"

#include <switchgear/http/exchange.hpp>

#include <gtest/gtest.h>

namespace {

namespace sg = switchgear;
namespace detail = switchgear::consul::detail;

TEST(base64, is_decoded_as_in_rfc_4648) {
  EXPECT_EQ(detail::decode_base64(""), "");
  EXPECT_EQ(detail::decode_base64("Zg=="), "f");
  EXPECT_EQ(detail::decode_base64("Zm8="), "fo");
  EXPECT_EQ(detail::decode_base64("Zm9v"), "foo");
  EXPECT_EQ(detail::decode_base64("Zm9vYmFy"), "foobar");
  EXPECT_EQ(detail::decode_base64("+/+/"), "\xfb\xff\xbf");
}

TEST(base64, is_refused_when_it_is_anything_else) {
  for (const char* bad : {"Z", "Zg", "Zg=", "Zg==Zg==", "Zm9v\n", "Zm 9", "=m9v", "Zh==", "Zm9=", "====", "Zm9-", "Z==="}) {
    EXPECT_EQ(detail::decode_base64(bad), std::nullopt) << bad;
  }
}

TEST(consul_replies, may_have_null_where_go_has_nothing) {
  const auto found = detail::read_nodes(
      R"([{"Node": "n", "Address": "10.0.0.1", "ServiceID": "a", "ServiceName": "a", "ServiceAddress": "", "ServicePort": 0,
           "ServiceTags": null, "ServiceMeta": null, "Other": [1]}])");
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].address, "10.0.0.1") << "that of the node";
}

TEST(consul_replies, are_refused_when_they_are_not_as_documented) {
  for (const char* bad : {"", "null", "{}", "[1]", "[{}]", R"([{"Key": "a"}])", "[", "\xff",
                          R"([{"Key": 1, "Value": null, "CreateIndex": 1, "ModifyIndex": 1, "Flags": 0}])",
                          R"([{"Key": "a", "Value": "x", "CreateIndex": 1, "ModifyIndex": 1, "Flags": 0}])",
                          R"([{"Key": "a", "Value": null, "CreateIndex": -1, "ModifyIndex": 1, "Flags": 0}])",
                          R"([{"Key": "a", "Value": null, "CreateIndex": 1.5, "ModifyIndex": 1, "Flags": 0}])"}) {
    EXPECT_THROW((void)detail::read_entries(bad), sg::http::malformed_reply) << bad;
    EXPECT_THROW((void)detail::read_boolean(bad), sg::http::malformed_reply) << bad;
    EXPECT_THROW((void)detail::read_nodes(bad), sg::http::malformed_reply) << bad;
    EXPECT_THROW((void)detail::read_health(bad), sg::http::malformed_reply) << bad;
  }
  EXPECT_THROW((void)detail::read_services("[]"), sg::http::malformed_reply);
  EXPECT_THROW((void)detail::read_services(R"({"a": "b"})"), sg::http::malformed_reply);
  EXPECT_THROW((void)detail::read_entries(std::string(1'000'000, '[')), sg::http::malformed_reply);
}

TEST(consul_replies, tell_a_service_by_the_worst_of_its_checks) {
  const std::string before =
      R"([{"Node": {"Node": "n", "Address": "10.0.0.1"}, "Service": {"ID": "a", "Service": "a", "Address": "10.0.0.2",
      "Port": 80, "Tags": []}, "Checks": )";
  using sg::consul::health;
  EXPECT_EQ(detail::read_health(before + R"([{"Status": "passing"}, {"Status": "warning"}]}])")[0].health, health::warning);
  EXPECT_EQ(detail::read_health(before + R"([{"Status": "critical"}, {"Status": "warning"}]}])")[0].health, health::critical);
  EXPECT_EQ(detail::read_health(before + "null}]")[0].health, health::passing);
  EXPECT_THROW((void)detail::read_health(before + R"([{"Status": "splendid"}]}])"), sg::http::malformed_reply);
}

}  // namespace
