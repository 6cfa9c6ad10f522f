// SPDX-License-Identifier: Apache-2.0
#include "../src/web/stream_queue.hpp"
#include "web_support.hpp"

#include <gtest/gtest.h>

#include <list>
#include <thread>

namespace detail = switchgear::detail;
using namespace std::chrono_literals;
using web_test::becomes_true;
using web_test::client;
using web_test::request;
using web_test::site;

namespace {

detail::stream_queue::piece piece(std::string text) { return std::make_shared<const std::string>(std::move(text)); }

TEST(stream_queue, gives_the_same_pieces_in_their_order) {
  detail::stream_queue q({}, [] {});
  const auto a = piece("a");
  const auto b = piece("b");
  EXPECT_TRUE(q.push(a));
  EXPECT_TRUE(q.push(b));
  EXPECT_EQ(q.take(1), std::vector{a});
  EXPECT_EQ(q.take(9), std::vector{b});
  EXPECT_TRUE(q.take(9).empty());
}

TEST(stream_queue, wakes_once_until_it_was_found_empty) {
  int woken = 0;
  detail::stream_queue q({}, [&] { ++woken; });
  q.push(piece("a"));
  q.push(piece("b"));
  EXPECT_EQ(woken, 1);
  (void)q.take(9);
  q.push(piece("c"));
  EXPECT_EQ(woken, 1) << "who takes comes back";
  (void)q.take(9);
  EXPECT_TRUE(q.take(9).empty());
  q.push(piece("d"));
  EXPECT_EQ(woken, 2);
}

TEST(stream_queue, ends_when_too_many_bytes_wait) {
  detail::stream_queue q({.bytes = 10, .pieces = 100}, [] {});
  EXPECT_TRUE(q.push(piece("12345")));
  EXPECT_TRUE(q.push(piece("12345")));
  EXPECT_FALSE(q.push(piece("1")));
  EXPECT_TRUE(q.has_overflowed());
  EXPECT_FALSE(q.push(piece("1")));
  EXPECT_TRUE(q.take(9).empty());
}

TEST(stream_queue, ends_when_too_many_pieces_wait) {
  detail::stream_queue q({.bytes = 100, .pieces = 2}, [] {});
  EXPECT_TRUE(q.push(piece("1")));
  EXPECT_TRUE(q.push(piece("1")));
  EXPECT_FALSE(q.push(piece("1")));
  EXPECT_TRUE(q.has_overflowed());
}

TEST(stream_queue, takes_one_piece_however_large_when_nothing_waits) {
  detail::stream_queue q({.bytes = 10, .pieces = 2}, [] {});
  EXPECT_TRUE(q.push(piece(std::string(1'000, 'x'))));
  EXPECT_FALSE(q.push(piece("1")));
}

TEST(stream_queue, takes_nothing_and_wakes_nobody_after_its_end) {
  int woken = 0;
  detail::stream_queue q({}, [&] { ++woken; });
  q.end();
  EXPECT_FALSE(q.push(piece("a")));
  EXPECT_EQ(woken, 0);
  EXPECT_FALSE(q.has_overflowed());
}

TEST(web_stream, tells_what_happens_to_all_who_listen) {
  site s;
  std::list<client> clients;
  for (int i = 0; i < 20; ++i) {
    clients.emplace_back(s.port());
    ASSERT_TRUE(clients.back().send(request("GET /api/v1/events")));
  }
  for (client& c : clients) ASSERT_TRUE(c.read_until("event: first\n\n"));
  EXPECT_EQ(s.watching(), 20u);
  for (int i = 0; i < 100; ++i) s.tell("data: " + std::to_string(i) + "\n\n");
  for (client& c : clients) {
    ASSERT_TRUE(c.read_until("data: 99\n\n"));
    EXPECT_EQ(c.unread().find("HTTP/1.1 200 OK\r\n"), 0u);
    EXPECT_NE(c.unread().find("\r\nContent-Type: text/event-stream\r\n"), std::string::npos);
    EXPECT_NE(c.unread().find("\r\nContent-Security-Policy: "), std::string::npos);
    EXPECT_NE(c.unread().find("data: 41\n\ndata: 42\n\n"), std::string::npos);
  }
}

TEST(web_stream, is_served_to_clients_of_version_1_0) {
  site s;
  client c(s.port());
  ASSERT_TRUE(c.send("GET /api/v1/events HTTP/1.0\r\n\r\n"));
  EXPECT_TRUE(c.read_until("event: first\n\n"));
}

TEST(web_stream, is_written_from_any_thread) {
  site s;
  client c(s.port());
  ASSERT_TRUE(c.send(request("GET /api/v1/events")));
  ASSERT_TRUE(c.read_until("event: first"));
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([&] {
        for (int i = 0; i < 100; ++i) s.tell("data: x\n\n");
      });
    }
  }
  s.tell("data: end\n\n");
  EXPECT_TRUE(c.read_until("data: end"));
}

TEST(web_stream, ends_when_the_client_goes_away) {
  site s;
  {
    client c(s.port());
    ASSERT_TRUE(c.send(request("GET /api/v1/events")));
    ASSERT_TRUE(c.read_until("event: first"));
    EXPECT_EQ(s.streams(), 1u);
  }
  EXPECT_TRUE(becomes_true([&] { return s.streams() == 0 && s.watching() == 0 && s.open_connections() == 0; }));
  EXPECT_EQ(s.slow_clients(), 0u);
}

TEST(web_stream, drops_a_client_that_takes_nothing_for_too_long) {
  site s({.client_timeout = 200ms, .stream_bytes = 1 << 30});
  client never_reads(s.port(), 4'096);
  ASSERT_TRUE(never_reads.send(request("GET /api/v1/events")));
  ASSERT_TRUE(becomes_true([&] { return s.streams() == 1; }));
  s.tell(std::string(50'000'000, 'x'));
  EXPECT_TRUE(becomes_true([&] { return s.slow_clients() == 1; }));
  EXPECT_TRUE(becomes_true([&] { return s.streams() == 0 && s.open_connections() == 0; }));
}

TEST(web_stream, drops_a_client_for_whom_too_much_waits_and_no_other) {
  site s({.stream_bytes = 100'000});
  client never_reads(s.port(), 4'096);
  client reads(s.port());
  for (client* c : {&never_reads, &reads}) ASSERT_TRUE(c->send(request("GET /api/v1/events")));
  ASSERT_TRUE(reads.read_until("event: first"));
  ASSERT_TRUE(becomes_true([&] { return s.streams() == 2; }));
  const std::string large(50'000, 'x');
  for (int i = 0; s.slow_clients() == 0; ++i) {
    ASSERT_LT(i, 10'000);
    const std::string mark = "mark " + std::to_string(i) + ";";
    s.tell(large + mark);
    ASSERT_TRUE(reads.read_until(mark));
  }
  EXPECT_EQ(s.slow_clients(), 1u);
  EXPECT_TRUE(becomes_true([&] { return s.streams() == 1; }));
  s.tell("still there");
  EXPECT_TRUE(reads.read_until("still there"));
}

TEST(web_stream, has_no_deadline_while_nothing_happens) {
  site s({.client_timeout = 100ms});
  client listens(s.port());
  ASSERT_TRUE(listens.send(request("GET /api/v1/events")));
  ASSERT_TRUE(listens.read_until("event: first"));
  client other(s.port());
  const auto until = std::chrono::steady_clock::now() + 400ms;
  while (std::chrono::steady_clock::now() < until) ASSERT_EQ(other.ask(request("GET /hello")).status, 200);
  s.tell("data: late\n\n");
  EXPECT_TRUE(listens.read_until("data: late"));
}

TEST(web_stream, ends_for_a_client_that_talks_without_end) {
  site s;
  client c(s.port());
  ASSERT_TRUE(c.send(request("GET /api/v1/events")));
  ASSERT_TRUE(c.read_until("event: first"));
  const std::string talk(100'000, 'x');
  EXPECT_TRUE(becomes_true([&] {
    (void)c.send(talk);
    return s.streams() == 0;
  }));
}

TEST(web_stream, is_refused_before_it_begins) {
  site s;
  client c(s.port());
  ASSERT_TRUE(c.send("GET /api/v1/events HTTP/1.1\r\nHost: evil.example\r\n\r\n"));
  EXPECT_EQ(c.read_answer().status, 421);
  EXPECT_EQ(s.streams(), 0u);
}

}  // namespace
