// SPDX-License-Identifier: Apache-2.0
// Several agents around a small model of the store, with losses of all kinds.
#include "agent_support.hpp"

#include <algorithm>
#include <deque>
#include <map>
#include <random>
#include <set>

namespace {

using namespace fleet_test;
using nanos = std::chrono::nanoseconds;

/// What the script does, for one circuit and a clock that is never wrong.
class store_model {
 public:
  std::vector<std::string> news;

  void lose() { id_.clear(); }

  fleet::reply run(const std::vector<std::string>& a, nanos now) {
    now_ = now;
    if (id_.empty()) {
      id_ = a[3];
      r_ = {};
      r_.name = "payments";
      version_ = 0;
      slots_.clear();
      quarantine_ = now + std::chrono::milliseconds(std::stoll(a[5]));
    }
    const std::string& op = a[0];
    if (a[2] != id_ && op != "sync" && op != "restore" && op != "keep") return head("lost");
    std::erase_if(slots_, [now](const auto& s) { return s.second.second <= now; });
    const bool ended = fleet::is_override(r_.state) && r_.remaining.count() >= 0 && due_ <= now;
    if (ended) decide(fleet_state::closed, fleet_cause::none, -1, a[6]);
    if (op == "sync") return sync(a);
    if (op == "restore") return restore(a);
    if (op == "leave") return head("done");
    const auto epoch = op == "operate" ? 0 : std::stoull(a[8]);
    if (op == "open") {
      if (epoch != r_.epoch || r_.state != fleet_state::closed) return with_record("stale");
      decide(fleet_state::open, fleet_cause::rule, std::stoll(a[12]), a[6]);
      return with_record("done");
    }
    if (op == "recovered") {
      if (epoch != r_.epoch || r_.state != fleet_state::open) return with_record("stale");
      decide(fleet_state::closed, fleet_cause::recovered, -1, a[6]);
      return with_record("done");
    }
    if (op == "operate") {
      if (!actions_.insert(a[8]).second) return with_record("done");
      decide(a[9] == "closed" ? fleet_state::closed : fleet_state::forced_open, fleet_cause::operated, std::stoll(a[10]), a[6]);
      return with_record("done");
    }
    if (op == "lease" || op == "keep") return lease(a, op == "keep", epoch);
    return verdict(a, epoch);
  }

  [[nodiscard]] const fleet::record& truth() const { return r_; }

 private:
  fleet::reply head(std::string status) const { return {std::move(status), id_, std::to_string(version_)}; }
  fleet::record present() const {
    fleet::record r = r_;
    if (r.remaining.count() >= 0) r.remaining = std::max(0ms, std::chrono::ceil<std::chrono::milliseconds>(due_ - now_));
    return r;
  }
  fleet::reply with_record(std::string status, std::string extra = {}) const {
    auto out = head(std::move(status));
    if (!extra.empty()) out.push_back(std::move(extra));
    fleet::write(present(), out);
    return out;
  }
  void changed() {
    r_.version = ++version_;
    std::vector<std::string> fields;
    fleet::write(present(), fields);
    std::string message = id_;
    for (const auto& f : fields) message += "\n" + f;
    news.push_back(message);
  }
  void decide(fleet_state s, fleet_cause why, std::int64_t ms, const std::string& by) {
    ++r_.epoch;
    r_.state = s;
    r_.cause = why;
    r_.successes = 0;
    r_.remaining = std::chrono::milliseconds(s == fleet_state::closed ? -1 : ms);
    due_ = now_ + r_.remaining;
    r_.by = by;
    changed();
  }
  fleet::reply sync(const std::vector<std::string>& a) {
    const bool stranger = a[2] != id_;
    auto out = head(stranger ? "all" : "ok");
    const bool told = r_.epoch > 0 && (stranger || r_.version > std::stoull(a[7]));
    out.insert(out.end(), {"3", told ? "1" : "0"});
    if (told) fleet::write(present(), out);
    out.push_back("0");
    return out;
  }
  fleet::reply restore(const std::vector<std::string>& a) {
    auto r = fleet::read_record(std::span<const std::string>(a).subspan(8, 12));
    EXPECT_TRUE(r);
    if (r && r->epoch > r_.epoch) {
      r_ = *r;
      due_ = now_ + r_.remaining;
      changed();
    } else if (r && r->epoch == r_.epoch && r->state != r_.state) {
      ++r_.epoch;
      changed();
    }
    return head("done");
  }
  fleet::reply lease(const std::vector<std::string>& a, bool keeps, std::uint64_t epoch) {
    if (!keeps && (epoch != r_.epoch || r_.state != fleet_state::open)) return with_record("stale");
    for (const auto& [slot, held] : slots_) {
      if (held.first == a[11]) return with_record("granted", std::to_string(slot));
    }
    if (!keeps && (due_ > now_ || quarantine_ > now_)) return with_record("busy", "50");
    for (int slot = 1; slot <= std::stoi(a[9]); ++slot) {
      if (slots_.contains(slot)) continue;
      slots_[slot] = {a[11], now_ + std::chrono::milliseconds(std::stoll(a[10]))};
      return with_record("granted", std::to_string(slot));
    }
    return with_record("busy", "50");
  }
  fleet::reply verdict(const std::vector<std::string>& a, std::uint64_t epoch) {
    const auto at = slots_.find(std::stoi(a[9]));
    if (at == slots_.end() || at->second.first != a[10]) return with_record("stale");
    slots_.erase(at);
    if (epoch != r_.epoch || r_.state != fleet_state::open) return with_record("stale");
    if (a[11] == "failure") decide(fleet_state::open, fleet_cause::probe, std::stoll(a[13]), a[6]);
    if (a[11] == "success") {
      if (++r_.successes >= std::stoul(a[12])) {
        decide(fleet_state::closed, fleet_cause::recovered, -1, a[6]);
      } else {
        changed();
      }
    }
    return with_record("done");
  }

  std::string id_;
  fleet::record r_;
  std::uint64_t version_ = 0;
  nanos due_{0}, quarantine_{0}, now_{0};
  std::map<int, std::pair<std::string, nanos>> slots_;
  std::set<std::string> actions_;
};

/// An instance, and what is on its way to and from it.
struct node {
  node(int number, sg::testing::manual_clock& clock, const fleet::options& o, std::uint64_t seed)
      : breaker("payments",
                {.failure_threshold = 3, .open_duration = 40ms, .half_open_max_calls = 2, .success_threshold = 3,
                 .probe_timeout = 400ms},
                clock),
        agent(o, "web-" + std::to_string(number), seed) {
    agent.add(breaker);
  }
  ~node() { agent.remove("payments"); }
  sg::circuit_breaker breaker;
  fleet::agent agent;
  struct mail {
    nanos at;
    std::uint64_t id;
    std::vector<std::string> texts;
  };
  std::deque<mail> to_store, from_store, news;
  nanos up_at{0};
  std::uint64_t epoch = 0;
  /// A call at the upstream.
  struct call {
    sg::permit permit;
    nanos end;
    bool leased = false;  ///< a probe that the fleet has let through
  };
  std::vector<call> calls;
  /// Nobody could tell a store that forgot about these in time.
  void forget_leases() {
    for (call& c : calls) c.leased = false;
  }
};

class fleet_of_agents : public testing::TestWithParam<unsigned> {};

TEST_P(fleet_of_agents, agree_in_the_end_whatever_happened_and_never_probe_too_often) {
  std::mt19937 random(GetParam());
  const auto chance = [&](int one_in) { return random() % static_cast<unsigned>(one_in) == 0; };
  const auto any = [&](int most) { return std::chrono::milliseconds(random() % static_cast<unsigned>(most)); };
  sg::testing::manual_clock clock{1h};
  store_model store;
  fleet::options o = instance::quick();
  o.use_within = 100ms;
  std::deque<node> nodes;
  for (int i = 0; i < 4; ++i) nodes.emplace_back(i, clock, o, GetParam() * 10 + static_cast<unsigned>(i));

  bool calm = false;
  int most_probes = 0;
  nanos lost_at{0};
  for (int tick = 0; tick < 60'000; ++tick) {
    clock.advance(1ms);
    const nanos now = clock.now();
    if (tick == 50'000) calm = true;
    const bool healthy = calm || tick / 5000 % 2 == 0;
    if (!calm && chance(5000)) {
      store.lose();
      lost_at = now;
      for (node& n : nodes) {
        if (!n.agent.is_up()) n.forget_leases();
      }
    }
    int probes = 0;
    for (node& n : nodes) {
      // the calls of this instance
      if (chance(20)) {
        const bool offered = gate(n.breaker) == phase::offered;
        if (auto p = n.breaker.try_acquire()) {
          n.calls.push_back({std::move(p), now + any(300), offered && gate(n.breaker) == phase::taken});
        }
      }
      for (node::call& c : n.calls) {
        if (now < c.end) continue;
        if (healthy) c.permit.success(); else c.permit.failure("down");
      }
      std::erase_if(n.calls, [now](const node::call& c) { return now >= c.end; });
      if (!calm && chance(15'000)) n.breaker.force_open("by hand", "Ada", 500ms + any(500));
      if (!calm && chance(15'000)) n.breaker.release("by hand");
      if (!calm && chance(15'000)) n.breaker.reset("by hand");
      if (!calm && chance(15'000)) n.breaker.trip("by hand");
      // the network
      if (!calm && n.agent.is_up() && chance(4000)) {
        n.agent.link_down(now, "lost");
        if (now - lost_at < 1s) n.forget_leases();
      }
      if (!n.agent.is_up()) {
        n.to_store.clear();
        n.from_store.clear();
        n.news.clear();
        if (n.up_at == nanos(0)) n.up_at = now + any(calm ? 100 : 1000);
        if (now >= n.up_at) {
          n.up_at = nanos(0);
          n.agent.link_up(now);
        }
      }
      while (!n.to_store.empty() && n.to_store.front().at <= now) {
        const auto m = std::move(n.to_store.front());
        n.to_store.pop_front();
        n.from_store.push_back({now + any(8), m.id, store.run(m.texts, now)});
        for (node& other : nodes) {
          if (!other.agent.is_up()) continue;
          for (const auto& text : store.news) other.news.push_back({now + any(20), 0, {text}});  // these overtake each other
        }
        store.news.clear();
      }
      while (!n.from_store.empty() && n.from_store.front().at <= now) {
        const auto m = std::move(n.from_store.front());
        n.from_store.pop_front();
        n.agent.answered(m.id, m.texts, now);
        if (chance(50)) n.agent.answered(m.id, m.texts, now);
      }
      for (auto at = n.news.begin(); at != n.news.end();) {
        if (at->at > now) {
          ++at;
          continue;
        }
        if (!chance(30) || calm) n.agent.news(at->texts[0], now);
        at = n.news.erase(at);
      }
      std::vector<fleet::request> asked;
      n.agent.step(now, asked);
      nanos arrives = n.to_store.empty() ? now : std::max(now, n.to_store.back().at);
      for (auto& r : asked) n.to_store.push_back({arrives += any(4), r.id, std::move(r.arguments)});

      if (const auto* known = n.agent.known("payments")) {
        ASSERT_GE(known->epoch, n.epoch) << "epochs never go back";
        n.epoch = known->epoch;
      }
      ASSERT_TRUE(n.agent.is_up() || gate(n.breaker) == phase::off);
      probes += static_cast<int>(std::count_if(n.calls.begin(), n.calls.end(), [](const node::call& c) { return c.leased; }));
    }
    most_probes = std::max(most_probes, probes);
    ASSERT_LE(probes, 2) << "at " << tick;
  }
  EXPECT_EQ(most_probes, 2);
  EXPECT_GT(nodes[0].epoch, 10u);
  const fleet::record& truth = store.truth();
  EXPECT_EQ(truth.state, fleet_state::closed);
  for (node& n : nodes) {
    EXPECT_EQ(n.agent.link_state(), fleet::link::shared);
    EXPECT_EQ(n.agent.known("payments")->epoch, truth.epoch);
    EXPECT_TRUE(n.breaker.is_closed());
    EXPECT_EQ(gate(n.breaker), phase::off);
    EXPECT_EQ(admitted(n.breaker), 100);
  }
}

INSTANTIATE_TEST_SUITE_P(seeds, fleet_of_agents, testing::Range(1u, 13u));

}  // namespace
