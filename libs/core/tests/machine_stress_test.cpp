// SPDX-License-Identifier: Apache-2.0
// Real threads on the real machine: what holds when all is quiet, over many rounds.
#include <switchgear/machine/storage.hpp>

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

namespace {

using namespace std::chrono_literals;
namespace sg = switchgear;
namespace m = switchgear::machine;
using sg::state;
using sg::verdict;
using storage = m::basic_storage<std::atomic>;

constexpr std::uint32_t threads = 4;
constexpr std::uint32_t lanes = 3;  // two threads own one, two share the last

m::lane_choice lane(std::uint32_t thread) {
  return {.lane = std::min(thread, lanes - 1), .exclusive = thread < lanes - 1};
}

/// The same threads for every round, let go together.
class crew {
 public:
  explicit crew(std::uint32_t size) : size_(size) {
    for (std::uint32_t i = 0; i < size; ++i) {
      workers_.emplace_back([this, i] {
        for (std::uint64_t round = 1;; ++round) {
          while (round_.load(std::memory_order_acquire) < round) std::this_thread::yield();
          if (over_.load(std::memory_order_acquire)) return;
          arrived_.fetch_add(1);
          for (int spins = 0; arrived_.load() < size_ * round;
               ++spins) {  // all start together where there are the cores
            if (spins > 1000) std::this_thread::yield();
          }
          (*work_)(i);
          finished_.fetch_add(1, std::memory_order_release);
        }
      });
    }
  }
  ~crew() {
    over_.store(true, std::memory_order_release);
    round_.fetch_add(1, std::memory_order_release);
    for (auto& w : workers_) w.join();
  }
  void run(const std::function<void(std::uint32_t)>& work) {
    work_ = &work;
    const std::uint64_t round = round_.fetch_add(1, std::memory_order_release) + 1;
    while (finished_.load(std::memory_order_acquire) < size_ * round) std::this_thread::yield();
  }

 private:
  std::uint64_t size_;
  const std::function<void(std::uint32_t)>* work_ = nullptr;
  std::atomic<std::uint64_t> round_{0}, arrived_{0}, finished_{0};
  std::atomic<bool> over_{false};
  std::vector<std::thread> workers_;
};

struct random {
  std::uint64_t x;
  std::uint64_t operator()(std::uint64_t n) {
    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;
    return x % n;
  }
};

/// What one thread saw.
struct tally {
  std::uint64_t successes = 0, failures = 0, ignored = 0, abandoned = 0, rejections = 0, late = 0, steps = 0, moved = 0;
  void note(const m::transitions& changes) {
    for (const auto& t : changes) ++steps, moved += t.changes_state();
  }
};

void expect_counted(const storage& block, const std::array<tally, threads>& tallies) {
  tally sum;
  for (const tally& t : tallies) {
    sum.successes += t.successes, sum.failures += t.failures, sum.ignored += t.ignored, sum.abandoned += t.abandoned;
    sum.rejections += t.rejections, sum.late += t.late, sum.steps += t.steps, sum.moved += t.moved;
  }
  const m::totals got = block.machine().metrics();
  EXPECT_EQ(got.successes, sum.successes);
  EXPECT_EQ(got.failures, sum.failures);
  EXPECT_EQ(got.ignored, sum.ignored);
  EXPECT_EQ(got.abandoned, sum.abandoned);
  EXPECT_EQ(got.rejections, sum.rejections);
  EXPECT_EQ(got.late_results, sum.late);
  EXPECT_EQ(got.transitions, sum.moved);
  EXPECT_EQ(m::state_word{block.header().word.load()}.generation(), sum.steps);
}

void expect_no_rule_holds(const storage& block, m::nanos now) {
  const m::observation at = block.machine().observe(now);
  if (m::state_word{block.header().word.load()}.state() != state::closed) return;
  const m::settings& s = block.in_force();
  const bool enough = at.window.calls >= s.minimum_calls;
  EXPECT_TRUE(s.failure_threshold == 0 || at.consecutive_failures < s.failure_threshold);
  EXPECT_TRUE(s.failure_count == 0 || at.window.failures < s.failure_count);
  EXPECT_TRUE(s.failure_rate == 0 || !enough ||
              at.window.failures * 1'000'000 < std::uint64_t{s.failure_rate} * at.window.calls);
  EXPECT_TRUE(s.slow_call_duration == 0 || !enough ||
              at.window.slow * 1'000'000 < std::uint64_t{s.slow_rate} * at.window.calls);
}

TEST(machine_stress, no_verdict_is_lost_from_a_window_that_holds_them_all) {
  crew workers(threads);
  for (const bool timed : {false, true}) {
    for (int round = 0; round < 300; ++round) {
      storage block(m::resolve({.failure_threshold = 0,
                                .window = timed ? sg::last(1h) : sg::calls(10'000),
                                .failure_count_threshold = 1 << 20}),
                    lanes, 1);
      std::array<tally, threads> tallies;
      workers.run([&](std::uint32_t t) {
        random draw{static_cast<std::uint64_t>(round * 16 + t + 1) * 0x9e3779b97f4a7c15u};
        for (int i = 0; i < 100; ++i) {
          const m::grant g = block.machine().acquire(i, lane(t)).permit;
          const bool failed = draw(3) == 0;
          block.machine().settle(g, failed ? verdict::failure : verdict::success, i, lane(t));
          ++(failed ? tallies[t].failures : tallies[t].successes);
        }
      });
      expect_counted(block, tallies);
      std::uint64_t failures = 0;
      for (const tally& t : tallies) failures += t.failures;
      const m::observation at = block.machine().observe(100);
      EXPECT_EQ(at.window.calls, threads * 100u);
      EXPECT_EQ(at.window.failures, failures);
      if (HasFailure()) return;
    }
  }
}

TEST(machine_stress, whatever_many_threads_do_the_books_balance_when_all_is_quiet) {
  crew workers(threads);
  const sg::config configs[] = {
      {.failure_threshold = 3, .open_duration = 50ns, .half_open_max_calls = 2, .probe_timeout = 40ns},
      {.failure_threshold = 0,
       .window = sg::calls(4),
       .failure_count_threshold = 3,
       .open_duration = 20ns,
       .success_threshold = 1},
      {.failure_threshold = 0,
       .window = sg::calls(40),
       .minimum_calls = 5,
       .failure_rate_threshold = 0.4,
       .open_duration = 0ns},
      {.failure_threshold = 0,
       .window = sg::last(100ms),
       .window_buckets = 60,
       .minimum_calls = 3,
       .failure_rate_threshold = 0.5,
       .open_duration = 10ns,
       .half_open_max_calls = 3},
  };
  for (int round = 0; round < 600; ++round) {
    storage block(m::resolve(configs[round % 4]), lanes, 1);
    std::array<tally, threads> tallies;
    std::atomic<m::nanos> time{0};
    // Time windows turn over many times in a round.
    const m::nanos tick = round % 4 == 3 ? 300'000 : 1;
    workers.run([&](std::uint32_t t) {
      random draw{static_cast<std::uint64_t>(round * 16 + t + 1) * 0x9e3779b97f4a7c15u};
      tally& mine = tallies[t];
      std::array<m::grant, 3> held{};
      for (int i = 0; i < 200; ++i) {
        const m::nanos now = time.fetch_add(tick, std::memory_order_relaxed);
        m::grant& g = held[draw(held.size())];
        if (draw(100) == 0) {
          mine.note(draw(2) == 0 ? block.machine().reset(now) : block.machine().trip(now));
        } else if (g.is == m::grant::kind::none) {
          const m::acquired got = block.machine().acquire(now, lane(t));
          mine.note(got.changes);
          g = got.permit;
          mine.rejections += g.is == m::grant::kind::none;
        } else {
          constexpr verdict verdicts[] = {verdict::success, verdict::success, verdict::success,  verdict::failure,
                                          verdict::failure, verdict::ignored, verdict::abandoned};
          const verdict v = verdicts[draw(7)];
          const m::settled done = block.machine().settle(g, v, now, lane(t));
          mine.note(done.changes);
          mine.late += done.late;
          ++(v == verdict::success   ? mine.successes
             : v == verdict::failure ? mine.failures
             : v == verdict::ignored ? mine.ignored
                                     : mine.abandoned);
          g = {};
        }
      }
    });
    expect_counted(block, tallies);
    expect_no_rule_holds(block, time.load());
    if (HasFailure()) {
      ADD_FAILURE() << "round " << round;
      return;
    }
  }
}

/// One thread's success completes the minimum for the other's failure: both must not miss each other, also on machines
/// that delay stores.
TEST(machine_stress, a_success_and_a_failure_that_complete_a_rule_together_never_miss_each_other) {
  crew workers(2);
  for (const bool timed : {true, false}) {
    for (const int before : {0, 2}) {
      const m::settings s = m::resolve({.failure_threshold = 0,
                                        .window = timed ? sg::last(1s) : sg::calls(before + 2),
                                        .minimum_calls = before + 2,
                                        .failure_rate_threshold = 0.25});
      for (int round = 0; round < 20'000; ++round) {
        storage block(s, 2, 1);
        for (int i = 0; i < before; ++i) {
          block.machine().settle(block.machine().acquire(0, lane(0)).permit, verdict::success, 0, lane(0));
        }
        const m::grant g = block.machine().acquire(0, lane(0)).permit;
        workers.run([&](std::uint32_t t) {
          block.machine().settle(g, t == 0 ? verdict::success : verdict::failure, 1, {.lane = t, .exclusive = true});
        });
        ASSERT_EQ(m::state_word{block.header().word.load()}.state(), state::open) << "round " << round;
      }
    }
  }
}

TEST(machine_stress, never_more_probes_at_once_than_allowed) {
  crew workers(threads);
  for (int round = 0; round < 1000; ++round) {
    const std::int64_t limit = 1 + round % 2;
    storage block(
        m::resolve(
            {.failure_threshold = 1, .open_duration = 0ns, .half_open_max_calls = limit, .success_threshold = 1000}),
        lanes, 1);
    block.machine().settle(block.machine().acquire(0, lane(0)).permit, verdict::failure, 0, lane(0));
    std::atomic<std::int64_t> live{0}, most{0};
    workers.run([&](std::uint32_t t) {
      for (int i = 0; i < 50; ++i) {
        const m::grant g = block.machine().acquire(1, lane(t)).permit;
        if (g.is != m::grant::kind::probe) continue;
        const std::int64_t now = live.fetch_add(1) + 1;
        for (std::int64_t seen = most.load(); seen < now && !most.compare_exchange_weak(seen, now);) {
        }
        live.fetch_sub(1);
        block.machine().settle(g, i % 3 == 0 ? verdict::ignored : verdict::success, 1, lane(t));
      }
    });
    ASSERT_LE(most.load(), limit) << "round " << round;
    ASSERT_EQ(block.machine().observe(1).probes_in_flight, 0u);
  }
}

}  // namespace
