// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "agent.hpp"

#include <switchgear/testing/manual_clock.hpp>

#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace fleet_test {

namespace sg = switchgear;
namespace fleet = switchgear::fleet;
using namespace std::chrono_literals;
using fleet::fleet_cause;
using fleet::fleet_state;
using phase = sg::machine::gate_word::phase;

/// One instance: an agent with breakers on a clock that stands still, and a test that plays the store by hand.
class instance {
 public:
  explicit instance(fleet::options o = quick(), std::string name = "web-1")
      : agent_(std::make_unique<fleet::agent>(o, std::move(name), 7)) {}
  ~instance() {
    if (agent_) agent_.reset();  // before the breakers
  }

  static fleet::options quick() {
    fleet::options o;
    o.name = "shop";
    o.ramp = {{0.25, 1s}, {0.5, 2s}};
    return o;
  }
  static fleet::options with(fleet::sharing opening) {
    fleet::options o = quick();
    o.opening = opening;
    return o;
  }
  static sg::config three_strikes() {
    return {.failure_threshold = 3, .open_duration = 10s, .success_threshold = 1, .probe_timeout = 4s};
  }

  sg::circuit_breaker& make(const std::string& name, const sg::config& c = three_strikes()) {
    breakers_.push_back(std::make_unique<sg::circuit_breaker>(name, c, clock_));
    return *breakers_.back();
  }
  sg::circuit_breaker& add(const std::string& name, const sg::config& c = three_strikes()) {
    sg::circuit_breaker& b = make(name, c);
    agent_->add(b);
    return b;
  }

  [[nodiscard]] fleet::agent& agent() { return *agent_; }
  void end() { agent_.reset(); }
  [[nodiscard]] sg::testing::manual_clock& clock() { return clock_; }
  [[nodiscard]] std::chrono::nanoseconds now() const { return clock_.now(); }

  /// What the agent asks now.
  std::vector<fleet::request> step() {
    std::vector<fleet::request> out;
    agent_->step(now(), out);
    return out;
  }
  /// All steps of `time`, as often as the agent wants them; syncs are answered with nothing new, the rest is returned.
  std::vector<fleet::request> run(std::chrono::nanoseconds time, bool until_asked = false) {
    std::vector<fleet::request> asked;
    const auto end = now() + time;
    for (;;) {
      for (auto& r : step()) {
        if (r.arguments[0] == "sync" && answers_syncs) {
          answer(r, sync_reply());
        } else {
          asked.push_back(std::move(r));
        }
      }
      if (now() >= end || (until_asked && !asked.empty())) return asked;
      clock_.advance(std::min(std::max<std::chrono::nanoseconds>(agent_->next(now()), 1ms), end - now()));
    }
  }
  /// The one request for `what` that the agent sends next, within `time`; syncs in between are answered.
  fleet::request expect(std::string_view what, std::chrono::nanoseconds time = 50ms) {
    auto asked = run(time, true);
    if (asked.size() != 1 || asked.front().arguments[0] != what) {
      std::string seen;
      for (const auto& r : asked) seen += " " + r.arguments[0];
      ADD_FAILURE() << "expected one " << what << ", saw" << (seen.empty() ? " nothing" : seen);
      if (asked.empty()) return {0, std::vector<std::string>(30)};
    }
    return asked.front();
  }
  /// The exchange that is due within `time`, not answered.
  fleet::request sync(std::chrono::nanoseconds time = 300ms) {
    const bool before = std::exchange(answers_syncs, false);
    auto asked = run(time, true);
    answers_syncs = before;
    if (asked.size() != 1 || asked[0].arguments[0] != "sync") {
      ADD_FAILURE() << "no sync" << (asked.empty() ? "" : " but " + asked[0].arguments[0]);
      return {0, std::vector<std::string>(30)};
    }
    return asked[0];
  }
  void expect_nothing(std::chrono::nanoseconds time = 300ms) {
    for (const auto& r : run(time)) ADD_FAILURE() << "asked for " << r.arguments[0];
  }

  void answer(const fleet::request& r, const fleet::reply& texts) { agent_->answered(r.id, texts, now()); }
  void answer(const fleet::request& r, std::string_view status, const fleet::record& rec, std::string extra = {}) {
    fleet::reply texts = head(status);
    if (!extra.empty()) texts.push_back(std::move(extra));
    fleet::write(rec, texts);
    answer(r, texts);
  }
  [[nodiscard]] fleet::reply head(std::string_view status) const {
    return {std::string(status), incarnation, std::to_string(version)};
  }
  [[nodiscard]] fleet::reply sync_reply(std::string_view status = "ok", std::initializer_list<fleet::record> records = {}) const {
    fleet::reply texts = head(status);
    texts.insert(texts.end(), {"2", std::to_string(records.size())});
    for (const fleet::record& r : records) fleet::write(r, texts);
    texts.push_back("0");
    return texts;
  }

  /// A decision as the store would number it.
  fleet::record decided(std::string name, fleet_state s, std::uint64_t epoch, fleet_cause why = fleet_cause::rule,
                        std::chrono::milliseconds left = 10s, std::string by = "web-2") {
    fleet::record r;
    r.name = std::move(name);
    r.epoch = epoch;
    r.state = s;
    r.remaining = s == fleet_state::closed ? -1ms : left;
    r.cause = why;
    r.reason = s == fleet_state::open ? "5 consecutive failures (threshold 5)" : "because";
    r.by = std::move(by);
    r.version = ++version;
    return r;
  }
  void news(const fleet::record& r) { news(r, incarnation); }
  void news(const fleet::record& r, const std::string& of) {
    std::vector<std::string> fields;
    fleet::write(r, fields);
    std::string message = of;
    for (const auto& f : fields) message += "\n" + f;
    agent_->news(message, now());
  }

  /// Connects; the store has these.
  void join(std::initializer_list<fleet::record> records = {}) {
    agent_->link_up(now());
    const auto asked = step();
    ASSERT_EQ(asked.size(), 1u);
    ASSERT_EQ(asked[0].arguments[0], "sync");
    answer(asked[0], sync_reply("all", records));
    ASSERT_EQ(agent_->link_state(), fleet::link::shared);
  }
  /// The same after a loss: the store is the one that was known. First it is asked for what is new, then for everything.
  void rejoin(std::initializer_list<fleet::record> records = {}) {
    agent_->link_up(now());
    while (agent_->link_state() != fleet::link::shared) {
      const auto asked = step();
      ASSERT_EQ(asked.size(), 1u);
      ASSERT_EQ(asked[0].arguments[0], "sync");
      answer(asked[0], sync_reply("ok", records));
    }
  }

  /// The circuit of the fleet opens by another instance's decision, and its open period passes.
  fleet::record opened_elsewhere(const std::string& name, std::uint64_t epoch = 1, std::chrono::milliseconds left = 10s) {
    const auto r = decided(name, fleet_state::open, epoch, fleet_cause::rule, left);
    news(r);
    return r;
  }
  /// Open, due, asked for: a lease in the gate.
  fleet::request offered(sg::circuit_breaker& b, std::uint64_t epoch = 1) {
    last_open = opened_elsewhere(b.name(), epoch);
    run(10s);
    EXPECT_FALSE(b.try_acquire());
    auto asked = expect("lease");
    last_open.remaining = 0ms;
    answer(asked, "granted", last_open, "1");
    return asked;
  }

  std::string incarnation = "store-1";
  std::uint64_t version = 0;
  bool answers_syncs = true;
  fleet::record last_open;

 private:
  sg::testing::manual_clock clock_{1h};
  std::vector<std::unique_ptr<sg::circuit_breaker>> breakers_;
  std::unique_ptr<fleet::agent> agent_;
};

/// The arguments behind those that all requests have.
inline std::vector<std::string> own(const fleet::request& r) { return {r.arguments.begin() + 7, r.arguments.end()}; }
inline void fail(sg::circuit_breaker& b, int times) {
  for (int i = 0; i < times; ++i) {
    if (auto p = b.try_acquire()) p.failure("refused");
  }
}
inline phase gate(const sg::circuit_breaker& b) { return sg::detail::breaker_access::look(b).gate.is(); }
inline std::string last_reason(const sg::circuit_breaker& b) {
  const auto history = b.history();
  return history.empty() ? "" : history.back().reason;
}
/// How many of a hundred calls are admitted and succeed.
inline int admitted(sg::circuit_breaker& b) {
  int n = 0;
  for (int i = 0; i < 100; ++i) {
    if (auto p = b.try_acquire()) ++n, p.success();
  }
  return n;
}

}  // namespace fleet_test
