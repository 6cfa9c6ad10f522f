// SPDX-License-Identifier: Apache-2.0
#include "web_support.hpp"

#include <switchgear/dashboard.hpp>

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sg = switchgear;
using web_test::client;
using web_test::request;

namespace {

/// No circuits.
class nothing final : public sg::circuit_source {
 public:
  std::vector<sg::circuit_reading> read() override { return {}; }
  std::optional<sg::circuit_detail> detail(std::string_view, std::string_view) override { return std::nullopt; }
  sg::action_outcome act(const sg::circuit_action&) override { return {sg::action_outcome::kind::unknown, {}}; }
  sg::subscription observe(std::function<void(const sg::event&)>) override { return {}; }
};

std::shared_ptr<sg::circuit_source> circuits() { return std::make_shared<nothing>(); }

TEST(dashboard, tells_the_port_that_it_got) {
  const sg::dashboard page{circuits(), {.listen = "127.0.0.1:0"}};
  EXPECT_NE(page.port(), 0);
  EXPECT_EQ(page.url(), "http://127.0.0.1:" + std::to_string(page.port()) + "/");
  EXPECT_EQ(page.url_with_token(), page.url());
}

TEST(dashboard, puts_the_token_where_no_browser_sends_it_on) {
  const sg::dashboard page{circuits(), {.listen = "127.0.0.1:0", .token = "0123456789abcde/"}};
  EXPECT_EQ(page.url_with_token(), page.url() + "#token=0123456789abcde%2F");
}

TEST(dashboard, listens_at_ipv6_too) {
  try {
    const sg::dashboard page{circuits(), {.listen = "[::1]:0"}};
    EXPECT_EQ(page.url(), "http://[::1]:" + std::to_string(page.port()) + "/");
  } catch (const sg::listen_error& e) {
    GTEST_SKIP() << "this host has no IPv6: " << e.what();
  }
}

TEST(dashboard, names_an_address_to_go_to_when_it_listens_at_all) {
  const sg::dashboard page{circuits(), {.listen = "0.0.0.0:0", .tls_in_front = true}};
  EXPECT_EQ(page.url(), "http://127.0.0.1:" + std::to_string(page.port()) + "/");
}

TEST(dashboard, answers_and_counts) {
  const sg::dashboard page{circuits(), {.listen = "127.0.0.1:0"}};
  client c(page.port());
  EXPECT_EQ(c.ask(request("GET /healthz")).status, 200);
  EXPECT_EQ(c.ask(request("POST /api/v1/circuits/x/trip")).status, 403);
  const sg::dashboard_metrics m = page.metrics();
  EXPECT_EQ(m.requests, 2u);
  EXPECT_EQ(m.refused, 1u);
  EXPECT_EQ(m.connections, 1u);
  EXPECT_EQ(m.open_connections, 1u);
}

TEST(dashboard, refuses_bad_options_and_no_source) {
  EXPECT_THROW((sg::dashboard{circuits(), {.listen = "nowhere"}}), sg::config_error);
  EXPECT_THROW((sg::dashboard{circuits(), {.listen = "0.0.0.0:0"}}), sg::config_error);
  EXPECT_THROW((sg::dashboard{std::shared_ptr<sg::circuit_source>(), {.listen = "127.0.0.1:0"}}), sg::config_error);
}

TEST(dashboard, says_which_address_is_taken_and_what_to_do) {
  const sg::dashboard first{circuits(), {.listen = "127.0.0.1:0"}};
  const std::string taken = "127.0.0.1:" + std::to_string(first.port());
  try {
    const sg::dashboard second{circuits(), {.listen = taken}};
    FAIL() << "two listen at " << taken;
  } catch (const sg::listen_error& e) {
    EXPECT_NE(std::string(e.what()).find(taken), std::string::npos) << e.what();
    EXPECT_NE(std::string(e.what()).find("another port"), std::string::npos) << e.what();
  }
}

}  // namespace
