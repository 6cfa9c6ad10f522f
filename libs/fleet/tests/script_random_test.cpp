// SPDX-License-Identifier: Apache-2.0
#include "script_support.hpp"

#include <map>
#include <random>
#include <set>

namespace {

using namespace test_support;

/// Several instances that do whatever the dice say, with what they know of the store, which may be old.
class fleet_script_in_disorder : public script_test, public testing::WithParamInterface<unsigned> {
 protected:
  struct held {
    std::string token, slot, epoch;
  };
  struct player {
    std::string name, incarnation{}, version = "0";
    std::map<std::string, std::string> epochs{};
    std::map<std::string, std::vector<held>> leases{};
    std::map<std::string, words> records{};
  };

  unsigned dice(unsigned sides) { return static_cast<unsigned>(engine_() % sides); }
  setting knowing(const player& p) {
    return {.incarnation = p.incarnation, .fresh = "made-" + std::to_string(++made_), .keep = "60000", .quarantine = "3000"};
  }

  void learn(player& p, const words& reply, std::size_t at) {
    const stored r = record_at(reply, at);
    const std::uint64_t known = p.epochs.count(r.name) != 0 ? std::stoull(p.epochs[r.name]) : 0;
    if (r.epoch < known) return;
    p.epochs[r.name] = std::to_string(r.epoch);
    const auto first = reply.begin() + static_cast<std::ptrdiff_t>(at);
    p.records[r.name] = words(first, first + 12);
  }

  void exchange(player& p) {
    words got = sync(p.name, knowing(p), p.version);
    ASSERT_NE(got[0], "error") << got[1];
    if (got[0] == "all" && !p.incarnation.empty()) {
      for (auto& [name, leases] : p.leases) {
        for (held& l : leases) {
          const words kept = run("keep", p.name, {name, l.epoch, limit, "60000", l.token}, knowing(p));
          ASSERT_EQ(kept[0], "granted") << "a lease in force finds its slot";
          l.slot = kept[3];
        }
      }
      words known{std::to_string(p.records.size())};
      for (const auto& [name, fields] : p.records) known.insert(known.end(), fields.begin(), fields.end());
      ASSERT_EQ(run("restore", p.name, known, knowing(p))[0], "done");
      p.incarnation.clear();
      got = sync(p.name, knowing(p), "0");
    }
    p.incarnation = got[1];
    p.version = got[2];
    for (int i = 0; i < std::stoi(got[4]); ++i) learn(p, got, 5 + 12 * static_cast<std::size_t>(i));
  }

  void act(player& p) {
    const std::string name = "c" + std::to_string(dice(3));
    const std::string epoch = p.epochs.count(name) != 0 ? p.epochs[name] : "0";
    words got;
    std::size_t record = 3;
    switch (dice(16)) {
      case 0: return exchange(p);
      case 1:
      case 2:
      case 3:
        got = run("open", p.name,
                  {name, epoch, std::to_string(1 + dice(2)), "0", "50", dice(2) ? "0" : "2", "1", "1", "rule", ""}, knowing(p));
        break;
      case 4:
      case 5:
      case 6:
      case 7:
      case 8: {
        const std::string token = p.name + std::to_string(++tokens_);
        got = run("lease", p.name, {name, epoch, limit, "60000", token}, knowing(p));
        if (got[0] == "granted") {
          p.leases[name].push_back({token, got[3], epoch});
          ++granted_;
        }
        break;
      }
      case 9:
      case 10:
      case 11:
      case 12: {
        auto& mine = p.leases[name];
        if (mine.empty()) return;
        const held l = mine.back();
        const char* outcomes[] = {"success", "failure", "none"};
        got = run("verdict", p.name, {name, l.epoch, l.slot, l.token, outcomes[dice(3)], "2", "1", "2", "1", ""}, knowing(p));
        if (got[0] != "lost") mine.pop_back();
        break;
      }
      case 13: got = run("recovered", p.name, {name, epoch, ""}, knowing(p)); break;
      case 14: {
        const char* states[] = {"forced_open", "disabled", "closed", "closed"};
        got = run("operate", p.name, {name, std::to_string(++tokens_), states[dice(4)], dice(2) != 0 ? "-1" : "3", "o", ""},
                  knowing(p));
        break;
      }
      default: return;
    }
    ASSERT_NE(got[0], "error") << got[1];
    if (got[0] == "lost") return exchange(p);
    if (got[0] == "granted" || got[0] == "busy") record = 4;
    learn(p, got, record);
  }

  /// Not more than the limit, and each holder has a slot of its own.
  void look_at_leases(const std::vector<player>& players) {
    for (int c = 0; c < 3; ++c) {
      const std::string name = "c" + std::to_string(c);
      std::size_t in_force = 0;
      for (const player& p : players) in_force += p.leases.count(name) != 0 ? p.leases.at(name).size() : 0;
      ASSERT_LE(in_force, std::stoul(limit)) << name;
    }
  }

  static inline const std::string limit = "2";
  std::mt19937 engine_{GetParam()};
  int made_ = 0, tokens_ = 0, granted_ = 0;
};

TEST_P(fleet_script_in_disorder, leases_keep_their_limit_epochs_grow_and_every_key_ends) {
  std::vector<player> players;
  for (const char* name : {"ann", "bob", "eve", "joe"}) players.push_back({.name = name});
  for (player& p : players) exchange(p);
  end_quarantine();
  std::map<std::string, std::uint64_t> epochs;
  for (int step = 0; step < 800; ++step) {
    ASSERT_NO_FATAL_FAILURE(act(players[dice(4)]));
    if (dice(150) == 0) {
      // Everything is lost; all come back before the quarantine is over, as it is there for.
      command({"FLUSHALL"});
      for (player& p : players) ASSERT_NO_FATAL_FAILURE(exchange(p));
      ASSERT_NO_FATAL_FAILURE(look_at_leases(players));
      end_quarantine();
    }
    ASSERT_NO_FATAL_FAILURE(look_at_leases(players));
    for (int c = 0; c < 3; ++c) {
      const std::string name = "c" + std::to_string(c);
      const std::uint64_t now = record_of(name).epoch;
      ASSERT_GE(now, epochs[name]) << "step " << step;
      epochs[name] = now;
    }
  }
  EXPECT_EQ(without_ttl(), words());
  EXPECT_GT(granted_, 20) << "else nothing was shown";
}

INSTANTIATE_TEST_SUITE_P(seeds, fleet_script_in_disorder, testing::Range(1u, 9u));

}  // namespace
