// SPDX-License-Identifier: Apache-2.0
// Every interleaving of small concurrent cases, on the machine itself: calls
// against calls.
#include "support/room.hpp"

namespace {

using namespace switchgear::testing;
using sg::state;
using sg::verdict;

// --- several threads trip at once ---

TEST_F(machine_interleavings, two_threads_trip_at_once_and_one_transition_is_made) {
  explore([](scenario& s) {
    const auto r = make(s, consecutive(1));
    for (std::uint32_t t = 0; t < 2; ++t) {
      const m::grant g = r->acquire(0).permit;
      s.thread([r, g, t] { r->settle(g, verdict::failure, 5, t); });
    }
    s.finally([r] {
      r->quiet(5);
      require_equal(r->steps, 1, "transitions");
      require_equal(r->late, 1, "the other failure is late");
      require(r->observe(5).facts.until == 5 + second, "the deadline");
      require_equal(r->observe(5).facts.failure_count, 1, "failure_count");
      require(r->observe(4 + second).retry_after == 1, "retry_after");
    });
  });
}

TEST_F(machine_interleavings, two_failures_that_only_together_reach_the_threshold_trip) {
  explore([](scenario& s) {
    const auto r = make(s, consecutive(2));
    for (std::uint32_t t = 0; t < 2; ++t) {
      const m::grant g = r->acquire(0).permit;
      s.thread([r, g, t] { r->settle(g, verdict::failure, 5, t); });
    }
    s.finally([r] {
      r->quiet(5);
      require_equal(r->steps, 1, "transitions");
      require_equal(r->late, 0, "both are evidence");
    });
  });
}

TEST_F(machine_interleavings, three_threads_trip_at_once_and_one_transition_is_made) {
  for (std::int64_t threshold = 1; threshold <= 3; ++threshold) {
    explore([threshold](scenario& s) {
      const auto r = make(s, consecutive(threshold));
      for (std::uint32_t t = 0; t < 3; ++t) {
        const m::grant g = r->acquire(0).permit;
        s.thread([r, g, t] { r->settle(g, verdict::failure, 5, t); });
      }
      s.finally([r, threshold] {
        r->quiet(5);
        require_equal(r->steps, 1, "transitions");
        require_equal(r->late, static_cast<std::uint64_t>(3 - threshold), "the failures after the trip are late");
      });
    });
  }
}

TEST_F(machine_interleavings, a_rule_over_the_window_that_two_failures_satisfy_together_fires) {
  for (std::int64_t window = 2; window <= 3; ++window) {
    explore([window](scenario& s) {
      const auto r = make(s, counting(window, 2));
      for (std::uint32_t t = 0; t < 2; ++t) {
        const m::grant g = r->acquire(0).permit;
        s.thread([r, g, t] { r->settle(g, verdict::failure, 5, t); });
      }
      s.finally([r] {
        r->quiet(5);
        require_equal(r->steps, 1, "transitions");
      });
    });
  }
}

TEST_F(machine_interleavings, a_failure_and_the_success_that_completes_the_minimum_fire_the_rate_together) {
  explore([](scenario& s) {
    const auto r = make(s, {.failure_threshold = 0,
                            .window = sg::calls(2),
                            .minimum_calls = 2,
                            .failure_rate_threshold = 0.5,
                            .open_duration = 1s});
    const m::grant g = r->acquire(0).permit, h = r->acquire(0).permit;
    s.thread([r, g] { r->settle(g, verdict::failure, 5, 0); });
    s.thread([r, h] { r->settle(h, verdict::success, 5, 1); });
    s.finally([r] {
      r->quiet(5);
      require_equal(r->steps, 1, "transitions");
    });
  });
}

// --- trip against success ---

TEST_F(machine_interleavings, a_success_beside_the_failures_that_trip_never_closes_what_they_opened) {
  explore([](scenario& s) {
    const auto r = make(s, consecutive(2));
    const m::grant a = r->acquire(0).permit, b = r->acquire(0).permit, c = r->acquire(0).permit;
    s.thread([r, a, b] {
      r->settle(a, verdict::failure, 5, 0);
      r->settle(b, verdict::failure, 6, 0);
    });
    s.thread([r, c] { r->settle(c, verdict::success, 7, 1); });
    s.finally([r] {
      r->quiet(7);
      const bool between = r->word().state() == state::closed;
      require(between ? r->word().count() == 1 && r->late == 0 : r->observe(7).facts.until == 6 + second,
              "closed only when the success came between");
    });
  });
}

TEST_F(machine_interleavings, a_late_success_changes_nothing_about_a_half_open_circuit) {
  explore([](scenario& s) {
    const auto r = make(s, probing(1, 1));
    const m::grant old = r->acquire(0).permit;
    r->call(verdict::failure, 0);
    s.thread([r, old] {
      require(r->settle(old, verdict::success, second, 0).late, "of an older generation, yet not late");
    });
    s.thread([r] {
      const auto got = r->acquire(second, 1);
      require(got.permit.is == m::grant::kind::probe, "the probe is admitted");
      r->settle(got.permit, verdict::failure, second + 1, 1);
    });
    s.finally([r] {
      r->quiet(second + 1);
      require_equal(r->steps, 3, "opened, half-open, reopened");
      require(r->observe(second + 1).facts.until == 2 * second + 1, "the deadline of the failed probe");
    });
  });
}

// --- half-open admission ---

TEST_F(machine_interleavings, of_many_first_acquires_exactly_the_limit_is_admitted) {
  for (const auto& [threads, limit] : {std::pair{2, 1}, {2, 2}, {3, 1}, {3, 2}}) {
    explore([threads = threads, limit = limit](scenario& s) {
      const auto r = make(s, probing(limit, 3));
      r->call(verdict::failure, 0);
      const auto admitted = std::make_shared<int>(0);
      for (int t = 0; t < threads; ++t) {
        s.thread([r, t, admitted] {
          const auto got = r->acquire(second, static_cast<std::uint32_t>(t));
          if (got.permit.is == m::grant::kind::probe) ++*admitted;
          if (got.changes.count > 0)
            require(got.permit.is == m::grant::kind::probe, "who made the transition is a probe");
          if (got.permit.is == m::grant::kind::none) {
            require(got.rejection.reason == sg::rejection_reason::half_open_limit && got.rejection.retry_after == 0,
                    "the reason of the rejection");
          }
        });
      }
      s.finally([r, admitted, limit, threads] {
        r->quiet(second);
        require_equal(static_cast<std::uint64_t>(*admitted), static_cast<std::uint64_t>(std::min(limit, threads)),
                      "admitted");
        require_equal(r->observe(second).probes_in_flight, static_cast<std::uint64_t>(std::min(limit, threads)),
                      "in flight");
        require_equal(r->steps, 2, "opened and half-open");
      });
    });
  }
}

TEST_F(machine_interleavings, verdicts_and_admissions_never_exceed_the_limit) {
  for (const verdict v : {verdict::success, verdict::failure, verdict::ignored, verdict::abandoned}) {
    explore([v](scenario& s) {
      const auto r = make(s, probing(1, 2));
      const auto c = std::make_shared<census>();
      r->call(verdict::failure, 0);
      const auto first = r->acquire(second);
      c->enter(first);
      s.thread([r, c, g = first.permit, v] {
        c->leave(g);
        r->settle(g, v, second + 1, 0);
      });
      for (std::uint32_t t = 1; t <= 2; ++t) {
        s.thread([r, c, t] { c->enter(r->acquire(second + 1, t)); });
      }
      s.finally([r, v] {
        r->quiet(second + 1);
        if (v == verdict::success) require_equal(r->observe(second + 1).half_open_successes, 1, "the success counts");
        if (v == verdict::failure) require_equal(r->observe(second + 1).probes_in_flight, 0, "reopened without probes");
      });
    });
  }
}

TEST_F(machine_interleavings, two_probe_successes_close_exactly_once_and_a_success_and_a_failure_settle_one_way) {
  for (const verdict other : {verdict::success, verdict::failure}) {
    for (std::int64_t threshold = 1; threshold <= 2; ++threshold) {
      explore([other, threshold](scenario& s) {
        const auto r = make(s, probing(2, threshold));
        r->call(verdict::failure, 0);
        const m::grant a = r->acquire(second).permit, b = r->acquire(second).permit;
        s.thread([r, a] { r->settle(a, verdict::success, second + 1, 0); });
        s.thread([r, b, other] { r->settle(b, other, second + 1, 1); });
        s.finally([r, other, threshold] {
          r->quiet(second + 1);
          const state now = r->word().state();
          require_equal(r->steps, 3, "one way out of half-open");
          if (other == verdict::success) require(now == state::closed, "two successes close");
          if (other == verdict::failure && threshold == 2)
            require(now == state::open && r->late <= 1, "a failure reopens");
          if (now == state::open) require_equal(r->observe(second + 1).facts.attempt, 1, "attempt");
          require_equal(r->observe(second + 1).probes_in_flight, 0, "in flight");
        });
      });
    }
  }
}

TEST_F(machine_interleavings, a_slow_acquire_of_an_older_half_open_takes_no_slot_of_a_newer_one) {
  explore([](scenario& s) {
    const auto r = make(s, probing(1, 2));
    const auto c = std::make_shared<census>();
    r->call(verdict::failure, 0);
    const auto first = r->acquire(second);
    c->enter(first);
    s.thread([r, c] { c->enter(r->acquire(3 * second, 0)); });
    s.thread([r, c, g = first.permit] {
      c->leave(g);
      r->settle(g, verdict::failure, second, 1);
      const auto got = r->acquire(2 * second, 1);
      c->enter(got);
      c->enter(r->acquire(2 * second, 1));
      if (got.permit.is == m::grant::kind::probe) {
        c->leave(got.permit);
        require(!r->settle(got.permit, verdict::success, 2 * second, 1).late,
                "the probe lost its slot to a slow thread");
      }
    });
    s.finally([r] { r->quiet_facts(); });
  });
}

// --- leases ---

TEST_F(machine_interleavings, a_probe_is_never_both_expired_and_evidence) {
  for (const verdict v : {verdict::success, verdict::failure, verdict::ignored}) {
    for (m::nanos settled_at : {6 * second - 1, 6 * second}) {
      explore([v, settled_at](scenario& s) {
        const auto r = make(s, probing(1, 2));
        r->apart = 6 * second - settled_at;
        r->call(verdict::failure, 0);
        const m::grant g = r->acquire(second).permit;
        const auto evidence = std::make_shared<bool>(false);
        const auto admitted = std::make_shared<int>(0);
        s.thread([r, g, v, settled_at, evidence] {
          const auto done = r->settle(g, v, settled_at, 0);
          *evidence = !done.late && v != verdict::ignored;
        });
        for (std::uint32_t t = 1; t <= (v == verdict::success ? 2u : 1u); ++t) {
          s.thread([r, t, admitted] { *admitted += r->acquire(6 * second, t).permit.is == m::grant::kind::probe; });
        }
        s.finally([r, v, settled_at, evidence, admitted] {
          r->quiet(6 * second);
          const auto expired = r->block.machine().metrics().expired_probes;
          require(expired <= 1, "expired twice");
          require(!(*evidence && expired == 1), "both expired and evidence");
          if (v != verdict::ignored) require(*evidence || expired == 1 || r->word().generation() > 2, "neither");
          if (settled_at == 6 * second) require(expired == 1 && !*evidence, "at the end of the lease it is over");
          if (r->word().state() == state::half_open) {
            require_equal(static_cast<std::uint64_t>(*admitted), 1, "the slot is given out once");
            require_equal(r->observe(6 * second).half_open_successes, *evidence ? 1 : 0, "successes");
          }
        });
      });
    }
  }
}

TEST_F(machine_interleavings, the_lease_of_a_probe_is_the_one_it_was_given) {
  // Another thread looks at the slot while it changes hands again and again.
  explore([](scenario& s) {
    const auto r = make(s, probing(1, 5));
    r->call(verdict::failure, 0);
    r->settle(r->acquire(second).permit, verdict::ignored, second);
    s.thread([r] {
      const m::nanos now = second;
      for (int i = 0; i < 2; ++i) {  // all in the same nanosecond
        const auto got = r->acquire(now, 0);
        if (got.permit.is == m::grant::kind::probe) r->settle(got.permit, verdict::ignored, now, 0);
      }
      const auto got = r->acquire(now, 0);
      if (got.permit.is != m::grant::kind::probe) return;
      require(got.permit.lease_end == now + 5 * second || got.permit.lease_end == 7 * second, "the lease");
      require_equal(r->observe(got.permit.lease_end - 1).probes_in_flight, 1, "in flight until the lease ends");
    });
    s.thread([r] { r->acquire(2 * second, 1); });
    s.finally([r] {
      r->quiet(2 * second);
      require_equal(r->observe(7 * second).probes_in_flight, 0, "no lease lasts longer than the last one given");
    });
  });
}

}  // namespace
