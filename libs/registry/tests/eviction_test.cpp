// SPDX-License-Identifier: Apache-2.0
#include "support.hpp"

#include <atomic>

namespace {

using namespace registries;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

/// A window that is soon full of something else.
const sg::config short_memory{.window = sg::calls(2), .minimum_calls = 2};

/// Which breakers make room for a new one.
struct eviction : testing::Test {
  manual_clock clock;
  sg::registry circuits{quiet({.max_breakers = 3}), clock};

  void has_failed_and_recovered(const std::string& name) {
    auto h = circuits.get(name, short_memory);
    fail_times(h, 1);
    succeed_times(*h, 3);
  }
  /// Whether one more name finds room while all others are held.
  bool makes_room(const std::string& name) {
    std::vector<sg::breaker_handle> held;
    for (int i = 0; circuits.size() < 3; ++i) held.push_back(circuits.get("held " + std::to_string(i)));
    try {
      circuits.get("new");
    } catch (const sg::registry_full_error&) {
      EXPECT_TRUE(circuits.contains(name));
      return false;
    }
    EXPECT_FALSE(circuits.contains(name));
    return true;
  }
};

TEST_F(eviction, spares_evidence_whose_counters_were_reset) {
  {
    auto h = circuits.get("a");
    fail_times(h, 4);
    h->reset_metrics();
    EXPECT_EQ(h->snapshot().metrics.failures, 0U);
  }
  EXPECT_FALSE(makes_room("a"));
  EXPECT_EQ(circuits.find("a")->snapshot().consecutive_failures, 4U);
}

TEST_F(eviction, spares_a_breaker_with_an_observer_of_its_own) {
  std::atomic<int> heard{0};
  const auto subscription = circuits.get("a")->observe([&](const sg::event&) { ++heard; }, sg::event_filter::transitions);
  EXPECT_FALSE(makes_room("a"));
  circuits.get("a")->trip();
  sg::drain_events();
  EXPECT_EQ(heard.load(), 1);
}

TEST_F(eviction, takes_a_breaker_whose_observer_has_gone) {
  { const auto subscription = circuits.get("a")->observe([](const sg::event&) {}); }
  EXPECT_TRUE(makes_room("a"));
}

TEST_F(eviction, takes_a_breaker_that_only_observers_of_the_registry_observe) {
  const auto subscription = circuits.observe([](const sg::event&) {});
  circuits.get("a");
  EXPECT_TRUE(makes_room("a"));
}

TEST_F(eviction, takes_a_breaker_whose_past_is_over) {
  has_failed_and_recovered("a");
  EXPECT_TRUE(makes_room("a"));
}

TEST_F(eviction, takes_first_what_has_no_past) {
  has_failed_and_recovered("a");
  circuits.get("b");
  const auto c = circuits.get("c");
  const auto d = circuits.get("d");
  EXPECT_THAT(circuits.names(), ElementsAre("a", "c", "d"));
}

TEST_F(eviction, takes_last_what_was_looked_up_of_those_whose_past_is_over) {
  for (const char* name : {"a", "b", "c"}) has_failed_and_recovered(name);
  const auto d = circuits.get("d");  // takes the marks of use away
  EXPECT_THAT(circuits.names(), ElementsAre("b", "c", "d"));
  (void)circuits.find("b");
  const auto e = circuits.get("e");
  EXPECT_THAT(circuits.names(), ElementsAre("b", "d", "e"));
}

TEST_F(eviction, keeps_room_for_names_that_fail_once_and_recover) {
  for (int i = 0; i < 100; ++i) has_failed_and_recovered(std::to_string(i));
  EXPECT_EQ(circuits.metrics().turned_away, 0U);
}

TEST_F(eviction, refuses_in_words_that_are_true_of_breakers_that_nobody_holds) {
  for (const char* name : {"a", "b", "c"}) fail_times(*circuits.get(name), 1);
  try {
    circuits.get("d");
    FAIL();
  } catch (const sg::registry_full_error& e) {
    EXPECT_THAT(e.what(), HasSubstr("none was found that may go"));
  }
}

TEST(eviction_of_many, finds_the_idle_one_wherever_it_is_after_finding_none) {
  manual_clock clock;
  constexpr std::size_t most = 40'000;
  sg::registry circuits(quiet({.max_breakers = most}), clock);
  std::vector<sg::breaker_handle> held;
  for (std::size_t i = 0; i < most; ++i) held.push_back(circuits.get(std::to_string(i)));
  EXPECT_THROW(circuits.get("one more"), sg::registry_full_error);
  held[most - 1] = {};
  EXPECT_NO_THROW(circuits.get("one more"));
}

TEST(eviction_of_many, finds_one_whose_past_is_over_some_names_later_after_finding_none) {
  manual_clock clock;
  constexpr int most = 3'000;
  sg::registry circuits(quiet({.max_breakers = most}), clock);
  for (int i = 0; i < most; ++i) fail_times(*circuits.get(std::to_string(i), short_memory), 1);
  EXPECT_THROW(circuits.get("one more"), sg::registry_full_error);
  succeed_times(*circuits.find("2900"), 3);
  int refused = 0;
  while (!circuits.contains("one more") && refused < 10) {
    try {
      circuits.get("one more");
    } catch (const sg::registry_full_error&) {
      ++refused;
    }
  }
  EXPECT_LT(refused, 10);
  EXPECT_FALSE(circuits.contains("2900"));
}

/// Calls something on the way when it is asked for the time, as a thread that comes in between would.
class interrupting_clock final : public sg::clock {
 public:
  [[nodiscard]] std::chrono::nanoseconds now() const noexcept override {
    if (++readings == interrupted_at) interruption();
    return 0s;
  }
  timer call_at(std::chrono::nanoseconds, std::function<void()>) override { return 0; }
  void cancel(timer) noexcept override {}

  mutable int readings = 0;
  int interrupted_at = 0;
  std::function<void()> interruption;
};

/// Looks for room when there is one idle breaker, which is interrupted at one reading of the clock after the other: before the
/// first look at it, between its looks, and in the midst of them.
template <class During, class After>
void interrupt_eviction_everywhere(During during, After after) {
  int last = 5;
  for (int at = 0; at < last; ++at) {
    SCOPED_TRACE("interrupted at reading " + std::to_string(at));
    interrupting_clock clock;
    sg::registry circuits(quiet({.max_breakers = 1}), clock);
    sg::circuit_breaker* const victim = circuits.get("victim").get();
    clock.readings = 0;
    clock.interrupted_at = at;
    clock.interruption = [&] { during(circuits, *victim); };
    try {
      circuits.get("other");
    } catch (const sg::registry_full_error&) {
    }
    if (at == 0) {  // not at all: to see how many readings there are; the last is that of the history, after all figures
      last = clock.readings;
      EXPECT_GE(last, 5) << "one to make the other, two a look";
      EXPECT_TRUE(circuits.contains("other"));
    } else {
      after(circuits);
    }
  }
}

void fail(sg::circuit_breaker& b) {
  if (auto p = b.try_acquire()) p.failure();
}

TEST(eviction_races, spare_what_fails_before_between_and_during_the_looks) {
  interrupt_eviction_everywhere([](sg::registry&, sg::circuit_breaker& victim) { fail(victim); },
                                [](sg::registry& circuits) { EXPECT_TRUE(circuits.contains("victim")); });
}

TEST(eviction_races, hide_no_breaker_that_stays_from_those_who_walk_over_all) {
  std::thread walker;
  std::vector<std::string> seen;
  interrupt_eviction_everywhere(
      [&](sg::registry& circuits, sg::circuit_breaker& victim) {
        fail(victim);  // so it stays
        auto done = std::make_shared<std::atomic<bool>>(false);
        walker = std::thread([&, done] {
          seen = circuits.names();
          done->store(true);
        });
        // Whoever waits for the eviction to end is given up on; whoever passes by does so meanwhile.
        for (int i = 0; i < 5'000 && !done->load(); ++i) std::this_thread::yield();
      },
      [&](sg::registry&) {
        walker.join();
        EXPECT_THAT(seen, ElementsAre("victim"));
      });
}

TEST(eviction_races, let_a_reload_miss_no_breaker) {
  folder here;
  const std::string file = here / "circuits.toml";
  const auto text = [](int i) { return "[defaults]\nfailure_threshold = " + std::to_string(i) + "\n"; };
  write(file, text(1));
  manual_clock clock;
  sg::registry circuits(quiet({.max_breakers = 20, .file = file}), clock);
  std::atomic<bool> done{false};
  const auto churn = [&](int who) {
    for (int i = 0; !done.load(); ++i) {
      auto h = circuits.get(std::to_string(who) + "." + std::to_string(i));
      if (i % 5 == 0) fail_times(h, 1), h->reset();
    }
  };
  std::thread one(churn, 1), two(churn, 2);
  int missed = 0;
  for (int i = 2; i <= 80; ++i) {
    replace(file, text(i));
    EXPECT_THAT(circuits.reload(), IsEmpty());
    circuits.for_each([&](sg::circuit_breaker& b) { missed += b.configuration().failure_threshold == i ? 0 : 1; });
  }
  done.store(true);
  one.join();
  two.join();
  EXPECT_EQ(missed, 0);
  EXPECT_GT(circuits.metrics().evicted, 0U);
}

}  // namespace
