// SPDX-License-Identifier: Apache-2.0
// What holds for any sequence of operations, with failures of operations, undos and commit actions drawn at random.
#include "support.hpp"

#include <switchgear/effect_executor.hpp>
#include <switchgear/transaction.hpp>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <map>
#include <vector>

namespace {

using namespace effects_tests;

/// One operation of an attempt.
struct step {
  bool operation_fails = false;
  bool undo_fails = false;
  bool by_run = false;     ///< registered by run(), else by on_rollback()
  bool on_commit = false;  ///< done by a commit action, which registers its undo
};

rc::Gen<step> any_step() {
  return rc::gen::apply([](int f, bool u, bool r, bool c) { return step{f == 0, u, r, c}; }, rc::gen::inRange(0, 8),
                        rc::gen::arbitrary<bool>(), rc::gen::arbitrary<bool>(), rc::gen::arbitrary<bool>());
}

/// What is done outside: numbers of operations that have been done and not undone, and every undo in order.
struct world {
  std::vector<int> registered;  ///< in the order in which they were
  std::vector<int> undone;
  std::size_t failed_undos = 0;
};

/// Runs the steps in a transaction; throws when one fails.
void run_steps(sg::transaction& t, const std::vector<step>& steps, int& number, world& w) {
  for (const step& s : steps) {
    const int mine = number++;
    const auto operation = [s] {
      if (s.operation_fails) throw outage("operation");
    };
    const auto undo = [&w, mine, s] {
      w.undone.push_back(mine);
      if (s.undo_fails) {
        ++w.failed_undos;
        throw outage("undo");
      }
    };
    const auto both = [&w, &t, mine, operation, undo, s] {
      if (s.by_run) {
        t.run("run", operation, undo);
      } else {
        operation();
        t.on_rollback("on_rollback", undo);
      }
      w.registered.push_back(mine);
    };
    if (s.on_commit) {
      t.on_commit("commit", both);
    } else {
      both();
    }
  }
}

std::vector<int> reversed(std::vector<int> v) {
  std::reverse(v.begin(), v.end());
  return v;
}

RC_GTEST_PROP(transaction_properties, all_is_committed_or_every_undo_ran_once_in_reverse_order, ()) {
  const auto steps = *rc::gen::container<std::vector<step>>(any_step());
  const bool commits = *rc::gen::arbitrary<bool>();
  world w;
  int number = 0;
  bool committed = false;
  std::size_t reported = 0;
  {
    sg::transaction t([&](const sg::undo_failure&) { ++reported; });
    try {
      run_steps(t, steps, number, w);
      if (commits) {
        t.commit();
        committed = true;
      }
    } catch (const outage&) {
    }
  }
  const bool fails = std::any_of(steps.begin(), steps.end(), [&](const step& s) {
    return s.operation_fails && (commits || !s.on_commit);
  });
  RC_ASSERT(committed == (commits && !fails));
  RC_ASSERT(w.undone == (committed ? std::vector<int>{} : reversed(w.registered)));
  RC_ASSERT(reported == w.failed_undos);
}

RC_GTEST_PROP(effect_properties, transaction_and_verdict_agree_whatever_the_attempts_do, ()) {
  const auto attempts = *rc::gen::container<std::vector<std::vector<step>>>(4, rc::gen::container<std::vector<step>>(any_step()));
  const auto bad_values = *rc::gen::container<std::vector<bool>>(4, rc::gen::arbitrary<bool>());
  const int allowed = *rc::gen::inRange(1, 5);
  const bool insists = *rc::gen::arbitrary<bool>();

  sg::testing::skipping_clock clock;
  sg::effect_executor effects({.breakers = hermetic()}, clock);
  effects.define("e", {.circuit_breaker = true,
                       .retry = sg::retry_options{.max_attempts = allowed},
                       .when = sg::classifier{}.fail_if([](int v) { return v == 1; }),
                       .retry_after_failed_undo = insists});
  world all;
  int number = 0;
  std::size_t used = 0;
  std::vector<int> of_last;
  bool last_failed = false;
  bool threw = false;
  bool starts_afresh = true;
  int value = -1;
  std::size_t reported = 0;
  try {
    value = effects.execute("e", [&](sg::transaction& t) {
      // Before another attempt begins, everything of the one before is undone, once and in reverse order.
      starts_afresh = starts_afresh && all.undone == of_last && (used == 0 || insists || all.failed_undos == 0);
      const std::size_t i = used++;
      all.registered.clear();
      all.undone.clear();
      of_last.clear();
      last_failed = true;
      try {
        run_steps(t, attempts[i], number, all);
      } catch (const outage&) {
        of_last = reversed(all.registered);
        throw;
      }
      if (bad_values[i]) {
        of_last = reversed(all.registered);
        return 1;
      }
      // What the commit actions will do: those before the first that fails, then everything is undone.
      std::vector<int> expected = all.registered;
      int n = number - static_cast<int>(attempts[i].size());
      bool fails = false;
      for (const step& s : attempts[i]) {
        if (s.on_commit && !fails) {
          fails = s.operation_fails;
          if (!fails) expected.push_back(n);
        }
        ++n;
      }
      last_failed = fails;
      if (fails) of_last = reversed(expected);
      return 0;
    });
  } catch (const outage& e) {
    threw = true;
    reported = sg::undo_failures_of(std::current_exception()).size();
  }
  const sg::effect_metrics m = effects.metrics("e");
  const sg::snapshot s = effects.breakers().find("e")->snapshot();
  RC_ASSERT(starts_afresh);
  RC_ASSERT(used >= 1u);
  RC_ASSERT(used <= static_cast<std::size_t>(allowed));
  RC_ASSERT(all.undone == of_last);
  RC_ASSERT(m.committed == (last_failed ? 0u : 1u));
  RC_ASSERT(m.rolled_back == (last_failed ? 1u : 0u));
  RC_ASSERT(m.rollbacks == used - (last_failed ? 0u : 1u));
  RC_ASSERT(m.undo_failures == all.failed_undos);
  RC_ASSERT(s.metrics.successes == m.committed);
  RC_ASSERT(s.metrics.failures == m.rolled_back);
  RC_ASSERT((threw || value == 1) == last_failed);
  if (threw) RC_ASSERT(reported == all.failed_undos);
}

}  // namespace
