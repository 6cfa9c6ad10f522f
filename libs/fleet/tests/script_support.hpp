// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "redis_server.hpp"
#include "script.hpp"

#include <switchgear/redis/connection.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace test_support {

using words = std::vector<std::string>;

/// A record of 12 strings, read.
struct stored {
  std::string name;
  std::uint64_t epoch = 0;
  std::string state;
  std::int64_t remaining = 0;
  std::uint64_t attempt = 0, failure_count = 0, successes = 0;
  std::string cause, reason, owner, by;
  std::uint64_t version = 0;
};

inline stored record_at(const words& reply, std::size_t at) {
  if (reply.size() < at + 12) throw std::runtime_error("no record in the reply");
  const auto number = [&](std::size_t i) { return std::stoull(reply[at + i]); };
  return {reply[at],     number(1),     reply[at + 2], std::stoll(reply[at + 3]), number(4),      number(5), number(6),
          reply[at + 7], reply[at + 8], reply[at + 9], reply[at + 10],            number(11)};
}

/// The script on a redis-server of the test's own.
class script_test : public testing::Test {
 protected:
  struct setting {
    std::string incarnation{};  ///< as the caller knows it
    std::string fresh = "made-1";
    std::string keep = "60000", quarantine = "1";
  };

  script_test() {
    server_.start();
    connection_.emplace(switchgear::redis::connection::open({.port = server_.port()}));
  }

  switchgear::redis::reply command(std::initializer_list<std::string_view> what) { return connection_->command(what); }

  /// The reply, or `{"error", what the server said}`.
  words run(const std::string& op, const std::string& instance, const words& arguments, const setting& s) {
    words all{"EVAL", std::string(switchgear::fleet::script_text()), "0", op, "test", s.incarnation, s.fresh, s.keep,
              s.quarantine, instance};
    all.insert(all.end(), arguments.begin(), arguments.end());
    const std::vector<std::string_view> views(all.begin(), all.end());
    connection_->append(views);
    const switchgear::redis::reply got = connection_->read();
    if (got.is_error()) return {"error", got.text};
    words out;
    for (const auto& element : got.elements) {
      EXPECT_EQ(element.is, switchgear::redis::reply::kind::text) << op << ": the reply has something that is no string";
      out.push_back(element.text);
    }
    return out;
  }
  words run(const std::string& op, const std::string& instance, const words& arguments = {}) {
    return run(op, instance, arguments, setting());
  }

  words sync(const std::string& instance, const setting& s, const std::string& version = "0",
             const words& rest = {"0", "0", "0"}, const std::string& most = "100") {
    words arguments{version, "5000", most, "5000"};
    arguments.insert(arguments.end(), rest.begin(), rest.end());
    return run("sync", instance, arguments, s);
  }
  words sync(const std::string& instance) { return sync(instance, setting()); }

  /// An opening that needs nobody else.
  words open(const std::string& name, const std::string& epoch, const std::string& instance = "a",
             const std::string& duration = "60000") {
    return run("open", instance, {name, epoch, "1", "0", "1000", duration, "1", "5", "rule", "5 failures"});
  }
  /// Open and due: probes may be asked for as soon as the quarantine of the new store is over.
  void open_due(const std::string& name) {
    ASSERT_EQ(open(name, "0", "a", "0")[0], "done");
    end_quarantine();
  }
  void end_quarantine() { command({"DEL", key("quarantine")}); }

  words lease(const std::string& name, const std::string& epoch, const std::string& token, const std::string& limit = "1",
              const std::string& ms = "60000", const std::string& instance = "a") {
    return run("lease", instance, {name, epoch, limit, ms, token});
  }
  words verdict(const std::string& name, const std::string& epoch, const std::string& slot, const std::string& token,
                const std::string& outcome, const std::string& threshold = "2") {
    return run("verdict", "a", {name, epoch, slot, token, outcome, threshold, "30000", "2", "1", "a probe"});
  }
  words operate(const std::string& name, const std::string& id, const std::string& state, const std::string& ttl = "-1") {
    return run("operate", "op", {name, id, state, ttl, "Ada", "maintenance"});
  }
  stored record_of(const std::string& name) { return record_at(run("record", "a", {name}), 3); }

  static std::string key(const std::string& rest) { return "sg:{test}:" + rest; }
  bool exists(const std::string& rest) { return command({"EXISTS", key(rest)}).integer == 1; }
  std::int64_t ttl(const std::string& rest) { return command({"PTTL", key(rest)}).integer; }
  /// As if its time were over.
  void end_timer(const std::string& name) { command({"DEL", key("t:" + name)}); }

  /// Everything the server holds.
  words keys() {
    words all;
    for (const auto& k : command({"KEYS", "*"}).elements) all.push_back(k.text);
    return all;
  }
  /// Contents without the lives of the keys, and without those that live for a moment only.
  words dump() {
    words all;
    for (const std::string& k : keys()) {
      if (k == key("quarantine") || k == key("looked") || k == key("renewing")) continue;
      all.push_back(k + "=" + command({"DUMP", k}).text);
    }
    std::sort(all.begin(), all.end());
    return all;
  }
  words without_ttl() {
    words found;
    for (const std::string& k : keys()) {
      if (command({"PTTL", k}).integer == -1) found.push_back(k);
    }
    return found;
  }

  redis_server server_;
  std::optional<switchgear::redis::connection> connection_;
};

}  // namespace test_support
