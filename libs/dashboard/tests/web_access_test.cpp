// SPDX-License-Identifier: Apache-2.0
#include "../src/web/access.hpp"

#include <gtest/gtest.h>

#include <string>

namespace sg = switchgear;
namespace detail = switchgear::detail;
using namespace std::chrono_literals;
using judge = detail::access;
using detail::access_rules;
using detail::request_head;
using strings = std::vector<std::string>;

namespace {

const std::string right = "0123456789abcdef";
const std::string bearer = "Bearer " + right;  // a head refers to its values
const strings circuits{"api", "v1", "circuits"};
const strings trip{"api", "v1", "circuits", "payments", "trip"};
const judge::time_point start{1h};

access_rules listening_at(const char* text, std::string token = right) {
  return {.listen = *detail::read_listen_address(text), .token = std::move(token)};
}
const access_rules loopback = listening_at("127.0.0.1:8600");
const access_rules beyond = listening_at("192.0.2.1:8600");

using fields = std::vector<std::pair<std::string_view, std::string_view>>;
request_head get(fields more = {}) {
  more.emplace_back("host", "localhost:8600");
  return {.method = "GET", .fields = std::move(more)};
}
request_head post(fields more = {}) {
  request_head head = get(std::move(more));
  head.method = "POST";
  return head;
}

/// 0 when the request passes.
unsigned status_of(const access_rules& rules, const request_head& head, const strings& path) {
  judge a(rules);
  if (const auto refused = a.refuse_head(head)) return refused->status;
  const auto ruling = a.judge(head, path, start);
  return ruling.refusal ? ruling.refusal->status : 0;
}

unsigned for_host(access_rules rules, std::string_view host, unsigned version = 11) {
  return status_of(rules, {.method = "GET", .version = version, .fields = {{"Host", host}}}, {"healthz"});
}

std::string code_of(const access_rules& rules, const request_head& head, const strings& path = trip) {
  judge a(rules);
  const auto ruling = a.judge(head, path, start);
  return ruling.refusal ? *ruling.refusal->body : std::string();
}

TEST(loopback_addresses, are_127_and_1_also_as_ipv6) {
  for (const char* text : {"127.0.0.1:1", "127.255.255.254:1", "[::1]:1", "[::ffff:127.0.0.1]:1"}) {
    EXPECT_TRUE(detail::is_loopback(detail::read_listen_address(text)->address)) << text;
  }
  for (const char* text : {"0.0.0.0:1", "128.0.0.1:1", "[::]:1", "[::2]:1", "[::ffff:192.0.2.1]:1", "10.127.0.1:1"}) {
    EXPECT_FALSE(detail::is_loopback(detail::read_listen_address(text)->address)) << text;
  }
}

TEST(listen_address, is_an_ip_address_and_a_port) {
  EXPECT_EQ(to_string(*detail::read_listen_address("127.0.0.1:0")), "127.0.0.1:0");
  EXPECT_EQ(to_string(*detail::read_listen_address("[::1]:65535")), "[::1]:65535");
  for (const char* text : {"", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:-1", "127.0.0.1: 1", "localhost:80",
                           "::1:80", "[::1]", "[::1]80", "[127.0.0.1]:80", "127.1:80", ":80", "[]:80"}) {
    EXPECT_FALSE(detail::read_listen_address(text)) << text;
  }
}

TEST(secret_token, is_equal_to_itself_only) {
  const detail::secret_token token(right);
  EXPECT_TRUE(token.equals(right));
  EXPECT_FALSE(token.equals(""));
  EXPECT_FALSE(token.equals(right.substr(1)));
  EXPECT_FALSE(token.equals(right + "x"));
  EXPECT_FALSE(token.equals(right + std::string(1, '\0')));
  EXPECT_FALSE(token.equals("0123456789abcdeF"));
  EXPECT_FALSE(token.equals(right + std::string(10'000, 'x')));
}

TEST(secret_token, of_the_longest_length_is_compared_to_its_end) {
  const std::string longest(detail::longest_token, 'x');
  const detail::secret_token token(longest);
  EXPECT_TRUE(token.equals(longest));
  EXPECT_FALSE(token.equals(longest + "x"));
  EXPECT_FALSE(token.equals(longest.substr(1) + "y"));
}

TEST(secret_token, that_is_not_set_is_equal_to_nothing) { EXPECT_FALSE(detail::secret_token("").equals("")); }

TEST(web_access, takes_the_names_of_loopback_when_it_listens_there) {
  for (const char* host : {"localhost", "LOCALHOST:8600", "127.0.0.1:1", "127.0.0.2", "[::1]:8600", " localhost "}) {
    EXPECT_EQ(for_host(loopback, host), 0u) << host;
  }
}

TEST(web_access, refuses_foreign_names_when_it_listens_on_loopback) {
  for (const char* host : {"evil.example", "localhost.evil.example", "evil.example:8600", "192.0.2.1", "0.0.0.0", "[::2]",
                           "localhost."}) {
    EXPECT_EQ(for_host(loopback, host), 421u) << host;
  }
}

TEST(web_access, refuses_a_host_that_is_none) {
  for (const char* host : {"", "a b", "user@localhost", "localhost:", "localhost:x", "localhost:99999", "[::1", "::1",
                           "[fe80::1%lo]", "localhost/", "localhost,evil"}) {
    EXPECT_EQ(for_host(loopback, host), 400u) << host;
  }
}

TEST(web_access, takes_further_hosts_with_any_port) {
  access_rules rules = loopback;
  rules.hosts = {"Status.example.org"};
  EXPECT_EQ(for_host(rules, "status.example.org"), 0u);
  EXPECT_EQ(for_host(rules, "status.example.org:443"), 0u);
  EXPECT_EQ(for_host(rules, "x.status.example.org"), 421u);
}

TEST(web_access, takes_an_address_among_the_hosts_however_it_is_written) {
  access_rules rules = loopback;
  rules.hosts = {"[2001:DB8:0::1]"};
  EXPECT_EQ(for_host(rules, "[2001:db8::1]:8600"), 0u);
  EXPECT_EQ(for_host(rules, "[2001:db8:0:0:0:0:0:1]"), 0u);
  EXPECT_EQ(for_host(rules, "[2001:db8::2]"), 421u);
}

TEST(web_access, looks_at_the_host_beyond_loopback_only_when_hosts_are_given) {
  access_rules rules = beyond;
  EXPECT_EQ(for_host(rules, "anything.example"), 0u);
  rules.hosts = {"status.example.org"};
  EXPECT_EQ(for_host(rules, "anything.example"), 421u);
  EXPECT_EQ(for_host(rules, "status.example.org"), 0u);
  EXPECT_EQ(for_host(rules, "192.0.2.1:8600"), 0u);
}

TEST(web_access, never_goes_by_the_unspecified_address) {
  access_rules rules = listening_at("0.0.0.0:8600");
  rules.hosts = {"status.example.org"};
  EXPECT_EQ(for_host(rules, "0.0.0.0:8600"), 421u);
}

TEST(web_access, needs_a_host_from_version_1_1_on) {
  EXPECT_EQ(status_of(loopback, {.method = "GET", .version = 11, .fields = {}}, {}), 400u);
  EXPECT_EQ(status_of(loopback, {.method = "GET", .version = 10, .fields = {}}, {}), 0u);
  EXPECT_EQ(for_host(loopback, "evil.example", 10), 421u);
}

TEST(web_access, refuses_fields_that_were_sent_twice) {
  for (const char* name : {"Host", "AUTHORIZATION", "origin", "Content-Length", "sec-fetch-site", "Content-Type"}) {
    const request_head head{.method = "GET", .fields = {{"Host", "localhost"}, {name, "localhost"}, {name, "localhost"}}};
    EXPECT_EQ(status_of(loopback, head, {}), 400u) << name;
  }
  EXPECT_EQ(status_of(loopback, {.method = "GET", .fields = {{"Host", "localhost"}, {"Accept", "a"}, {"Accept", "b"}}}, {}), 0u);
}

TEST(web_access, refuses_bodies_without_a_known_length) {
  EXPECT_EQ(status_of(loopback, get({{"Transfer-Encoding", "chunked"}}), {}), 400u);
}

TEST(web_access, lets_everybody_read_on_loopback) {
  EXPECT_EQ(status_of(loopback, get(), circuits), 0u);
  EXPECT_EQ(status_of(loopback, get({{"Authorization", "Bearer wrong"}}), circuits), 0u);
}

TEST(web_access, needs_the_token_for_reading_beyond_loopback) {
  EXPECT_EQ(status_of(beyond, get(), circuits), 401u);
  EXPECT_EQ(status_of(beyond, get(), {"metrics"}), 401u);
  EXPECT_EQ(status_of(beyond, get(), {"api", "v1", "events"}), 401u);
  EXPECT_EQ(status_of(beyond, get({{"Authorization", "Bearer wrong"}}), circuits), 403u);
  EXPECT_EQ(status_of(beyond, get({{"Authorization", bearer}}), circuits), 0u);
}

TEST(web_access, shows_beyond_loopback_what_is_public) {
  for (const strings& path : {strings{}, strings{"assets", "page.js"}, strings{"healthz"}, strings{"readyz"},
                              strings{"api", "v1", "session"}, strings{"api", "v1", "openapi.json"}}) {
    EXPECT_EQ(status_of(beyond, get(), path), 0u);
    EXPECT_EQ(status_of(beyond, get({{"Authorization", "Bearer wrong"}}), path), 0u);
  }
  EXPECT_EQ(status_of(beyond, get(), {"api", "v1", "session", ""}), 401u);
}

TEST(web_access, needs_no_token_for_reading_when_something_in_front_decides) {
  EXPECT_EQ(status_of(listening_at("192.0.2.1:8600", ""), get(), circuits), 0u);
}

TEST(web_access, needs_the_token_for_actions_on_loopback_too) {
  EXPECT_EQ(status_of(loopback, post(), trip), 401u);
  EXPECT_EQ(status_of(loopback, post({{"Authorization", "Bearer wrong"}}), trip), 403u);
  EXPECT_EQ(status_of(loopback, post({{"Authorization", "bearer  0123456789abcdef "}}), trip), 0u);
  EXPECT_NE(code_of(loopback, post()).find("token_missing"), std::string::npos);
  EXPECT_NE(code_of(loopback, post({{"Authorization", "Bearer wrong"}})).find("token_wrong"), std::string::npos);
}

TEST(web_access, takes_another_scheme_for_no_token) {
  EXPECT_EQ(status_of(loopback, post({{"Authorization", "Basic 0123456789abcdef"}}), trip), 401u);
  EXPECT_EQ(status_of(loopback, post({{"Authorization", "Bearer0123456789abcdef"}}), trip), 401u);
  EXPECT_EQ(status_of(loopback, post({{"Authorization", ""}}), trip), 401u);
  EXPECT_EQ(status_of(loopback, post({{"Authorization", "Bearer"}}), trip), 403u);
}

TEST(web_access, lets_nobody_act_without_a_token_of_its_own) {
  const auto without = listening_at("127.0.0.1:8600", "");
  EXPECT_NE(code_of(without, post({{"Authorization", "Bearer "}})).find("read_only"), std::string::npos);
}

TEST(web_access, lets_nobody_act_when_it_is_read_only) {
  access_rules rules = loopback;
  rules.read_only = true;
  const request_head head = post({{"Authorization", bearer}});
  EXPECT_EQ(status_of(rules, head, trip), 403u);
  EXPECT_NE(code_of(rules, head).find("read_only"), std::string::npos);
}

TEST(web_access, takes_actions_from_its_own_page_only) {
  const auto from = [&](const char* field, const char* value) {
    return status_of(loopback, post({{"Authorization", bearer}, {field, value}}), trip);
  };
  EXPECT_EQ(from("Origin", "http://localhost:8600"), 0u);
  for (const char* origin : {"http://localhost", "http://localhost:8601", "http://evil.example:8600",
                             "null", "", "localhost:8600", "ftp://localhost:8600",
                             "http://localhost:8600/x", "http://localhost:8600@evil.example"}) {
    EXPECT_EQ(from("Origin", origin), 403u) << origin;
  }
  EXPECT_EQ(from("Sec-Fetch-Site", "same-origin"), 0u);
  EXPECT_EQ(from("Sec-Fetch-Site", "none"), 0u);
  for (const char* site : {"same-site", "cross-site", ""}) EXPECT_EQ(from("Sec-Fetch-Site", site), 403u) << site;
}

TEST(web_access, compares_origins_with_the_usual_port_of_their_scheme) {
  const auto host = detail::read_authority("status.example.org");
  EXPECT_TRUE(detail::is_same_site("https://Status.example.org", *host));
  EXPECT_TRUE(detail::is_same_site("https://status.example.org:443", *host));
  EXPECT_FALSE(detail::is_same_site("https://status.example.org:80", *host));
  EXPECT_TRUE(detail::is_same_site("http://[::1]:8600", *detail::read_authority("[::1]:8600")));
}

TEST(web_access, says_who_may_act) {
  judge a(loopback);
  EXPECT_FALSE(a.judge(get(), circuits, start).may_act);
  EXPECT_FALSE(a.judge(get({{"Authorization", "Bearer wrong"}}), circuits, start).knows_token);
  const auto ruling = a.judge(get({{"Authorization", bearer}}), circuits, start);
  EXPECT_TRUE(ruling.knows_token);
  EXPECT_TRUE(ruling.may_act);
  const auto foreign = a.judge(get({{"Authorization", bearer}, {"Origin", "http://evil.example"}}), circuits, start);
  EXPECT_TRUE(foreign.knows_token);
  EXPECT_FALSE(foreign.may_act);
}

TEST(web_access, slows_down_who_tries_tokens_but_not_who_knows_it) {
  judge a(loopback);
  const request_head wrong = post({{"Authorization", "Bearer wrong"}});
  const request_head good = post({{"Authorization", bearer}});
  for (int i = 0; i < judge::wrong_tokens_per_second; ++i) EXPECT_EQ(a.judge(wrong, trip, start).refusal->status, 403u);
  const auto slowed = a.judge(wrong, trip, start);
  EXPECT_EQ(slowed.refusal->status, 429u);
  EXPECT_EQ(slowed.refusal->headers.front(), (std::pair<std::string, std::string>{"Retry-After", "1"}));
  EXPECT_EQ(a.judge(get({{"Authorization", "Bearer wrong"}}), circuits, start).refusal->status, 429u);
  EXPECT_FALSE(a.judge(good, trip, start).refusal);
  EXPECT_FALSE(a.judge(get(), circuits, start).refusal);
  EXPECT_EQ(a.judge(wrong, trip, start + 1s).refusal->status, 403u);
}

}  // namespace
