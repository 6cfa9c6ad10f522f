// SPDX-License-Identifier: Apache-2.0
#include "web_support.hpp"

#include <gtest/gtest.h>

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <list>
#include <mutex>
#include <thread>

using namespace std::chrono_literals;
using web_test::answer;
using web_test::becomes_true;
using web_test::client;
using web_test::request;
using web_test::site;
using web_test::with_token;

namespace {

int status_of(const site& s, std::string_view bytes) {
  client c(s.port());
  return c.send(bytes) ? c.read_answer().status : 0;
}

TEST(web_limits, malformed_requests_are_told_so_and_the_connection_ends) {
  site s;
  for (const std::string& bytes :
       {std::string("GARBAGE\r\n\r\n"), std::string("GET /hello\r\n\r\n"), std::string("GET /hello HTTP/2.0\r\n\r\n"),
        std::string("GET /hello HTTP/1.1\r\nHost localhost\r\n\r\n"),
        std::string("GET /hello HTTP/1.1\r\nHo st: localhost\r\n\r\n"),
        std::string("GET  /hello HTTP/1.1\r\n\r\n"), std::string("\x16\x03\x01\x02\x00\x01\r\n\r\n", 10),
        request("GET /hello", "Content-Length: -1\r\n"), request("GET /hello", "Content-Length: 1, 2\r\n"),
        request("GET /hello", "Content-Length: 99999999999999999999\r\n"),
        std::string("GET /hello HTTP/1.1\r\nHost: a\nb\r\n\r\n")}) {
    client c(s.port());
    ASSERT_TRUE(c.send(bytes));
    const answer a = c.read_answer();
    EXPECT_EQ(a.status, 400) << bytes;
    EXPECT_EQ(a.field("Connection"), "close") << bytes;
    EXPECT_NE(a.body.find("\"bad_request\""), std::string::npos) << a.body;
  }
  EXPECT_EQ(s.asked(), 0);
  EXPECT_EQ(s.refused(), 11u);
}

TEST(web_limits, requests_that_could_be_read_in_two_ways_are_refused) {
  site s;
  EXPECT_EQ(status_of(s, request("GET /hello", "Host: localhost\r\n")), 400);
  EXPECT_EQ(status_of(s, request("POST /echo", with_token + with_token, "x")), 400);
  EXPECT_EQ(status_of(s, request("POST /echo", with_token + "Content-Length: 1\r\n", "x")), 400);
  EXPECT_EQ(status_of(s, request("POST /echo", with_token + "Transfer-Encoding: chunked\r\n") + "0\r\n\r\n"), 400);
  const std::string both = with_token + "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n";
  EXPECT_EQ(status_of(s, request("POST /echo", both) + "0\r\n\r\n"), 400);
  EXPECT_EQ(s.asked(), 0);
}

TEST(web_limits, other_methods_are_told_which_there_are) {
  site s;
  for (const char* method : {"OPTIONS", "PUT", "DELETE", "TRACE", "PATCH", "PROPFIND", "WHATEVER"}) {
    const answer a = client(s.port()).ask(request(std::string(method) + " /hello"));
    EXPECT_EQ(a.status, 405) << method;
    EXPECT_EQ(a.field("Allow"), "GET, HEAD, POST") << method;
  }
  EXPECT_EQ(status_of(s, request("CONNECT localhost:80")), 405);
  EXPECT_EQ(status_of(s, request("OPTIONS *")), 405);
  const answer a = client(s.port()).ask(request("POST /assets/page.js", with_token));
  EXPECT_EQ(a.status, 405);
  EXPECT_EQ(a.field("Allow"), "GET, HEAD");
}

TEST(web_limits, paths_lead_to_nothing_outside) {
  site s;
  for (const char* path : {"/assets/../x", "/assets/%2e%2e/x", "/../etc/passwd", "/assets/..%00", "/%zz",
                           "http://localhost/hello"}) {
    EXPECT_EQ(status_of(s, request(std::string("GET ") + path)), 400) << path;
  }
  EXPECT_EQ(s.asked(), 0);
  for (const char* path : {"/assets//page.js", "/assets%2Fpage.js", "//assets/page.js", "/assets/page.js/", "/ASSETS/page.js"}) {
    EXPECT_EQ(status_of(s, request(std::string("GET ") + path)), 404) << path;
  }
}

TEST(web_limits, who_must_not_is_refused) {
  site s;
  const std::string body = "{}";
  EXPECT_EQ(status_of(s, "GET /hello HTTP/1.1\r\nHost: evil.example\r\n\r\n"), 421);
  EXPECT_EQ(status_of(s, "GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n"), 421);
  EXPECT_EQ(status_of(s, request("POST /echo", "", body)), 401);
  EXPECT_EQ(status_of(s, request("POST /echo", "Authorization: Bearer something else\r\n", body)), 403);
  EXPECT_EQ(status_of(s, request("POST /echo", with_token + "Origin: http://evil.example\r\n", body)), 403);
  EXPECT_EQ(status_of(s, request("POST /echo", with_token + "Sec-Fetch-Site: cross-site\r\n", body)), 403);
  EXPECT_EQ(s.asked(), 0);
  EXPECT_EQ(status_of(s, request("POST /echo", with_token + "Origin: http://localhost\r\n", body)), 200);
}

TEST(web_limits, who_tries_tokens_is_told_to_come_later_and_who_knows_it_is_not) {
  site s;
  client guesser(s.port());
  constexpr int guesses = 200;  // in one go, so that no slow machine gives them time
  std::string all;
  for (int i = 0; i < guesses; ++i) all += request("GET /hello", "Authorization: Bearer guess\r\n");
  ASSERT_TRUE(guesser.send(all));
  int slowed = 0;
  for (int i = 0; i < guesses; ++i) slowed += guesser.read_answer().status == 429 ? 1 : 0;
  EXPECT_GT(slowed, 0);
  EXPECT_EQ(status_of(s, request("POST /echo", with_token, "x")), 200);
}

TEST(web_limits, headers_are_too_large_from_16_kib_on) {
  site s;
  const std::string padding(16 * 1024, 'x');
  EXPECT_EQ(status_of(s, request("GET /hello", "X-Padding: " + padding.substr(0, 16'000) + "\r\n")), 200);
  EXPECT_EQ(status_of(s, request("GET /hello", "X-Padding: " + padding + "\r\n")), 431);
  EXPECT_EQ(status_of(s, "GET /" + padding), 431);
  EXPECT_EQ(status_of(s, request("GET /" + padding.substr(0, 4'000), "X-Padding: " + padding.substr(0, 13'000) + "\r\n")), 431);
  std::string many;
  for (int i = 0; i < 2'000; ++i) many += "X-Many: 1\r\n";
  EXPECT_EQ(status_of(s, request("GET /hello", many)), 431);
  EXPECT_EQ(status_of(s, request("GET /" + padding.substr(0, 5'000))), 400);
}

TEST(web_limits, bodies_are_too_large_from_16_kib_on) {
  site s;
  const std::string body(16 * 1024, 'x');
  EXPECT_EQ(status_of(s, request("POST /echo", with_token, body)), 200);
  const answer a = client(s.port()).ask(request("POST /echo", with_token, body + "x"));
  EXPECT_EQ(a.status, 413);
  EXPECT_NE(a.body.find("\"too_large\""), std::string::npos);
  EXPECT_EQ(status_of(s, request("POST /echo", with_token + "Content-Length: 1000000000000\r\n")), 413);
}

TEST(web_limits, a_refusal_arrives_though_the_body_was_not_read) {
  site s;
  client c(s.port());
  (void)c.send(request("POST /echo", "", std::string(200'000, 'x')));
  EXPECT_EQ(c.read_answer().status, 413);
  EXPECT_TRUE(c.is_closed_by_the_other_side());
}

TEST(web_limits, a_request_has_one_deadline_however_its_bytes_come) {
  site s({.client_timeout = 300ms});
  for (const std::string& begun : {std::string("G"), request("POST /echo", with_token + "Content-Length: 10000\r\n")}) {
    client c(s.port());
    ASSERT_TRUE(c.send(begun));
    std::jthread trickle([&](const std::stop_token& stop) {
      while (!stop.stop_requested() && c.send("x")) std::this_thread::sleep_for(20ms);
    });
    const answer a = c.read_answer();
    EXPECT_EQ(a.status, 408);
    EXPECT_NE(a.body.find("\"too_slow\""), std::string::npos);
    EXPECT_TRUE(c.is_closed_by_the_other_side());
  }
  EXPECT_EQ(s.slow_clients(), 2u);
  EXPECT_EQ(s.asked(), 0);
}

TEST(web_limits, an_answer_has_to_be_taken_in_time) {
  site s({.client_timeout = 200ms});
  client c(s.port(), 4'096);
  ASSERT_TRUE(c.send(request("GET /large/50000000")));
  EXPECT_TRUE(becomes_true([&] { return s.slow_clients() == 1 && s.open_connections() == 0; }));
}

TEST(web_limits, who_does_not_leave_after_a_refusal_is_left) {
  site s({.client_timeout = 200ms});
  client c(s.port());
  ASSERT_EQ(c.ask("GARBAGE\r\n\r\n").status, 400);
  EXPECT_TRUE(becomes_true([&] { return s.open_connections() == 0; }));
}

TEST(web_limits, waiting_for_the_next_request_has_no_deadline) {
  site s({.client_timeout = 100ms});
  client c(s.port());
  ASSERT_EQ(c.ask(request("GET /hello")).status, 200);
  client silent(s.port());
  client other(s.port());
  const auto until = std::chrono::steady_clock::now() + 500ms;
  while (std::chrono::steady_clock::now() < until) ASSERT_EQ(other.ask(request("GET /hello")).status, 200);
  EXPECT_EQ(c.ask(request("GET /hello")).status, 200);
  EXPECT_EQ(silent.ask(request("GET /hello")).status, 200);
}

TEST(web_limits, five_hundred_idle_connections_disturb_nobody) {
  site s;
  std::list<client> idle;
  for (int i = 0; i < 500; ++i) {
    idle.emplace_back(s.port());
    if (i % 2 == 0) {
      ASSERT_EQ(idle.back().ask(request("GET /hello")).status, 200);
    }
  }
  client c(s.port());
  for (int i = 0; i < 200; ++i) ASSERT_EQ(c.ask(request("GET /hello")).status, 200);
  EXPECT_EQ(s.open_connections(), 501u);
  for (client& one : idle) ASSERT_EQ(one.ask(request("GET /hello")).status, 200);
}

TEST(web_limits, the_longest_idle_connection_gives_way) {
  site s({.max_connections = 3});
  client first(s.port());
  client second(s.port());
  client third(s.port());
  for (client* c : {&second, &first, &third}) ASSERT_EQ(c->ask(request("GET /hello")).status, 200);
  client fourth(s.port());
  EXPECT_EQ(fourth.ask(request("GET /hello")).status, 200);
  EXPECT_TRUE(second.is_closed_by_the_other_side());
  EXPECT_EQ(first.ask(request("GET /hello")).status, 200);
  EXPECT_EQ(third.ask(request("GET /hello")).status, 200);
  EXPECT_EQ(s.turned_away(), 0u);
}

TEST(web_limits, connections_beyond_the_most_are_turned_away_when_all_are_busy) {
  site s({.max_connections = 2});
  client first(s.port());
  client second(s.port());
  for (client* c : {&first, &second}) {
    ASSERT_TRUE(c->send(request("GET /api/v1/events")));
    ASSERT_TRUE(c->read_until("event: first"));
  }
  client third(s.port());
  EXPECT_TRUE(third.is_closed_by_the_other_side());
  EXPECT_EQ(s.turned_away(), 1u);
  s.tell("event: more\n\n");
  EXPECT_TRUE(first.read_until("event: more"));
}

TEST(web_limits, running_out_of_file_descriptors_ends_nothing) {
#ifdef SWITCHGEAR_TEST_UNDER_UBSAN
  GTEST_SKIP() << "the undefined-behaviour sanitizer opens a pipe to look at an object's type, and ends the process without one";
#endif
  std::mutex mutex;
  std::vector<std::string> told;
  site s({.on_notice = [&](const std::string& line) {
    const std::lock_guard lock(mutex);
    told.push_back(line);
  }});
  client kept(s.port());
  ASSERT_TRUE(kept.send(request("GET /api/v1/events")));  // busy, so it does not give way
  ASSERT_TRUE(kept.read_until("event: first"));
  const int next_free = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  ::close(next_free);
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  rlimit few = before;
  few.rlim_cur = static_cast<rlim_t>(next_free) + 1;  // for the client's own end
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &few), 0);
  client waiting(s.port());
  const bool noticed = becomes_true([&] {
    const std::lock_guard lock(mutex);
    return !told.empty();
  });
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
  EXPECT_TRUE(noticed);
  EXPECT_EQ(waiting.ask(request("GET /hello")).status, 200);
  const std::lock_guard lock(mutex);
  EXPECT_EQ(told.size(), 1u) << "told once, not at every try";
}

TEST(web_limits, what_was_refused_is_told_in_one_line) {
  std::mutex mutex;
  std::vector<std::string> told;
  site s({.on_notice = [&](const std::string& line) {
    const std::lock_guard lock(mutex);
    told.push_back(line);
  }});
  ASSERT_EQ(status_of(s, "GET /hello HTTP/1.1\r\nHost: evil.example\r\n\r\n"), 421);
  const std::lock_guard lock(mutex);
  ASSERT_EQ(told.size(), 1u);
  EXPECT_NE(told[0].find("evil.example"), std::string::npos);
  EXPECT_EQ(told[0].find('\n'), std::string::npos);
}

}  // namespace
