// SPDX-License-Identifier: Apache-2.0
#include "fixture.hpp"

#include <atomic>
#include <filesystem>
#include <iterator>
#include <latch>
#include <thread>
#include <vector>

namespace {

std::ptrdiff_t open_files() {
  return std::distance(std::filesystem::directory_iterator("/proc/self/fd"), std::filesystem::directory_iterator());
}

struct postgres_connections : with_server {
  static pg::options few(std::size_t n) {
    pg::options o = settings();
    o.connections = n;
    o.connection_wait = 0s;
    return o;
  }
};

TEST_F(postgres_connections, are_no_more_than_allowed) {
  pg::client db(few(1));
  db.transaction([&](pg::transaction&) {
    EXPECT_THROW(db.query("select 1"), sg::rejected_error);
    EXPECT_EQ(db.connections(), 1u);
  });
  EXPECT_EQ(db.query("select 1").size(), 1u);
  EXPECT_EQ(db.breaker().snapshot().metrics.failures, 0u);
}

TEST_F(postgres_connections, are_waited_for) {
  pg::options o = few(1);
  o.connection_wait = 60s;
  pg::client db(o);
  std::thread waiting;
  std::atomic<std::size_t> found{0};
  db.transaction([&](pg::transaction&) { waiting = std::thread([&] { found = db.query("select 1").size(); }); });
  waiting.join();
  EXPECT_EQ(found, 1u);
}

TEST_F(postgres_connections, are_not_waited_for_by_who_gives_up) {
  pg::options o = few(1);
  o.connection_wait = 1h;
  pg::client db(o);
  std::stop_source stop;
  std::thread impatient;
  db.transaction([&](pg::transaction&) {
    impatient = std::thread([&] { stop.request_stop(); });
    EXPECT_THROW(db.query("select 1", {}, {.stop = stop.get_token()}), sg::cancelled_error);
  });
  impatient.join();
}

TEST_F(postgres_connections, serve_many_threads) {
  pg::options o = few(4);
  o.connection_wait = 60s;
  pg::client db(o);
  std::atomic<int> sum{0};
  std::latch begin(8);
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&, t] {
      begin.arrive_and_wait();
      for (int i = 0; i < 25; ++i) sum += *db.query("select $1::int", {t})[0].get<int>(0);
    });
  }
  for (std::thread& t : threads) t.join();
  EXPECT_EQ(sum, 25 * 28);
  EXPECT_LE(db.connections(), 4u);
}

TEST_F(postgres_connections, that_the_server_has_closed_are_not_used_again) {
  pg::client db(few(2)), operator_(few(1));
  const int pid = *db.query("select pg_backend_pid()")[0].get<int>(0);
  operator_.query("select pg_terminate_backend($1::int)", {pid});
  // Until the process itself is gone: it leaves the list of sessions before it closes its connection.
  ASSERT_TRUE(test_support::eventually([&] { return !std::filesystem::exists("/proc/" + std::to_string(pid)); }));
  EXPECT_NE(db.query("select pg_backend_pid()")[0].get<int>(0), pid);
  EXPECT_EQ(db.breaker().snapshot().metrics.failures, 0u);
}

TEST_F(postgres_connections, survive_a_restart_of_the_server) {
  pg::client db(few(2));
  ASSERT_EQ(db.query("select 1").size(), 1u);
  server().restart();
  EXPECT_EQ(db.query("select 1").size(), 1u);
  EXPECT_EQ(db.breaker().snapshot().metrics.failures, 0u);
}

TEST_F(postgres_connections, left_inside_a_transaction_are_closed) {
  pg::client db(few(2));
  db.query("begin");
  EXPECT_EQ(db.connections(), 0u);
}

TEST_F(postgres_connections, with_an_error_are_used_again) {
  pg::client db(few(2));
  EXPECT_THROW(db.query("selekt"), sg::refused_error);
  EXPECT_EQ(db.connections(), 1u);
}

TEST_F(postgres_connections, leak_no_file_in_a_hundred_cycles) {
  (void)pg::client(settings()).query("select 1");
  pg::options wrong = settings();
  wrong.port = static_cast<std::uint16_t>(test_support::free_port());
  wrong.adapter.breaker.failure_threshold = 1000;
  pg::client lost(wrong), db(settings());
  const std::ptrdiff_t before = open_files();
  for (int i = 0; i < 100; ++i) {
    EXPECT_THROW(lost.query("select 1"), sg::connection_error);
    EXPECT_THROW(db.query("copy (select 1) to stdout"), sg::refused_error);  // closes its connection
  }
  EXPECT_EQ(open_files(), before);
}

}  // namespace
