// SPDX-License-Identifier: Apache-2.0
//
// The simulated store beside a real Redis: the same commands and the same operations of the fleet's script on both, and the
// replies have to be the same.
#include <switchgear/redis/connection.hpp>

#include <algorithm>
#include <string>
#include <vector>

#include "random.hpp"
#include "redis_server.hpp"
#include "script.hpp"
#include "simulated_store.hpp"

using namespace std::chrono_literals;
namespace redis = switchgear::redis;
namespace simulation = switchgear::simulation;
using simulation::store_value;

namespace {

using words = std::vector<std::string>;

/// Lives are that long, so that what is left of them can be told from other numbers.
constexpr std::int64_t life = 7'000'000;

/// A reply as one text. What is left of a life is no number that two servers agree upon.
std::string shown(std::int64_t n) { return n > life - 100'000 && n <= life ? "LIFE" : std::to_string(n); }
std::string shown(const std::string& text) {
  const auto digits = !text.empty() && text.size() < 10 && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
  return digits ? shown(std::stoll(text)) : "'" + text + "'";
}
/// Of errors the first word; Redis adds where in the script it was.
std::string first_word(const std::string& text) { return "!" + text.substr(0, text.find(' ')); }

std::string shown(const redis::reply& r, bool sorted) {
  using kind = redis::reply::kind;
  switch (r.is) {
    case kind::nil: return "nil";
    case kind::text: return shown(r.text);
    case kind::status: return "+" + r.text;
    case kind::integer: return shown(r.integer);
    case kind::error: return first_word(r.text);
    case kind::array: break;
  }
  words items;
  for (const auto& e : r.elements) items.push_back(shown(e, false));
  if (sorted) std::ranges::sort(items);
  std::string out = "[";
  for (const auto& i : items) out += i + " ";
  return out + "]";
}

std::string shown(const store_value& v, bool sorted) {
  using kind = store_value::kind;
  switch (v.is) {
    case kind::nil: return "nil";
    case kind::text: return shown(v.text);
    case kind::status: return "+" + v.text;
    case kind::integer: return shown(v.number);
    case kind::error: return first_word(v.text);
    case kind::array: break;
  }
  words items;
  for (const auto& e : v.items) items.push_back(shown(e, false));
  if (sorted) std::ranges::sort(items);
  std::string out = "[";
  for (const auto& i : items) out += i + " ";
  return out + "]";
}

std::string joined(const words& w) {
  std::string out;
  for (const auto& each : w) out += each + " ";
  return out;
}

class simulation_store : public testing::Test {
 protected:
  void SetUp() override { server_.start(); }

  redis::connection connect() {
    redis::options o;
    o.port = server_.port();
    return redis::connection::open(o);
  }
  /// EVAL with `text` and no keys.
  static redis::reply eval(redis::connection& c, const std::string& text, const words& arguments) {
    std::vector<std::string_view> all = {"EVAL", text, "0"};
    all.insert(all.end(), arguments.begin(), arguments.end());
    c.append(all);
    return c.read();
  }

  test_support::redis_server server_;
};

words some_command(simulation::random_stream& luck) {
  const auto key = [&] { return "k" + std::to_string(luck.below(6)); };
  const auto item = [&] { return "f" + std::to_string(luck.below(4)); };
  const auto number = [&] { return std::to_string(static_cast<std::int64_t>(luck.below(9)) - 3); };
  const auto end = [&] {
    const char* const some[] = {"-inf", "+inf", "(1", "2", "(-1.5", "nonsense"};
    return std::string(some[luck.below(6)]);
  };
  switch (luck.below(30)) {
    case 0: return {"GET", key()};
    case 1: return {"SET", key(), item()};
    case 2: return {"SET", key(), number(), "PX", luck.happens(0.8) ? std::to_string(life) : luck.happens(0.5) ? "0" : "-5"};
    case 3: return {"SET", key(), item(), luck.happens(0.5) ? "NX" : "XX"};
    case 4: return {"DEL", key(), key()};
    case 5: return {"EXISTS", key(), key()};
    case 6: return {"PTTL", key()};
    case 7: return {"PEXPIRE", key(), luck.happens(0.8) ? std::to_string(life) : luck.happens(0.5) ? "-1" : "x"};
    case 8: return {"PERSIST", key()};
    case 9: return {"HGET", key(), item()};
    case 10: return {"HMGET", key(), item(), item(), item()};
    case 11: return {"HSET", key(), item(), number(), item(), number()};
    case 12: return {"HDEL", key(), item(), item()};
    case 13: return {"HGETALL", key()};
    case 14: return {"HINCRBY", key(), item(), number()};
    case 15: return {"HEXISTS", key(), item()};
    case 16: return {"HLEN", key()};
    case 17: return {"SADD", key(), item(), item()};
    case 18: return {"SREM", key(), item()};
    case 19: return {"SMEMBERS", key()};
    case 20: return {"SCARD", key()};
    case 21: return {"SISMEMBER", key(), item()};
    case 22: return {"ZADD", key(), luck.happens(0.9) ? number() : "1.5e3x", item(), number(), item()};
    case 23: return {"ZREM", key(), item()};
    case 24: return {"ZRANGEBYSCORE", key(), end(), end()};
    case 25: return {"ZRANGEBYSCORE", key(), end(), end(), "WITHSCORES", "LIMIT", number(), number()};
    case 26: return {"ZCOUNT", key(), end(), end()};
    case 27: return {"INCR", key()};
    case 28: return {"PUBLISH", key(), item()};
    default: return luck.happens(0.5) ? words{"HSET", key(), item()} : words{"ZSCORE", key(), item()};
  }
}

TEST_F(simulation_store, answers_random_commands_as_redis_does) {
  auto c = connect();
  const std::string text = "return redis.pcall(unpack(ARGV))";
  simulation::keyspace keys;
  simulation::script_engine engine(text, keys);
  simulation::random_stream luck(2026, 1);
  for (int i = 0; i < 20'000; ++i) {
    if (i % 400 == 0) {
      c.command({"FLUSHALL"});
      keys.clear();
    }
    const words command = some_command(luck);
    const bool sorted = command.front() == "SMEMBERS" || command.front() == "HGETALL";
    ASSERT_EQ(shown(engine.run(command, 1000), sorted), shown(eval(c, text, command), sorted)) << i << ": " << joined(command);
  }
}

TEST_F(simulation_store, turns_values_into_lua_and_back_as_redis_does) {
  auto c = connect();
  simulation::keyspace keys;
  for (const char* text : {
           "return 3.99", "return -3.99", "return 'x'", "return true", "return false", "return nil",
           "return {1, 'a', nil, 2}", "return {1, {2, {3}}, false}", "return {ok = 'fine'}", "return {err = 'ERR bad'}",
           "return redis.error_reply('MY bad')", "return redis.status_reply('fine')",
           "return redis.call('GET', 'none') == false", "return type(redis.call('SET', 'a', 1))",
           "return redis.call('SET', 'a', 1).ok", "return redis.call('INCR', 'n') + 0.5",
           "return redis.call('SET', 'b', 2^53 - 1).ok",
           "redis.call('SET', 'b', 12345678901) return redis.call('GET', 'b')",
           "redis.call('SET', 'b', 0.1) return redis.call('GET', 'b')", "return redis.pcall('HGET', 'a', 'b').err",
           "return redis.call('HGET', 'a', 'b')", "return redis.call('nonsense', 'a')", "return #KEYS + #ARGV",
           "error('what')", "return string.format('%.0f', 2^53)", "return tostring(redis.call('HGET', 'h', 'x'))",
       }) {
    simulation::script_engine engine(text, keys);
    const words none = {"one", "two"};
    EXPECT_EQ(shown(engine.run(none, 1000), false), shown(eval(c, text, none), false)) << text;
  }
}

/// An operation of the script that some instance of a small fleet might send.
words some_operation(simulation::random_stream& luck, const std::string& incarnation) {
  const std::string name = "c" + std::to_string(luck.below(3));
  const std::string instance = "i" + std::to_string(luck.below(4));
  const std::string lasts = std::to_string(life);
  const auto number = [&](std::uint64_t below) { return std::to_string(luck.below(below)); };
  words w = {"", "fleet", luck.happens(0.9) ? incarnation : luck.happens(0.5) ? "" : "another", "fresh", lasts, "1", instance};
  const auto then = [&](words more) {
    w.front() = more.front();
    w.insert(w.end(), more.begin() + 1, more.end());
    return w;
  };
  const std::string epoch = number(12);
  const std::string token = "t" + number(6);
  switch (luck.below(12)) {
    case 0:
    case 1:
      return then({"sync", number(20), lasts, "10", lasts, "1", name, epoch, "9", "4", "0", "1", name, "{}", "1", name, epoch});
    case 2: return then({"sync", "0", lasts, "2", lasts, "0", "0", "0"});
    case 3:
    case 4: {
      const char* const share = luck.happens(0.5) ? "500000" : "0";
      return then({"open", name, epoch, number(3), share, lasts, "0", "1", "5", "rule", "it failed"});
    }
    case 5:
    case 6: return then({"lease", name, epoch, "2", lasts, token});
    case 7: return then({"keep", name, epoch, "2", lasts, token});
    case 8: {
      const char* const outcomes[] = {"success", "failure", "none"};
      return then({"verdict", name, epoch, "1", token, outcomes[luck.below(3)], "2", "0", "2", "5", "so"});
    }
    case 9: return then({"recovered", name, epoch, "alone"});
    case 10: {
      const char* const states[] = {"forced_open", "disabled", "closed"};
      return then({"operate", name, "op" + number(4), states[luck.below(3)], luck.happens(0.5) ? "-1" : lasts, "me", "why"});
    }
    default:
      return luck.happens(0.3) ? then({"leave"})
                               : then({"restore", "1", name, epoch, "open", "0", "1", "5", "0", "rule", "r", "", instance, "3"});
  }
}

TEST_F(simulation_store, runs_the_script_of_the_fleet_as_redis_does) {
  auto c = connect();
  const std::string text(switchgear::fleet::script_text());
  for (std::uint64_t seed = 1; seed <= 4; ++seed) {
    c.command({"FLUSHALL"});
    simulation::keyspace keys;
    simulation::script_engine engine(text, keys);
    simulation::random_stream luck(seed, 2);
    std::string incarnation;
    const std::string lasts = std::to_string(life);
    const words first = {"sync", "fleet", "", "one", lasts, "1", "i0", "0", lasts, "10", lasts, "0", "0", "0"};
    ASSERT_EQ(shown(engine.run(first, 1000), false), shown(eval(c, text, first), false));
    incarnation = "one";
    for (int i = 0; i < 1500; ++i) {
      // The quarantine, a millisecond, is over on both sides.
      if (!test_support::eventually([&] { return c.command({"EXISTS", "sg:{fleet}:quarantine"}).integer == 0; })) FAIL();
      const words operation = some_operation(luck, incarnation);
      const store_value here = engine.run(operation, 1000 + 5 * (i + 1));
      ASSERT_EQ(shown(here, false), shown(eval(c, text, operation), false))
          << "seed " << seed << ", " << i << ": " << joined(operation);
      if (here.items.size() > 1) incarnation = here.items[1].text;
    }
  }
}

TEST_F(simulation_store, keys_end_with_the_millisecond_they_were_given) {
  simulation::keyspace keys;
  const auto run = [&](const words& w, std::int64_t now) {
    const std::vector<std::string_view> views(w.begin(), w.end());
    return shown(keys.run(views, now), false);
  };
  EXPECT_EQ(run({"SET", "a", "1", "PX", "10"}, 100), "+OK");
  EXPECT_EQ(run({"PTTL", "a"}, 110), "0");
  EXPECT_EQ(run({"GET", "a"}, 110), "1");
  EXPECT_EQ(run({"GET", "a"}, 111), "nil");
  EXPECT_EQ(run({"PTTL", "a"}, 111), "-2");
}

TEST_F(simulation_store, an_old_copy_knows_what_was_known_when_it_was_made) {
  simulation::simulated_store store("return {redis.call(unpack(ARGV))}");
  const auto run = [&](const words& w) { return store.run(w, 0).reply.value_or(words{"error"}); };
  run({"SET", "a", "1"});
  store.remember();
  run({"SET", "a", "2"});
  EXPECT_EQ(run({"GET", "a"}), words{"2"});
  store.roll_back();
  EXPECT_EQ(run({"GET", "a"}), words{"1"});
  store.empty();
  EXPECT_EQ(run({"EXISTS", "a"}), words{"0"});
}

}  // namespace
