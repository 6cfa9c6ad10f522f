// SPDX-License-Identifier: Apache-2.0
#include <switchgear/dashboard.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>

namespace sg = switchgear;
using namespace std::chrono_literals;

namespace {

const std::string token = "0123456789abcdef";

/// The keys of the problems, in their order.
std::vector<std::string> wrong(const sg::dashboard_options& o) {
  std::vector<std::string> keys;
  for (const sg::problem& p : o.validate()) keys.push_back(p.key);
  return keys;
}
using keys = std::vector<std::string>;

TEST(dashboard_options, are_good_as_they_are) { EXPECT_EQ(wrong({}), keys{}); }

TEST(dashboard_options, listen_at_an_address_in_numbers) {
  EXPECT_EQ(wrong({.listen = "[::1]:0"}), keys{});
  for (const char* text : {"", "localhost:80", "127.0.0.1", ":80", "127.0.0.1:70000", "::1:80"}) {
    EXPECT_EQ(wrong({.listen = text}), keys{"listen"}) << text;
  }
}

TEST(dashboard_options, need_a_token_or_something_in_front_beyond_loopback) {
  for (const char* text : {"0.0.0.0:80", "[::]:80", "192.0.2.1:80"}) {
    const auto problems = sg::dashboard_options{.listen = text}.validate();
    ASSERT_EQ(problems.size(), 1u) << text;
    EXPECT_EQ(problems[0].key, "listen");
    EXPECT_NE(problems[0].message.find("`token`"), std::string::npos);
    EXPECT_NE(problems[0].message.find("`tls_in_front`"), std::string::npos);
    EXPECT_EQ(wrong({.listen = text, .token = token}), keys{});
    EXPECT_EQ(wrong({.listen = text, .tls_in_front = true}), keys{});
  }
}

TEST(dashboard_options, take_tokens_of_16_to_256_visible_characters_and_show_none) {
  EXPECT_EQ(wrong({.token = token}), keys{});
  EXPECT_EQ(wrong({.token = std::string(256, 'x')}), keys{});
  for (const std::string& bad : {token.substr(1), std::string(257, 'x'), token + " ", token + "\n", token + "\xc3\xb6"}) {
    const auto problems = sg::dashboard_options{.token = bad}.validate();
    ASSERT_EQ(problems.size(), 1u);
    EXPECT_EQ(to_string(problems[0]).find(bad), std::string::npos);
  }
}

TEST(dashboard_options, have_ranges) {
  EXPECT_EQ(wrong({.refresh = 100ms, .max_connections = 1, .client_timeout = 100ms}), keys{});
  EXPECT_EQ(wrong({.refresh = 1min, .max_connections = 100'000, .client_timeout = 1h}), keys{});
  EXPECT_EQ(wrong({.refresh = 99ms, .max_connections = 0, .client_timeout = 99ms}),
            (keys{"refresh", "max_connections", "client_timeout"}));
  EXPECT_EQ(wrong({.refresh = 61s, .max_connections = 100'001, .client_timeout = 61min}),
            (keys{"refresh", "max_connections", "client_timeout"}));
  EXPECT_EQ(wrong({.max_connections = SIZE_MAX}), keys{"max_connections"});
}

TEST(dashboard_options, take_names_of_hosts_without_anything_around) {
  EXPECT_EQ(wrong({.hosts = {"status.example.org", "192.0.2.1", "[2001:db8::1]"}}), keys{});
  for (const char* text : {"", "https://status.example.org", "status.example.org:443", "a/b", "a b", "*.example.org"}) {
    EXPECT_EQ(wrong({.hosts = {text}}), keys{"hosts"}) << text;
  }
}

TEST(dashboard_options, tell_every_problem_at_once) {
  EXPECT_EQ(wrong({.listen = "x", .token = "x", .critical = {""}, .title = "a\nb", .collectables = {nullptr}}),
            (keys{"listen", "token", "critical", "title", "collectables"}));
}

TEST(make_token, makes_good_tokens_that_differ) {
  std::set<std::string> seen;
  for (int i = 0; i < 100; ++i) {
    const std::string made = sg::make_token();
    EXPECT_EQ(made.size(), 43u);
    EXPECT_EQ(wrong({.token = made}), keys{});
    seen.insert(made);
  }
  EXPECT_EQ(seen.size(), 100u);
}

}  // namespace
