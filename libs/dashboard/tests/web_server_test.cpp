// SPDX-License-Identifier: Apache-2.0
#include "web_support.hpp"

#include <gtest/gtest.h>

#include <csignal>
#include <fcntl.h>
#include <pthread.h>

#include <atomic>
#include <filesystem>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>

using web_test::answer;
using web_test::becomes_true;
using web_test::client;
using web_test::request;
using web_test::site;
using web_test::with_token;

namespace {

TEST(web_server, answers) {
  site s;
  const answer a = client(s.port()).ask(request("GET /hello"));
  EXPECT_EQ(a.status, 200);
  EXPECT_EQ(a.body, "hello");
  EXPECT_EQ(a.field("Content-Type"), "text/plain");
}

TEST(web_server, tells_browsers_with_every_answer_to_load_and_keep_nothing_foreign) {
  site s;
  client c(s.port());
  for (const char* line : {"GET /hello", "GET /assets/page.js", "GET /missing", "OPTIONS /hello", "POST /echo", "GET /../x"}) {
    const answer a = c.ask(request(line));
    ASSERT_NE(a.status, 0) << line;
    EXPECT_NE(a.field("Content-Security-Policy").find("default-src 'none'; script-src 'self'"), std::string::npos) << line;
    EXPECT_NE(a.field("Content-Security-Policy").find("require-trusted-types-for 'script'"), std::string::npos) << line;
    EXPECT_EQ(a.field("X-Content-Type-Options"), "nosniff") << line;
    EXPECT_EQ(a.field("Referrer-Policy"), "no-referrer") << line;
    EXPECT_EQ(a.field("Cross-Origin-Resource-Policy"), "same-origin") << line;
    EXPECT_EQ(a.field("Cross-Origin-Opener-Policy"), "same-origin") << line;
    EXPECT_EQ(a.field("Access-Control-Allow-Origin"), "") << line;
    EXPECT_EQ(a.field("Server"), "") << line;
    const bool is_file = std::string_view(line) == "GET /assets/page.js";
    EXPECT_EQ(a.field("Cache-Control"), is_file ? "no-cache" : "no-store") << line;
  }
}

TEST(web_server, answers_a_thousand_requests_in_a_row_on_one_connection) {
  site s;
  client c(s.port());
  for (int i = 0; i < 1'000; ++i) ASSERT_EQ(c.ask(request("GET /hello")).status, 200) << i;
  EXPECT_EQ(s.connections(), 1u);
  EXPECT_EQ(s.requests(), 1'000u);
}

TEST(web_server, answers_pipelined_requests_in_their_order) {
  site s;
  client c(s.port());
  std::string all;
  for (int i = 1; i <= 50; ++i) {
    all += request("GET /large/" + std::to_string(i));
    all += request("POST /echo", with_token + "Content-Type: Text/Plain; charset=utf-8\r\n", "body " + std::to_string(i));
  }
  ASSERT_TRUE(c.send(all));
  for (std::size_t i = 1; i <= 50; ++i) {
    ASSERT_EQ(c.read_answer().body, std::string(i, 'x'));
    ASSERT_EQ(c.read_answer().body, "text/plain:body " + std::to_string(i));
  }
}

TEST(web_server, takes_a_request_byte_by_byte) {
  site s;
  client c(s.port());
  for (const char byte : request("POST /echo", with_token, "body")) ASSERT_TRUE(c.send({&byte, 1}));
  EXPECT_EQ(c.read_answer().body, ":body");
}

TEST(web_server, answers_head_with_the_length_alone) {
  site s;
  client c(s.port());
  ASSERT_TRUE(c.send(request("HEAD /large/1000") + request("GET /hello")));
  const answer head = c.read_answer(true);
  EXPECT_EQ(head.status, 200);
  EXPECT_EQ(head.field("Content-Length"), "1000");
  EXPECT_EQ(c.read_answer().body, "hello");
  ASSERT_TRUE(c.send(request("HEAD /api/v1/events")));
  EXPECT_EQ(c.read_answer(true).field("Content-Type"), "text/event-stream");
  EXPECT_EQ(s.streams(), 0u);
}

TEST(web_server, closes_when_it_was_asked_to) {
  site s;
  client c(s.port());
  EXPECT_EQ(c.ask(request("GET /hello", "Connection: close\r\n")).field("Connection"), "close");
  EXPECT_TRUE(c.is_closed_by_the_other_side());
}

TEST(web_server, serves_clients_of_version_1_0) {
  site s;
  client once(s.port());
  EXPECT_EQ(once.ask("GET /hello HTTP/1.0\r\n\r\n").body, "hello");
  EXPECT_TRUE(once.is_closed_by_the_other_side());
  client stays(s.port());
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(stays.ask("GET /hello HTTP/1.0\r\nConnection: keep-alive\r\n\r\n").field("Connection"), "keep-alive");
  }
}

TEST(web_server, tells_who_waits_with_a_body_to_go_on) {
  site s;
  client c(s.port());
  ASSERT_TRUE(c.send(request("POST /echo", with_token + "Expect: 100-continue\r\nContent-Length: 4\r\n")));
  EXPECT_EQ(c.read_answer().status, 100);
  EXPECT_EQ(c.ask("body").body, ":body");
}

TEST(web_server, answers_who_has_closed_its_half) {
  site s;
  client c(s.port());
  ASSERT_TRUE(c.send(request("GET /large/100000") + request("GET /hello")));
  c.send_no_more();
  EXPECT_EQ(c.read_answer().body.size(), 100'000u);
  EXPECT_EQ(c.read_answer().body, "hello");
  EXPECT_TRUE(c.is_closed_by_the_other_side());
  EXPECT_TRUE(becomes_true([&] { return s.open_connections() == 0; }));
}

TEST(web_server, notices_who_goes_away_within_a_request) {
  site s;
  const std::string in_body = request("POST /echo", with_token + "Content-Length: 5\r\n") + "x";
  for (const std::string& part : {std::string(), std::string("G"), std::string("GET /hello HTTP/1.1\r\nHost: lo"), in_body}) {
    ASSERT_TRUE(client(s.port()).send(part));
  }
  EXPECT_TRUE(becomes_true([&] { return s.connections() == 4 && s.open_connections() == 0; }));
  EXPECT_EQ(s.asked(), 0);
}

TEST(web_server, serves_files_with_a_tag_that_spares_sending_them_again) {
  site s;
  client c(s.port());
  const answer first = c.ask(request("GET /assets/page.js"));
  EXPECT_EQ(first.body, "const x = 1;\n");
  EXPECT_EQ(first.field("Content-Type"), "text/javascript; charset=utf-8");
  for (const char* known : {"\"abc\"", "\"x\", W/\"abc\"", "*"}) {
    const answer again = c.ask(request("GET /assets/page.js", std::string("If-None-Match: ") + known + "\r\n"));
    EXPECT_EQ(again.status, 304) << known;
    EXPECT_EQ(again.field("ETag"), "\"abc\"");
    EXPECT_EQ(again.body, "");
  }
  EXPECT_EQ(c.ask(request("GET /assets/page.js", "If-None-Match: \"abcd\"\r\n")).status, 200);
  EXPECT_EQ(c.ask(request("GET /")).body, "<!doctype html>");
  EXPECT_EQ(s.asked(), 0);
}

TEST(web_server, drops_fields_with_line_breaks) {
  site s;
  const answer a = client(s.port()).ask(request("GET /unsafe"));
  EXPECT_EQ(a.status, 200);
  EXPECT_EQ(a.head.find("Set-Cookie"), std::string::npos);
}

TEST(web_server, survives_a_handler_without_memory) {
  site s;
  client c(s.port());
  EXPECT_EQ(c.ask(request("GET /failing")).status, 503);
  EXPECT_EQ(c.ask(request("GET /hello")).status, 200);
}

TEST(web_server, works_before_it_answers_and_then_again_and_again) {
  std::atomic<int> worked{0};
  site s({.work = [&] { ++worked; }});
  EXPECT_EQ(client(s.port()).ask(request("GET /hello")).status, 200);
  EXPECT_GE(worked, 1);
  EXPECT_TRUE(becomes_true([&] { return worked >= 3; }));
}

TEST(web_server, goes_on_when_its_work_throws_and_tells_so) {
  std::atomic<int> told{0};
  site s({.work = [] { throw std::runtime_error("no circuits today"); },
          .on_notice = [&](const std::string& line) {
            if (line.find("no circuits today") != line.npos) ++told;
            throw 1;
          }});
  EXPECT_TRUE(becomes_true([&] { return told >= 2; }));
  EXPECT_EQ(client(s.port()).ask(request("GET /hello")).status, 200);
}

TEST(web_server, stops_with_clients_connected) {
  std::optional<site> s(std::in_place);
  client silent(s->port());
  client half(s->port());
  ASSERT_TRUE(half.send("GET /hello HTTP/1.1\r\nHo"));
  client kept(s->port());
  ASSERT_EQ(kept.ask(request("GET /hello")).status, 200);
  client listening(s->port());
  ASSERT_TRUE(listening.send(request("GET /api/v1/events")));
  ASSERT_TRUE(listening.read_until("event: first"));
  client busy(s->port(), 4'096);
  ASSERT_TRUE(busy.send(request("GET /large/50000000")));
  ASSERT_TRUE(becomes_true([&] { return s->requests() == 3; }));
  s.reset();
  for (client* c : {&silent, &half, &kept, &listening, &busy}) EXPECT_TRUE(c->is_closed_by_the_other_side());
}

TEST(web_server, can_be_started_again_on_the_same_port_at_once) {
  std::uint16_t port = 0;
  for (int i = 0; i < 5; ++i) {
    site s({.port = port});
    port = s.port();
    client c(port);
    ASSERT_EQ(c.ask(request("GET /hello")).status, 200);
    s.stop();  // closes first, so that the system remembers the connection for a while
    EXPECT_TRUE(c.is_closed_by_the_other_side());
  }
}

/// The descriptors that a program started now would get from this one.
std::set<int> inheritable() {
  std::set<int> found;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
    const int fd = std::stoi(entry.path().filename().string());
    const int flags = ::fcntl(fd, F_GETFD);
    if (flags >= 0 && (flags & FD_CLOEXEC) == 0) found.insert(fd);
  }
  return found;
}

TEST(web_server, leaves_nothing_to_programs_that_are_started) {
  const std::set<int> before = inheritable();
  site s;
  client c(s.port());
  ASSERT_EQ(c.ask(request("GET /hello")).status, 200);
  client listening(s.port());
  ASSERT_TRUE(listening.send(request("GET /api/v1/events")));
  ASSERT_TRUE(listening.read_until("event: first"));
  EXPECT_EQ(inheritable(), before);
}

TEST(web_server, runs_no_signal_handler_of_the_program_in_its_thread) {
  std::atomic<int> blocked{-1};
  site s({.work = [&] {
    sigset_t set;
    ::pthread_sigmask(SIG_BLOCK, nullptr, &set);
    blocked = sigismember(&set, SIGTERM) == 1 && sigismember(&set, SIGUSR1) == 1 && sigismember(&set, SIGSEGV) == 0;
  }});
  EXPECT_TRUE(becomes_true([&] { return blocked == 1; }));
  sigset_t own;
  ::pthread_sigmask(SIG_BLOCK, nullptr, &own);
  EXPECT_EQ(sigismember(&own, SIGTERM), 0);
}

}  // namespace
