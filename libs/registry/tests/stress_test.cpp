// SPDX-License-Identifier: Apache-2.0
#include "support.hpp"

#include "name_table.hpp"

#include <array>
#include <atomic>
#include <random>

namespace {

using namespace registries;

/// Runs `work(0)` … `work(n - 1)` at the same time.
template <class F>
void at_once(int n, F&& work) {
  std::vector<std::thread> threads;
  for (int i = 0; i < n; ++i) threads.emplace_back([&work, i] { work(i); });
  for (auto& t : threads) t.join();
}

TEST(registry_stress, handles_carry_the_right_name_while_breakers_come_and_go) {
  manual_clock clock;
  sg::registry circuits(quiet({.max_breakers = 50, .when_full = sg::when_registry_full::pass_through}), clock);
  std::atomic<std::uint64_t> wrong{0}, calls{0};
  at_once(4, [&](int who) {
    std::mt19937 random(static_cast<unsigned>(who));
    std::array<sg::breaker_handle, 8> kept;
    for (int i = 0; i < 6'000; ++i) {
      // Some names are too long for the record, and end alike.
      std::string name = "breaker " + std::to_string(random() % 200);
      if (random() % 2 == 0) name.insert(0, 60, 'x');
      switch (random() % 16) {
        case 0: circuits.remove(name); break;
        case 1:
          if (const auto h = circuits.find(name); h && h->name() != name) ++wrong;
          break;
        case 2: kept[random() % kept.size()] = {}; break;
        case 3: (void)circuits.open_circuits(); break;
        case 4:
          if (random() % 64 == 0) circuits.clear();
          break;
        default: {
          auto h = circuits.get(name);
          if (h->name() != name) ++wrong;
          if (h->call([&] { return name.size(); }) != name.size()) ++wrong;
          ++calls;
          if (random() % 4 == 0) kept[random() % kept.size()] = std::move(h);
        }
      }
      if (circuits.size() > 50) ++wrong;
    }
    for (const auto& h : kept) {
      if (h && h->state() != sg::state::closed && h->state() != sg::state::disabled) ++wrong;
    }
  });
  EXPECT_EQ(wrong.load(), 0U);
  EXPECT_GT(calls.load(), 0U);
  const auto m = circuits.metrics();
  EXPECT_EQ(m.created - m.evicted - m.removed, circuits.size());
  EXPECT_EQ(circuits.names().size(), circuits.size());
  circuits.clear();
  EXPECT_EQ(circuits.size(), 0U);
}

TEST(registry_stress, all_who_ask_for_one_new_name_get_one_breaker_and_every_call_counts) {
  manual_clock clock;
  sg::registry circuits(quiet(), clock);
  constexpr int threads = 4, names = 300, calls = 5;
  at_once(threads, [&](int) {
    for (int n = 0; n < names; ++n) {
      const auto h = circuits.get(std::to_string(n));
      for (int i = 0; i < calls; ++i) h->call([] {});
    }
  });
  EXPECT_EQ(circuits.metrics().created, static_cast<std::uint64_t>(names));
  for (const sg::snapshot& s : circuits.snapshots()) EXPECT_EQ(s.metrics.successes, static_cast<std::uint64_t>(threads * calls));
}

TEST(registry_stress, a_breaker_that_is_there_is_found_while_others_come_and_go_and_the_table_grows) {
  manual_clock clock;
  sg::registry circuits(quiet({.max_breakers = 100'000}), clock);
  const auto stays = circuits.get("stays");
  std::atomic<bool> done{false};
  std::atomic<int> missed{0};
  std::thread reader([&] {
    while (!done.load()) {
      if (!circuits.find("stays") || !circuits.contains("stays")) ++missed;
    }
  });
  at_once(2, [&](int who) {
    for (int i = 0; i < 10'000; ++i) {
      const std::string name = std::to_string(who) + " " + std::to_string(i);
      circuits.get(name);
      if (i % 3 == 0) circuits.remove(name);
    }
  });
  done.store(true);
  reader.join();
  EXPECT_EQ(missed.load(), 0);
}

TEST(registry_stress, an_idle_breaker_that_stays_listed_is_always_found_while_others_are_evicted) {
  manual_clock clock;
  sg::registry circuits(quiet({.max_breakers = 4}), clock);
  {
    auto h = circuits.get("has a past");
    fail_times(h, 1);
  }
  std::atomic<bool> done{false};
  std::atomic<int> missed{0};
  std::thread reader([&] {
    while (!done.load()) {
      if (!circuits.find("has a past")) ++missed;
    }
  });
  for (int i = 0; i < 20'000; ++i) circuits.get(std::to_string(i));
  done.store(true);
  reader.join();
  EXPECT_EQ(missed.load(), 0);
}

TEST(registry_stress, handles_outlive_the_registry_on_other_threads) {
  for (int round = 0; round < 30; ++round) {
    manual_clock clock;
    auto circuits = std::make_unique<sg::registry>(quiet({.timer = true}), clock);
    std::atomic<int> ready{0};
    std::vector<std::thread> threads;
    for (int t = 0; t < 3; ++t) {
      threads.emplace_back([&, h = circuits->get("a", small_config())]() mutable {
        ++ready;
        for (int i = 0; i < 200; ++i) {
          const sg::breaker_handle copy = h;
          (void)copy->try_call([i] {
            if (i % 3 == 0) throw std::runtime_error("x");
          });
        }
        h = {};
      });
    }
    until([&] { return ready.load() == 3; });
    circuits.reset();
    for (auto& t : threads) t.join();
    EXPECT_EQ(clock.timers(), 0U);
  }
}

TEST(registry_stress, observers_come_and_go_with_breakers) {
  manual_clock clock;
  sg::registry circuits(quiet({.max_breakers = 20, .when_full = sg::when_registry_full::pass_through}), clock);
  std::atomic<std::uint64_t> heard{0};
  at_once(3, [&](int who) {
    for (int i = 0; i < 300; ++i) {
      if (who == 0) {
        const auto s = circuits.observe([&](const sg::event&) { ++heard; });
        (void)circuits.find("0");
      } else {
        auto h = circuits.get(std::to_string(i % 40));
        h->trip();
        h->reset();
        if (i % 10 == 0) circuits.remove(h->name());
      }
    }
  });
  sg::drain_events();
  const auto before = heard.load();
  circuits.get("0")->trip();
  sg::drain_events();
  EXPECT_EQ(heard.load(), before) << "nobody observes any more";
}

}  // namespace
