// SPDX-License-Identifier: Apache-2.0
// The checker that proves the machine is itself proven on programs whose interleavings can be counted by hand.
#include "support/explorer.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <set>
#include <vector>

namespace {

using switchgear::testing::exploration;
using switchgear::testing::explore;
using switchgear::testing::explored;
using switchgear::testing::require;
using switchgear::testing::require_equal;
using switchgear::testing::scenario;
using word = explored<std::uint64_t>;

std::shared_ptr<word[]> words(std::size_t n) { return std::shared_ptr<word[]>(new word[n]()); }

TEST(explorer, writes_to_different_variables_are_one_execution) {
  const exploration seen = explore([](scenario& s) {
    const auto x = words(3);
    for (int i = 0; i < 3; ++i) s.thread([x, i] { x[i].store(1); });
  });
  EXPECT_EQ(seen.failure, "");
  EXPECT_EQ(seen.executions, 1u);
}

TEST(explorer, two_writes_to_one_variable_are_two_executions) {
  const exploration seen = explore([](scenario& s) {
    const auto x = words(1);
    for (std::uint64_t i = 1; i <= 2; ++i) s.thread([x, i] { x[0].store(i); });
  });
  EXPECT_EQ(seen.executions, 2u);
}

TEST(explorer, the_same_value_stored_twice_is_one_execution) {
  const exploration seen = explore([](scenario& s) {
    const auto x = words(1);
    for (int i = 0; i < 2; ++i) s.thread([x] { x[0].store(7); });
  });
  EXPECT_EQ(seen.executions, 1u);
}

TEST(explorer, k_exchanges_in_each_of_two_threads_are_a_binomial_number_of_executions) {
  const std::uint64_t expected[] = {1, 2, 6, 20, 70, 252};
  for (int k = 1; k <= 5; ++k) {
    const exploration seen = explore([k](scenario& s) {
      const auto x = words(1);
      for (std::uint64_t t = 0; t < 2; ++t) {
        s.thread([x, k, t] {
          for (int i = 0; i < k; ++i) x[0].exchange(t);
        });
      }
    });
    EXPECT_EQ(seen.failure, "");
    EXPECT_EQ(seen.executions, expected[k]);
  }
}

TEST(explorer, n_threads_with_one_exchange_each_are_n_factorial_executions) {
  const std::uint64_t expected[] = {1, 1, 2, 6, 24, 120};
  for (std::size_t n = 1; n <= 5; ++n) {
    const exploration seen = explore([n](scenario& s) {
      const auto x = words(1);
      for (std::size_t t = 0; t < n; ++t) s.thread([x, t] { x[0].exchange(t); });
    });
    EXPECT_EQ(seen.executions, expected[n]);
  }
}

TEST(explorer, readers_commute_with_each_other_but_not_with_the_writer) {
  for (std::size_t readers = 1; readers <= 4; ++readers) {
    const exploration seen = explore([readers](scenario& s) {
      const auto x = words(1);
      s.thread([x] { x[0].store(1); });
      for (std::size_t i = 0; i < readers; ++i) s.thread([x] { (void)x[0].load(); });
    });
    EXPECT_EQ(seen.executions, std::uint64_t{1} << readers);
  }
}

TEST(explorer, additions_commute) {
  const exploration seen = explore([](scenario& s) {
    const auto x = words(1);
    for (int i = 0; i < 4; ++i) s.thread([x] { x[0].fetch_add(1); });
    s.finally([x] { require_equal(x[0].load(), 4, "the sum"); });
  });
  EXPECT_EQ(seen.failure, "");
  EXPECT_EQ(seen.executions, 1u);
}

TEST(explorer, a_failing_compare_and_swap_is_a_read) {
  const exploration seen = explore([](scenario& s) {
    const auto x = words(1);
    for (int i = 0; i < 3; ++i) {
      s.thread([x] {
        std::uint64_t expected = 5;
        x[0].compare_exchange_strong(expected, 6);
      });
    }
  });
  EXPECT_EQ(seen.executions, 1u);
}

/// Every outcome that all interleavings have, none missing: store buffering under sequential consistency.
TEST(explorer, sees_exactly_the_outcomes_that_sequential_consistency_allows) {
  std::set<std::uint64_t> outcomes;
  const exploration seen = explore([&outcomes](scenario& s) {
    const auto x = words(2);
    const auto got = std::make_shared<std::vector<std::uint64_t>>(2);
    s.thread([x, got] {
      x[0].store(1);
      (*got)[0] = x[1].load();
    });
    s.thread([x, got] {
      x[1].store(1);
      (*got)[1] = x[0].load();
    });
    s.finally([got, &outcomes] { outcomes.insert((*got)[0] * 2 + (*got)[1]); });
  });
  EXPECT_EQ(seen.failure, "");
  EXPECT_EQ(outcomes, (std::set<std::uint64_t>{1, 2, 3}));
  EXPECT_EQ(seen.executions, 3u);
}

TEST(explorer, agrees_with_all_interleavings_of_random_programs) {
  // The outcomes with the reduction have to be those without it. Without: an operation on one common variable between
  // any two others makes everything dependent.
  std::uint64_t random = 88172645463325252u;
  const auto draw = [&random](std::uint64_t n) {
    random ^= random << 13;
    random ^= random >> 7;
    random ^= random << 17;
    return random % n;
  };
  for (int round = 0; round < 150; ++round) {
    struct operation {
      std::uint64_t kind, object, value;
    };
    std::vector<std::vector<operation>> program(2 + draw(2));
    for (auto& thread : program) {
      thread.resize(1 + draw(program.size() == 2 ? 4 : 2));
      for (auto& o : thread) o = {draw(5), draw(2), 1 + draw(2)};
    }
    std::set<std::vector<std::uint64_t>> outcomes[2];
    std::uint64_t executions[2];
    for (int everything = 0; everything < 2; ++everything) {
      const exploration seen = explore([&](scenario& s) {
        const auto x = words(3);
        const auto got = std::make_shared<std::vector<std::uint64_t>>();
        got->resize(program.size() * 4);
        for (std::size_t t = 0; t < program.size(); ++t) {
          s.thread([x, got, t, &program, everything] {
            for (std::size_t i = 0; i < program[t].size(); ++i) {
              const operation o = program[t][i];
              if (everything == 1) x[2].exchange(t);
              std::uint64_t& out = (*got)[t * 4 + i];
              std::uint64_t expected = o.value - 1;
              switch (o.kind) {
                case 0:
                  out = x[o.object].load();
                  break;
                case 1:
                  x[o.object].store(o.value);
                  break;
                case 2:
                  x[o.object].fetch_add(o.value);
                  break;
                case 3:
                  out = x[o.object].exchange(o.value);
                  break;
                default:
                  out = x[o.object].compare_exchange_strong(expected, o.value) ? 100 : expected;
              }
            }
          });
        }
        s.finally([x, got, &outcomes, everything] {
          std::vector<std::uint64_t> all = *got;
          all.push_back(x[0].load());
          all.push_back(x[1].load());
          outcomes[everything].insert(all);
        });
      });
      ASSERT_EQ(seen.failure, "");
      executions[everything] = seen.executions;
    }
    ASSERT_EQ(outcomes[0], outcomes[1]) << "round " << round;
    ASSERT_LE(executions[0], executions[1]);
  }
}

TEST(explorer, finds_the_lost_update_of_a_counter_without_read_modify_write) {
  const exploration seen = explore([](scenario& s) {
    const auto x = words(1);
    s.name(x[0], "counter");
    for (int i = 0; i < 2; ++i) s.thread([x] { x[0].store(x[0].load() + 1); });
    s.finally([x] { require_equal(x[0].load(), 2, "the sum"); });
  });
  EXPECT_NE(seen.failure.find("the sum: expected 2, got 1"), std::string::npos) << seen.failure;
  EXPECT_NE(seen.failure.find("thread 1 reads counter: 0\n"), std::string::npos) << seen.failure;
}

TEST(explorer, finds_an_error_that_takes_three_threads) {
  // Only when thread 1 runs wholly between the two loads of thread 0, and thread 2 between its two stores.
  const exploration seen = explore([](scenario& s) {
    const auto x = words(3);
    s.thread([x] {
      const std::uint64_t a = x[0].load();
      const std::uint64_t b = x[1].load();
      const std::uint64_t c = x[2].load();
      require(!(a == 0 && b == 2 && c == 3), "the rare order");
    });
    s.thread([x] {
      x[0].store(1);
      if (x[2].load() == 3) x[1].store(2);
    });
    s.thread([x] {
      if (x[0].load() == 1) x[2].store(3);
    });
  });
  EXPECT_NE(seen.failure.find("the rare order"), std::string::npos);
}

TEST(explorer, proves_petersons_lock) {
  const exploration seen = explore([](scenario& s) {
    const auto x = words(3);  // flags of both, and whose turn it is
    const auto inside = std::make_shared<int>(0);
    const auto entered = words(1);
    for (std::uint64_t me = 0; me < 2; ++me) {
      s.thread([x, inside, entered, me] {
        x[me].store(1);
        x[2].store(1 - me);
        if (x[1 - me].load() == 1 && x[2].load() == 1 - me) return;  // would have to wait
        require(++*inside == 1, "two threads inside");
        entered[0].exchange(me);
        --*inside;
        x[me].store(0);
      });
    }
  });
  EXPECT_EQ(seen.failure, "");
  EXPECT_GT(seen.executions, 3u);
}

TEST(explorer, stops_a_thread_for_ever_where_it_is_told_to) {
  for (std::size_t after = 0; after <= 3; ++after) {
    const exploration seen = explore([after](scenario& s) {
      const auto x = words(1);
      s.thread([x] {
        x[0].store(1);
        x[0].store(2);
        x[0].store(3);
      });
      s.stop(0, after);
      s.finally([x, after] { require_equal(x[0].load(), after, "what the stopped thread got done"); });
    });
    EXPECT_EQ(seen.failure, "");
    EXPECT_EQ(seen.stopped, after < 3);
  }
}

TEST(explorer, reports_a_loop_that_waits) {
  const exploration seen = explore(
      [](scenario& s) {
        const auto x = words(1);
        s.thread([x] {
          while (x[0].load() == 0) {
          }
        });
      },
      {.steps = 100});
  EXPECT_NE(seen.failure.find("more than 100 operations"), std::string::npos);
}

TEST(explorer, reports_an_exploration_that_is_not_complete) {
  const exploration seen = explore(
      [](scenario& s) {
        const auto x = words(1);
        for (std::uint64_t t = 0; t < 4; ++t) {
          s.thread([x, t] {
            for (int i = 0; i < 4; ++i) x[0].exchange(t);
          });
        }
      },
      {.executions = 1000});
  EXPECT_NE(seen.failure.find("not explored completely"), std::string::npos);
}

TEST(explorer, reports_a_scenario_that_is_not_deterministic) {
  std::uint64_t changing = 0;
  const exploration seen = explore([&changing](scenario& s) {
    const auto x = words(1);
    const std::uint64_t value = ++changing;
    s.thread([x, value] {
      x[0].exchange(value);
      x[0].exchange(0);
    });
    s.thread([x] { x[0].exchange(1); });
  });
  EXPECT_NE(seen.failure.find("not deterministic"), std::string::npos);
}

}  // namespace
