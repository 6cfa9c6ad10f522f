// SPDX-License-Identifier: Apache-2.0
#include "member_support.hpp"
#include "tcp_proxy.hpp"

#include <atomic>
#include <ostream>

namespace {

using namespace test_support;
using testing::HasSubstr;
using kind = fleet::notice::kind;

struct trouble {
  const char* name;
  friend void PrintTo(const trouble& t, std::ostream* out) { *out << t.name; }
  std::function<void(redis_server&, tcp_proxy&)> begin, end;
  std::string words{};  ///< of the server, in the notice
};

sg::redis::connection client(redis_server& s) { return sg::redis::connection::open({.port = s.port()}); }

class fleet_member_in_trouble : public testing::TestWithParam<trouble> {
 protected:
  fleet_member_in_trouble() {
    server_.start();
    proxy_.emplace(server_.port());
  }
  redis_server server_;
  std::optional<tcp_proxy> proxy_;
};

TEST_P(fleet_member_in_trouble, decides_alone_says_so_once_and_comes_back_by_itself) {
  host a(options_for(proxy_->port())), b(options_for(proxy_->port()));
  ASSERT_TRUE(a.shared() && b.shared());
  auto one = a.circuits.get("api", quick_to_open(60s)), two = b.circuits.get("api", quick_to_open(60s));
  auto open_before = a.circuits.get("db", quick_to_open(60s)), seen = b.circuits.get("db", quick_to_open(60s));
  std::this_thread::sleep_for(400ms);
  open_before.trip("by hand");
  ASSERT_TRUE(soon([&] { return seen.state() == sg::state::open; }, 5s));

  const auto start = real_clock::now();
  GetParam().begin(server_, *proxy_);
  ASSERT_TRUE(soon([&] { return a.local() && b.local(); }, 5s));
  std::printf("%s: alone after %.0f ms\n", GetParam().name, ms_since(start));
  fail(one, 3);
  EXPECT_EQ(one.state(), sg::state::open);
  std::this_thread::sleep_for(1500ms);  // it tries and tries
  EXPECT_EQ(two.state(), sg::state::closed);
  EXPECT_EQ(a.notices.count(kind::local_mode), 1);
  EXPECT_THAT(a.notices.last(), HasSubstr(GetParam().words));

  GetParam().end(server_, *proxy_);
  const auto healed = real_clock::now();
  ASSERT_TRUE(soon([&] { return a.shared() && b.shared(); }, 5s));
  ASSERT_TRUE(soon([&] { return two.state() == sg::state::open; }, 5s)) << "what was decided alone is told";
  std::printf("%s: one again after %.0f ms\n", GetParam().name, ms_since(healed));
  EXPECT_EQ(seen.state(), sg::state::open);
  EXPECT_EQ(a.notices.count(kind::local_mode), 1);
  EXPECT_EQ(a.notices.count(kind::shared), 2);
}

INSTANTIATE_TEST_SUITE_P(
    redis, fleet_member_in_trouble,
    testing::Values(
        trouble{"killed", [](auto& s, auto&) { s.kill(); }, [](auto& s, auto&) { s.restart_empty(); }},
        trouble{"stopped", [](auto& s, auto&) { s.stop(); }, [](auto& s, auto&) { s.resume(); }, "no answer"},
        trouble{"cut_off", [](auto&, auto& p) { p.cut(); }, [](auto&, auto& p) { p.heal(); }},
        trouble{"swallowed", [](auto&, auto& p) { p.black_hole(true); }, [](auto&, auto& p) { p.heal(); }, "no answer"},
        trouble{"slow", [](auto&, auto& p) { p.delay(400ms); }, [](auto&, auto& p) { p.heal(); }, "no answer"},
        trouble{"full",
                [](auto& s, auto&) {
                  client(s).command({"CONFIG", "SET", "maxmemory-policy", "noeviction"});
                  client(s).command({"CONFIG", "SET", "maxmemory", "1mb"});
                },
                [](auto& s, auto&) { client(s).command({"CONFIG", "SET", "maxmemory", "0"}); }, "OOM"},
        trouble{"read_only", [](auto& s, auto&) { client(s).command({"REPLICAOF", "127.0.0.1", "1"}); },
                [](auto& s, auto&) { client(s).command({"REPLICAOF", "NO", "ONE"}); }, "READONLY"},
        trouble{"busy",
                [](auto& s, auto&) {
                  client(s).command({"CONFIG", "SET", "busy-reply-threshold", "50"});
                  auto other = client(s);
                  other.append({"EVAL", "while true do end", "0"});
                  (void)other.poll(50ms);  // sent, and never answered
                },
                [](auto& s, auto&) { client(s).command({"SCRIPT", "KILL"}); }},
        trouble{"without_a_right", [](auto& s, auto&) { client(s).command({"ACL", "SETUSER", "default", "-evalsha"}); },
                [](auto& s, auto&) { client(s).command({"ACL", "SETUSER", "default", "+evalsha"}); }, "NOPERM"}),
    [](const auto& info) { return info.param.name; });

using fleet_member = member_test;

TEST_F(fleet_member, a_store_that_was_emptied_gets_its_records_back) {
  const auto a = make(), b = make();
  auto one = a->circuits.get("api", quick_to_open(60s)), two = b->circuits.get("api", quick_to_open(60s));
  std::this_thread::sleep_for(300ms);
  fail(one, 3);
  ASSERT_TRUE(soon([&] { return b->member->known("api").has_value(); }, 5s));
  command({"FLUSHALL"});
  fleet::control control("redis://127.0.0.1:" + std::to_string(server_.port()), "test");
  ASSERT_TRUE(soon([&] { return control.record_of("api").epoch == 1; }, 5s));
  EXPECT_EQ(control.record_of("api").state, sg::state::open);
  EXPECT_EQ(one.state(), sg::state::open);
  EXPECT_EQ(two.state(), sg::state::open);
  EXPECT_EQ(a->notices.count(kind::local_mode), 0) << "nobody was alone";
  EXPECT_GE(a->member->metrics().restores + b->member->metrics().restores, 1u);
}

TEST_F(fleet_member, a_script_that_was_forgotten_is_sent_again) {
  const auto a = make(), b = make();
  auto one = a->circuits.get("api", quick_to_open(60s)), two = b->circuits.get("api", quick_to_open(60s));
  std::this_thread::sleep_for(300ms);
  command({"SCRIPT", "FLUSH"});
  fail(one, 3);
  EXPECT_TRUE(soon([&] { return two.state() == sg::state::open; }, 5s));
  EXPECT_EQ(a->notices.count(kind::local_mode) + b->notices.count(kind::local_mode), 0);
}

TEST_F(fleet_member, without_its_news_it_connects_again) {
  const auto a = make(), b = make();
  auto one = a->circuits.get("api", quick_to_open(60s)), two = b->circuits.get("api", quick_to_open(60s));
  std::this_thread::sleep_for(300ms);
  command({"CLIENT", "KILL", "TYPE", "pubsub"});
  ASSERT_TRUE(soon([&] { return b->notices.count(kind::shared) == 2; }, 5s));
  fail(one, 3);
  EXPECT_TRUE(soon([&] { return two.state() == sg::state::open; }, 5s));
}

TEST_F(fleet_member, a_silent_connection_is_asked_whether_it_is_one) {
  const auto a = make();
  EXPECT_TRUE(soon([&] { return command({"INFO", "commandstats"}).text.find("cmdstat_ping:") != std::string::npos; }, 5s));
  std::this_thread::sleep_for(500ms);
  EXPECT_TRUE(a->shared());
  EXPECT_EQ(a->notices.count(kind::local_mode), 0);
}

TEST_F(fleet_member, it_needs_no_more_rights_than_it_says) {
  command({"ACL", "SETUSER", "shop", "on", ">secret", "resetkeys", "~sg:{test}:*", "resetchannels", "&sg:{test}:news", "-@all",
           "+eval", "+evalsha", "+script|load", "+subscribe", "+ping", "+get", "+set", "+del", "+exists", "+pttl", "+pexpire",
           "+hget", "+hmget", "+hset", "+hdel", "+hgetall", "+sadd", "+srem", "+smembers", "+zadd", "+zrangebyscore",
           "+publish"});
  auto o = options_for(server_.port());
  o.url = "redis://shop:secret@127.0.0.1:" + std::to_string(server_.port());
  const auto a = make(o), b = make(o);
  ASSERT_TRUE(a->shared() && b->shared()) << a->notices.last();
  auto one = a->circuits.get("api", quick_to_open(100ms)), two = b->circuits.get("api", quick_to_open(100ms));
  std::this_thread::sleep_for(300ms);
  one.force_open("maintenance", "Ada", 300ms);
  ASSERT_TRUE(soon([&] { return two.state() == sg::state::forced_open; }, 5s));
  ASSERT_TRUE(soon([&] {
    return a->member->known("api")->state == sg::state::closed && b->member->known("api")->state == sg::state::closed;
  }, 5s));
  fail(one, 3);
  ASSERT_TRUE(soon([&] { return b->member->known("api")->state == sg::state::open; }, 5s));
  EXPECT_TRUE(soon([&] {
    if (auto p = two.try_acquire()) p.success();
    return one.state() == sg::state::closed;
  }, 10s));
  EXPECT_EQ(a->notices.count(kind::local_mode) + b->notices.count(kind::local_mode), 0) << a->notices.last();
}

TEST_F(fleet_member, a_notice_never_has_the_password) {
  auto o = options_for(server_.port());
  o.url = "redis://:secret@127.0.0.1:" + std::to_string(server_.port());
  o.adopt_within = 0s;
  const auto a = make(o);
  ASSERT_TRUE(soon([&] { return a->notices.count(kind::local_mode) == 1; }, 5s));
  EXPECT_THAT(a->notices.last(), HasSubstr("127.0.0.1:" + std::to_string(server_.port())));
  EXPECT_THAT(a->notices.last(), testing::Not(HasSubstr("secret")));
}

TEST_F(fleet_member, without_a_server_it_decides_alone_from_the_beginning) {
  const std::uint16_t nobody = static_cast<std::uint16_t>(free_port());
  auto o = options_for(nobody);
  o.adopt_within = 300ms;
  const auto start = real_clock::now();
  host a(o);
  EXPECT_GE(ms_since(start), 290);
  EXPECT_LT(ms_since(start), 600);
  auto one = a.circuits.get("api", quick_to_open(60s));
  fail(one, 3);
  EXPECT_EQ(one.state(), sg::state::open);
  std::this_thread::sleep_for(500ms);
  EXPECT_EQ(a.notices.count(kind::local_mode), 1);
  EXPECT_EQ(a.member->metrics().members, 0u);
}

TEST_F(fleet_member, without_adopt_within_nobody_waits) {
  server_.stop();
  auto o = options_for(server_.port());
  o.adopt_within = 0s;
  const auto start = real_clock::now();
  const auto a = make(o);
  EXPECT_LT(ms_since(start), 100);
}

TEST_F(fleet_member, it_ends_at_once_also_when_the_server_hangs) {
  auto a = make();
  auto one = a->circuits.get("api", quick_to_open());
  std::this_thread::sleep_for(300ms);
  server_.stop();
  for (const auto wait : {0ms, 120ms, 400ms}) {
    std::this_thread::sleep_for(wait);
    const auto start = real_clock::now();
    a->member.reset();
    EXPECT_LT(ms_since(start), 100);
    a->member.emplace(a->circuits, [&] {
      auto o = options_for(server_.port());
      o.adopt_within = 0s;
      return o;
    }());
  }
}

TEST_F(fleet_member, calls_do_not_wait_while_the_server_hangs) {
  const auto a = make();
  auto one = a->circuits.get("api", quick_to_open(1ms)), two = a->circuits.get("db", quick_to_open());
  std::this_thread::sleep_for(300ms);
  server_.stop();
  auto longest = 0ns;
  const auto until = real_clock::now() + 1500ms;
  int calls = 0;
  while (real_clock::now() < until) {
    const auto start = real_clock::now();
    fail(one, 1);
    if (auto p = two.try_acquire()) p.success();
    longest = std::max<std::chrono::nanoseconds>(longest, real_clock::now() - start);
    ++calls;
    if (calls % 16 == 0) std::this_thread::sleep_for(1ms);
  }
  std::printf("%d calls while Redis hung, the longest took %.2f ms\n", calls, static_cast<double>(longest.count()) / 1e6);
  EXPECT_LT(longest, 100ms) << "patience alone is 250 ms";
  EXPECT_GT(calls, 1000);
}

TEST_F(fleet_member, views_wait_no_longer_than_patience) {
  auto o = options_for(server_.port());
  o.patience = 250ms;
  const auto a = make(o);
  auto one = a->circuits.get("api", quick_to_open());
  ASSERT_TRUE(soon([&] { return a->member->views("api").size() == 1; }, 5s));
  std::this_thread::sleep_for(600ms);
  server_.stop();
  const auto start = real_clock::now();
  EXPECT_EQ(a->member->views("api").size(), 1u) << "what was known before";
  EXPECT_LT(ms_since(start), 400);
}

TEST_F(fleet_member, a_thousand_quiet_circuits_cost_a_few_commands_a_second) {
  const auto a = make();
  std::vector<sg::breaker_handle> circuits;
  for (int i = 0; i < 1000; ++i) circuits.push_back(a->circuits.get("c" + std::to_string(i), quick_to_open()));
  std::this_thread::sleep_for(1s);
  const auto before = a->member->metrics();
  const auto sent = [&] {
    const std::string text = command({"INFO", "commandstats"}).text;
    const auto at = text.find("cmdstat_evalsha:calls=");
    return at == std::string::npos ? 0 : std::stoi(text.substr(at + 22));
  };
  const int runs = sent();
  std::this_thread::sleep_for(3s);
  const auto after = a->member->metrics();
  std::printf("1000 circuits: %.1f requests a second, %.1f runs of the script a second\n",
              static_cast<double>(after.requests - before.requests) / 3.0, (sent() - runs) / 3.0);
  EXPECT_LE(after.requests - before.requests, 18u);
  EXPECT_LE(sent() - runs, 18);
}

}  // namespace
