// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "explorer.hpp"
#include <switchgear/machine/storage.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <functional>
#include <iostream>
#include <memory>
#include <string>

namespace switchgear::testing {

using namespace std::chrono_literals;
namespace sg = switchgear;
namespace m = switchgear::machine;

inline constexpr m::nanos second = 1'000'000'000;
using storage = m::basic_storage<explored>;

/// A block with what its threads got out of it. Plain memory: only one fiber runs at a time.
struct room {
  explicit room(const sg::config& c, std::uint32_t lanes = 3) : block(m::resolve(c), lanes, 1) {}

  [[nodiscard]] static m::lane_choice lane(std::uint32_t thread) { return {.lane = thread, .exclusive = true}; }

  m::acquired acquire(m::nanos now, std::uint32_t thread = 0) {
    m::acquired got = block.machine().acquire(now, lane(thread));
    note(got.changes);
    return got;
  }
  m::settled settle(const m::grant& g, verdict v, m::nanos now, std::uint32_t thread = 0) {
    m::settled got = block.machine().settle(g, v, now, lane(thread));
    note(got.changes);
    ++verdicts;
    if (v == verdict::success) ++successes;
    if (v == verdict::failure || v == verdict::timeout) ++failures;
    if (got.late) ++late;
    return got;
  }
  void call(verdict v, m::nanos now) { settle(acquire(now).permit, v, now); }

  void note(const m::transitions& changes) {
    for (const auto& t : changes) {
      ++steps;
      if (t.changes_state()) ++moved;
      if (t.generation < seen.size()) {
        require(!seen[t.generation], "two threads made the same generation");
        seen[t.generation] = true;
        made[t.generation] = t;
      }
    }
  }
  [[nodiscard]] m::state_word word() const { return {block.header().word.load()}; }
  [[nodiscard]] m::observation observe(m::nanos now) const { return block.machine().observe(now); }

  /// What has to hold whenever all is quiet, whatever happened.
  void quiet(m::nanos now) {
    const m::totals sum = block.machine().metrics();
    const m::observation at = observe(now);
    require_equal(at.generation, steps, "the generation is the number of steps that were told of");
    require_equal(sum.transitions, moved, "counted transitions");
    require_equal(sum.successes, successes, "counted successes");
    require_equal(sum.failures, failures, "counted failures");
    require_equal(sum.late_results, late, "counted late results");
    for (std::uint64_t g = 1; g <= steps; ++g) require(seen[g], "a generation nobody was told of");
    if (steps > 0) {
      const m::transition& last = made[steps];
      require_equal(static_cast<std::uint64_t>(word().state()), static_cast<std::uint64_t>(last.to), "the state");
      require(near(at.facts.since, last.at), "since");
      require_equal(at.facts.failure_count, last.failure_count, "failure_count");
      if (last.to == state::open || last.to == state::forced_open || last.to == state::disabled) {
        require(near(at.facts.until, last.until), "until is not what the transition said");
      }
    }
    quiet_facts();
    if (word().clean()) {
      require(word().state() == state::closed && word().count() == 0, "clean, but not closed without failures");
      require_equal(at.window.failures, 0, "clean, but a failure in the window");
      require_equal(at.window.slow, 0, "clean, but a slow call in the window");
      const m::settings& s = block.in_force();
      require(s.timed_window || at.window.calls == s.window_calls, "clean, but the window is not full");
    }
    if (word().state() == state::closed) no_rule_holds(at);
  }
  /// A time fact may be by the clock of whoever finished the transition: one of the clocks of the scenario.
  [[nodiscard]] bool near(m::nanos a, m::nanos b) const { return a - b <= apart && b - a <= apart; }
  void quiet_facts() const {
    const auto& h = block.header();
    if (steps == 0) return;
    for (const auto* fact : {&h.attempts, &h.closed_at, &h.since, &h.until}) {
      require_equal(fact->load() & 15, word().generation() & 15, "a fact that is not complete");
    }
  }
  void no_rule_holds(const m::observation& at) const {
    const m::settings& s = block.in_force();
    const auto reaches = [&](std::uint64_t part, std::uint64_t rate) {
      return part * 1'000'000 >= rate * at.window.calls;
    };
    const bool enough = at.window.calls >= s.minimum_calls;
    require(s.failure_threshold == 0 || at.consecutive_failures < s.failure_threshold,
            "rule 1 holds and has not fired");
    require(s.failure_rate == 0 || !enough || !reaches(at.window.failures, s.failure_rate),
            "rule 2 holds and has not fired");
    require(s.failure_count == 0 || at.window.failures < s.failure_count, "rule 3 holds and has not fired");
    require(s.slow_call_duration == 0 || !enough || !reaches(at.window.slow, s.slow_rate),
            "rule 4 holds and has not fired");
  }

  storage block;
  m::nanos apart = 0;  ///< how far the clocks of the threads are apart
  std::array<bool, 16> seen{};
  std::array<m::transition, 16> made{};
  std::uint64_t steps = 0, moved = 0, successes = 0, failures = 0, late = 0, verdicts = 0;
};

using shared_room = std::shared_ptr<room>;

inline shared_room make(scenario& s, const sg::config& c) {
  auto r = std::make_shared<room>(c);
  const auto& h = r->block.header();
  s.name(h.word, "word");
  s.name(h.attempts, "attempts");
  s.name(h.closed_at, "closed_at");
  s.name(h.since, "since");
  s.name(h.until, "until");
  s.name(h.epoch, "epoch");
  s.name(h.judged, "judged");
  s.name(h.failures, "failures");
  s.name(h.late_results, "late_results");
  for (std::uint32_t i = 0; i < 2; ++i) s.name(r->block.window()[i], "window[" + std::to_string(i) + "]");
  return r;
}

class machine_interleavings : public ::testing::Test {
 protected:
  exploration explore(const std::function<void(scenario&)>& build) {
    exploration seen = switchgear::testing::explore(build);
    EXPECT_EQ(seen.failure, "");
    executions_ += seen.executions;
    longest_ = std::max(longest_, seen.longest);
    return seen;
  }
  /// The same with thread 0 stopped for ever before each of its operations in turn.
  void explore_stopped(const std::function<void(scenario&)>& build) {
    for (std::size_t after = 0;; ++after) {
      const exploration seen = explore([&](scenario& s) {
        build(s);
        s.stop(0, after);
      });
      if (HasFailure()) {
        ADD_FAILURE() << "thread 0 stopped before its operation " << after;
        return;
      }
      if (!seen.stopped) return;
    }
  }
  void TearDown() override {
    RecordProperty("executions", std::to_string(executions_));
    RecordProperty("longest", std::to_string(longest_));
    std::cout << "             " << executions_ << " executions, the longest with " << longest_ << " operations\n";
  }

 private:
  std::uint64_t executions_ = 0;
  std::uint64_t longest_ = 0;
};

inline sg::config consecutive(std::int64_t threshold) {
  return {.failure_threshold = threshold, .window = sg::calls(1), .open_duration = 1s, .success_threshold = 1};
}
inline sg::config counting(std::int64_t window, std::int64_t failures) {
  return {
      .failure_threshold = 0, .window = sg::calls(window), .failure_count_threshold = failures, .open_duration = 1s};
}
inline sg::config probing(std::int64_t at_once, std::int64_t threshold) {
  return {.failure_threshold = 1,
          .window = sg::calls(1),
          .open_duration = 1s,
          .half_open_max_calls = at_once,
          .success_threshold = threshold,
          .probe_timeout = 5s};
}

/// Probes that their callers hold, by generation; the test's own book-keeping.
struct census {
  std::array<std::int64_t, 16> live{};
  std::int64_t limit = 1;
  void enter(const m::acquired& got) {
    if (got.permit.is != m::grant::kind::probe) return;
    require(++live[got.permit.generation] <= limit, "more probes at once than half_open_max_calls");
  }
  void leave(const m::grant& g) { --live[g.generation]; }
};

}  // namespace switchgear::testing
