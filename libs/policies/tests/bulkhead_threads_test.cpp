// SPDX-License-Identifier: Apache-2.0
// The bulkhead under threads: limits, hand-over, and withdrawals that race with grants.
#include <switchgear/bulkhead.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <cstdint>
#include <latch>
#include <stdexcept>
#include <thread>
#include <utility>
#include <vector>

namespace {

namespace sg = switchgear;
using outcome = sg::bulkhead::outcome;
using slot = sg::bulkhead::slot;
using withdrawal = sg::bulkhead::withdrawal;

/// Waits, without time, until so many calls are in the queue: the queue is the only sign that a thread blocks.
void until_queued(const sg::bulkhead& b, std::int64_t n) {
  while (b.metrics().queued != n) std::this_thread::yield();
}

TEST(bulkhead_threads, threads_never_exceed_the_limit_and_everything_is_back_at_the_end) {
  constexpr int threads = 4, calls = 3000, limit = 2;
  const sg::bulkhead b{{.max_concurrent = limit, .max_queue = 2}};
  std::atomic<int> inside{0}, most{0};
  std::atomic<std::uint64_t> ran{0}, rejected{0}, failed{0};
  std::latch start(threads);
  std::vector<std::thread> all;
  for (int t = 0; t < threads; ++t) {
    all.emplace_back([&, t] {
      start.arrive_and_wait();
      for (int i = 0; i < calls; ++i) {
        try {
          b.call([&] {
            const int now = ++inside;
            int seen = most.load();
            while (seen < now && !most.compare_exchange_weak(seen, now)) {
            }
            if (i % 16 == 0) std::this_thread::yield();
            --inside;
            ++ran;
            if ((i + t) % 7 == 0) throw std::runtime_error("down");
          });
        } catch (const sg::bulkhead_full_error&) {
          ++rejected;
        } catch (const std::runtime_error&) {
          ++failed;
        }
      }
    });
  }
  for (std::thread& t : all) t.join();
  EXPECT_LE(most.load(), limit);
  EXPECT_EQ(ran + rejected, static_cast<std::uint64_t>(threads * calls));
  const sg::bulkhead_metrics m = b.metrics();
  EXPECT_EQ(m.in_use, 0);
  EXPECT_EQ(m.queued, 0);
  EXPECT_EQ(m.entered, ran.load());
  EXPECT_EQ(m.rejected, rejected.load());
  EXPECT_LE(m.most_in_use, limit);
  EXPECT_GT(failed.load(), 0u);
}

TEST(bulkhead_threads, what_a_call_did_is_seen_by_the_next_in_its_place) {
  constexpr int threads = 3, calls = 2000;
  const sg::bulkhead b{{.max_concurrent = 1, .max_queue = threads}};
  int shared = 0;  // protected by the one place alone
  std::vector<std::thread> all;
  for (int t = 0; t < threads; ++t) {
    all.emplace_back([&] {
      for (int i = 0; i < calls; ++i) b.call([&] { ++shared; });
    });
  }
  for (std::thread& t : all) t.join();
  EXPECT_EQ(shared, threads * calls);
}

TEST(bulkhead_threads, a_stop_request_that_races_with_a_grant_neither_loses_nor_leaks_the_place) {
  constexpr int rounds = 300;
  const sg::bulkhead b{{.max_concurrent = 1, .max_queue = 1}};
  std::uint64_t ran = 0, cancelled = 0;
  for (int i = 0; i < rounds; ++i) {
    slot running = b.try_enter();
    ASSERT_TRUE(running);
    std::stop_source stop;
    std::thread waiting([&] {
      try {
        b.call(sg::execution{stop.get_token()}, [&] { ++ran; });
      } catch (const sg::cancelled_error&) {
        ++cancelled;
      }
    });
    until_queued(b, 1);
    std::latch both(2);
    std::thread stopping([&] {
      both.arrive_and_wait();
      stop.request_stop();
    });
    both.arrive_and_wait();
    running.give_back();
    waiting.join();
    stopping.join();
    ASSERT_EQ(b.metrics().in_use, 0);
    ASSERT_EQ(b.metrics().queued, 0);
  }
  EXPECT_EQ(ran + cancelled, static_cast<std::uint64_t>(rounds));
}

TEST(bulkhead_threads, withdrawals_that_race_with_grants_neither_lose_nor_leak_places) {
  constexpr int threads = 3, rounds = 4000;
  struct racing : sg::bulkhead::waiter {
    void granted(slot place) noexcept override {
      place.give_back();
      came.store(true, std::memory_order_release);
    }
    std::atomic<bool> came{false};
  };
  const sg::bulkhead b{{.max_concurrent = 1, .max_queue = threads}};
  std::atomic<std::uint64_t> at_once{0}, granted{0}, withdrawn{0};
  std::vector<std::thread> all;
  for (int t = 0; t < threads; ++t) {
    all.emplace_back([&] {
      for (int i = 0; i < rounds; ++i) {
        racing w;
        sg::bulkhead::entry got = b.enter(w);
        if (got.is == outcome::granted) {
          ++at_once;
          if (i % 8 == 0) std::this_thread::yield();  // so that others queue
          continue;
        }
        if (b.withdraw(w, withdrawal::cancelled)) {
          ++withdrawn;
        } else {
          while (!w.came.load(std::memory_order_acquire)) std::this_thread::yield();
          ++granted;
        }
      }
    });
  }
  for (std::thread& t : all) t.join();
  const sg::bulkhead_metrics m = b.metrics();
  EXPECT_EQ(m.in_use, 0);
  EXPECT_EQ(m.queued, 0);
  EXPECT_EQ(m.rejected, 0u);
  EXPECT_EQ(m.entered, at_once + granted);
  EXPECT_EQ(m.cancelled, withdrawn.load());
  EXPECT_EQ(at_once + granted + withdrawn, static_cast<std::uint64_t>(threads * rounds));
}

}  // namespace
