// SPDX-License-Identifier: Apache-2.0
// Every interleaving of small concurrent cases, on the machine itself: windows
// and the clean flag.
#include "support/room.hpp"

#include <set>
#include <tuple>
#include <vector>

namespace {

using namespace switchgear::testing;
using sg::state;
using sg::verdict;

/// The totals that the last `size` of some order of `before` and the verdicts
/// of the threads would have; the verdicts of one thread keep their order.
struct mark {
  bool failed, slow;
};
using triple = std::tuple<std::uint64_t, std::uint64_t, std::uint64_t>;
void orders(std::vector<mark>& line, std::vector<std::vector<mark>> left, std::size_t size, std::set<triple>& out) {
  bool ended = true;
  for (auto& thread : left) {
    if (thread.empty()) continue;
    ended = false;
    const mark next = thread.front();
    thread.erase(thread.begin());
    line.push_back(next);
    orders(line, left, size, out);
    line.pop_back();
    thread.insert(thread.begin(), next);
  }
  if (!ended) return;
  const std::size_t kept = std::min(size, line.size());
  std::uint64_t failures = 0, slow = 0;
  for (std::size_t i = line.size() - kept; i < line.size(); ++i) failures += line[i].failed, slow += line[i].slow;
  out.insert({kept, failures, slow});
}

TEST_F(machine_interleavings, a_count_window_holds_the_last_verdicts_of_some_order) {
  const mark good{false, false}, bad{true, false}, slow{false, true}, bad_and_slow{true, true};
  const std::vector<std::vector<std::vector<mark>>> programs{
      {{bad}, {good}},       {{bad_and_slow}, {good}},   {{bad_and_slow, good}, {good}},
      {{bad, good}, {slow}}, {{bad, bad}, {good, good}}, {{bad_and_slow}, {good}, {slow}},
  };
  for (std::uint32_t size = 1; size <= 3; ++size) {
    for (const auto& program : programs) {
      const std::vector<mark> before{bad, good};
      std::set<triple> allowed;
      std::vector<mark> line = before;
      orders(line, program, size, allowed);
      explore([&](scenario& s) {
        const auto words = std::shared_ptr<explored<std::uint64_t>[]>(
            new explored<std::uint64_t>[m::count_window<explored>::words(size)]());
        const auto window = [words, size] { return m::count_window<explored>(words.get(), size); };
        for (const mark& v : before) window().push(3, v.failed, v.slow);
        for (std::size_t t = 0; t < program.size(); ++t) {
          s.thread([window, &program, t] {
            for (const mark& v : program[t]) window().push(3, v.failed, v.slow);
          });
        }
        s.finally([window, &allowed] {
          const m::window_totals sum = window().totals(3);
          require(allowed.count({sum.calls, sum.failures, sum.slow}) == 1, "the totals are those of no order");
        });
      });
    }
  }
}

TEST_F(machine_interleavings, a_rule_over_a_count_window_fires_only_when_it_holds_in_some_order) {
  // The window holds [failure, success]. One more success and one more failure
  // make two failures in no order.
  explore([](scenario& s) {
    const auto r = make(s, counting(2, 2));
    r->call(verdict::failure, 0);
    r->call(verdict::success, 0);
    const m::grant a = r->acquire(0).permit, b = r->acquire(0).permit;
    s.thread([r, a] { r->settle(a, verdict::success, 5, 0); });
    s.thread([r, b] { r->settle(b, verdict::failure, 5, 1); });
    s.finally([r] {
      r->quiet(5);
      require_equal(r->steps, 0, "transitions");
    });
  });
}

TEST_F(machine_interleavings, a_count_window_of_a_generation_that_is_over_does_not_reach_the_next_one) {
  explore([](scenario& s) {
    const auto words =
        std::shared_ptr<explored<std::uint64_t>[]>(new explored<std::uint64_t>[m::count_window<explored>::words(2)]());
    const auto window = [words] { return m::count_window<explored>(words.get(), 2); };
    for (int i = 0; i < 3; ++i) window().push(1, true, false);
    s.thread([window] {
      window().push(1, true, true);
      window().push(1, true, true);
    });
    s.thread([window] {
      window().push(2, false, true);
      window().push(2, true, false);
    });
    s.finally([window] {
      const m::window_totals sum = window().totals(2);
      require(sum.calls == 2 && sum.failures == 1 && sum.slow == 1, "the window of the new generation");
    });
  });
}

TEST_F(machine_interleavings, the_clean_flag_hides_no_failure) {
  for (std::int64_t size = 1; size <= 2; ++size) {
    for (const bool clean_before : {false, true}) {
      explore([size, clean_before](scenario& s) {
        const auto r = make(
            s, {.failure_threshold = 0, .window = sg::calls(size), .failure_count_threshold = 2, .open_duration = 1s});
        if (size == 1) r->block.reconfigure(m::resolve({.failure_threshold = 2, .window = sg::calls(1)}));
        for (std::int64_t i = 0; i < (clean_before ? size + 1 : size - 1); ++i) r->call(verdict::success, 0);
        require(r->word().clean() == (clean_before && size > 0) || size == 1, "clean before");
        const m::grant a = r->acquire(0).permit, b = r->acquire(0).permit, c = r->acquire(0).permit;
        s.thread([r, a] { r->settle(a, verdict::failure, 5, 0); });
        s.thread([r, b, c] {
          r->settle(b, verdict::success, 5, 1);
          r->settle(c, verdict::success, 5, 1);
        });
        s.finally([r] { r->quiet(5); });
      });
    }
  }
}

TEST_F(machine_interleavings, two_failures_beside_a_success_that_cleans_are_both_seen) {
  explore([](scenario& s) {
    const auto r = make(s, counting(2, 2));
    r->call(verdict::success, 0);
    const m::grant a = r->acquire(0).permit, b = r->acquire(0).permit, c = r->acquire(0).permit;
    s.thread([r, a, b] {
      r->settle(a, verdict::failure, 5, 0);
      r->settle(b, verdict::failure, 5, 0);
    });
    s.thread([r, c] { r->settle(c, verdict::success, 5, 1); });
    s.finally([r] { r->quiet(5); });
  });
}

TEST_F(machine_interleavings, a_reconfiguration_beside_a_success_that_cleans_leaves_nothing_clean) {
  for (std::int64_t window = 1; window <= 2; ++window) {
    explore([window](scenario& s) {
      const auto r = make(s, counting(1, 2));
      const m::grant a = r->acquire(0).permit;
      auto machine = r->block.machine();  // with the settings of before, as a
                                          // call that is under way has it
      s.thread([r, a, machine]() mutable {
        r->note(machine.settle(a, verdict::success, 5, room::lane(0)).changes);
        ++r->successes;
      });
      s.thread([r, window] { r->block.reconfigure(m::resolve(counting(window, 1))); });
      s.finally([r] {
        r->quiet(5);
        r->call(verdict::failure, 6);
        require(r->word().state() == state::open, "the new rule fires");
      });
    });
  }
}

// --- time windows ---

constexpr m::nanos bucket = 100'000'000;

sg::config timed(std::int64_t failures, double rate = 0, std::int64_t minimum = 2) {
  return {.failure_threshold = 0,
          .window = sg::last(200ms),
          .window_buckets = 2,
          .minimum_calls = minimum,
          .failure_rate_threshold = rate,
          .failure_count_threshold = failures,
          .open_duration = 1s};
}

TEST_F(machine_interleavings, a_rule_over_a_time_window_that_two_verdicts_satisfy_together_fires) {
  explore([](scenario& s) {
    const auto r = make(s, timed(2));
    for (std::uint32_t t = 0; t < 2; ++t) {
      const m::grant g = r->acquire(0).permit;
      s.thread([r, g, t] { r->settle(g, verdict::failure, 5 + t * bucket, t); });
    }
    s.finally([r] {
      r->quiet(5 + bucket);
      require_equal(r->steps, 1, "transitions");
    });
  });
}

TEST_F(machine_interleavings, a_failure_beside_the_success_that_completes_the_minimum_fires_over_a_time_window) {
  for (const int before : {0, 1}) {
    explore([before](scenario& s) {
      const auto r = make(s, timed(0, 0.3, before + 2));
      for (int i = 0; i < before; ++i) r->call(verdict::success, 0);
      const m::grant a = r->acquire(0).permit, b = r->acquire(0).permit;
      s.thread([r, a] { r->settle(a, verdict::failure, 5, 0); });
      s.thread([r, b] { r->settle(b, verdict::success, 5, 1); });
      s.finally([r] {
        r->quiet(5);
        require_equal(r->steps, 1, "transitions");
      });
    });
  }
}

TEST_F(machine_interleavings, buckets_that_turn_over_lose_no_verdict) {
  // Thread 0 begins in a bucket that ages before it is done; thread 1 counts
  // where the bucket was; thread 2 too.
  for (const bool exclusive : {true, false}) {
    explore([exclusive](scenario& s) {
      const auto r = make(s, timed(100));
      const m::grant a = r->acquire(0).permit, b = r->acquire(0).permit, c = r->acquire(0).permit;
      const auto settle = [r, exclusive](const m::grant& g, m::nanos now, std::uint32_t t) {
        r->note(r->block.machine()
                    .settle(g, verdict::failure, now, {.lane = exclusive ? t : 2, .exclusive = exclusive})
                    .changes);
        ++r->failures;
      };
      r->call(verdict::failure, 0);
      s.thread([settle, a] { settle(a, 2 * bucket, 0); });
      s.thread([settle, b, c] {
        settle(b, 4 * bucket, 1);
        settle(c, 4 * bucket, 1);
      });
      s.finally([r] {
        r->quiet(4 * bucket);
        const auto at = r->observe(4 * bucket);
        require_equal(at.window.failures, 2, "failures in the newest bucket");
        require_equal(at.window.calls, 2, "calls in the newest bucket");
      });
    });
  }
}

TEST_F(machine_interleavings, three_turnovers_of_one_bucket_at_once_lose_no_verdict) {
  explore([](scenario& s) {
    const auto words = std::shared_ptr<explored<std::uint64_t>[]>(
        new explored<std::uint64_t>[m::time_window<explored>::words(1, 3)]());
    const auto word = std::make_shared<explored<std::uint64_t>>(m::state_word::make(state::closed, 1).bits);
    const auto settings = std::make_shared<m::settings>(m::resolve({.window = sg::last(100ms), .window_buckets = 1}));
    const auto window = [words, settings] { return m::time_window<explored>(words.get(), *settings, 3); };
    window().push(*word, 1, 0, true, false, room::lane(0));
    for (std::uint32_t t = 0; t < 3; ++t) {
      s.thread([window, word, t] { window().push(*word, 1, (t == 0 ? 1 : 2) * bucket, true, false, room::lane(t)); });
    }
    s.finally([window] {
      const m::window_totals sum = window().totals(1, 2 * bucket);
      require_equal(sum.failures, 2, "failures of the last two");
      require_equal(sum.calls, 2, "calls of the last two");
    });
  });
}

TEST_F(machine_interleavings, a_late_push_into_a_time_window_does_not_reach_the_next_generation) {
  explore([](scenario& s) {
    const auto r = make(s, timed(3));
    const m::grant a = r->acquire(0).permit;
    r->call(verdict::failure, 0);
    s.thread([r, a] { r->settle(a, verdict::failure, 5, 0); });
    s.thread([r] {
      r->note(r->block.machine().reset(6));
      r->settle(r->acquire(6, 1).permit, verdict::failure, 6, 1);
    });
    s.finally([r] {
      r->quiet(6);
      require_equal(r->observe(6).window.failures, 1, "failures after the reset");
      require_equal(r->observe(6).window.calls, 1, "calls after the reset");
    });
  });
}

TEST_F(machine_interleavings, the_clean_flag_hides_no_failure_in_a_time_window) {
  explore([](scenario& s) {
    const auto r = make(s, timed(2));
    const m::grant a = r->acquire(0).permit, b = r->acquire(0).permit, c = r->acquire(0).permit;
    s.thread([r, a, b] {
      r->settle(a, verdict::failure, 5, 0);
      r->settle(b, verdict::failure, 5 + bucket, 0);
    });
    s.thread([r, c] { r->settle(c, verdict::success, 5, 1); });
    s.finally([r] {
      r->quiet(5 + bucket);
      require_equal(r->steps, 1, "transitions");
    });
  });
}

}  // namespace
