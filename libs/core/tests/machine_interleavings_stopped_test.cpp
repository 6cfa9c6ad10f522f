// SPDX-License-Identifier: Apache-2.0
// A thread (or process) that stops for ever, at any operation, leaves a block that the others go on with.
#include "support/room.hpp"

namespace {

using namespace switchgear::testing;
using sg::state;
using sg::verdict;

/// A fresh acquire after everything has ended has to lead out of open, and its success to closed.
void usable(const shared_room& r, m::nanos now) {
  for (int tries = 0; tries < 3; ++tries, now += 10 * second) {
    const auto got = r->acquire(now, 2);
    if (got.permit.is == m::grant::kind::none) continue;
    r->settle(got.permit, verdict::success, now, 2);
    if (r->word().state() == state::closed) {
      const m::grant g = r->acquire(now, 2).permit;
      require(g.is == m::grant::kind::call, "closed admits");
      r->settle(g, verdict::failure, now, 2);
      require(r->word().state() == state::open, "the rules work");
      require(r->observe(now).facts.until == now + second, "the deadline");
      require(r->acquire(now + second, 2).permit.is == m::grant::kind::probe, "the probe");
      return;
    }
  }
  require(false, "no call is admitted any more");
}

TEST_F(machine_interleavings, a_thread_that_stops_while_it_trips_does_not_wedge) {
  explore_stopped([](scenario& s) {
    const auto r = make(s, probing(1, 1));
    const m::grant a = r->acquire(0).permit, b = r->acquire(0).permit;
    s.thread([r, a] { r->settle(a, verdict::failure, 5, 0); });
    s.thread([r, b] { r->settle(b, verdict::failure, 6, 1); });
    s.finally([r] {
      require(r->word().state() == state::open && r->word().generation() == 1, "opened once");
      require(r->acquire(7, 2).rejection.reason == sg::rejection_reason::open, "rejected at once");
      const auto at = r->observe(8);
      require(at.facts.until >= 5 + second && at.facts.until <= 7 + second, "the deadline");
      require_equal(at.facts.failure_count, 1, "failure_count");
      require_equal(at.facts.attempt, 0, "attempt");
      require(r->acquire(7 + second, 2).permit.is == m::grant::kind::probe, "a probe after the open duration");
    });
  });
}

TEST_F(machine_interleavings, a_thread_that_stops_while_it_acquires_a_probe_blocks_for_one_lease_at_most) {
  explore_stopped([](scenario& s) {
    const auto r = make(s, probing(1, 1));
    r->call(verdict::failure, 0);
    s.thread([r] { r->acquire(second, 0); });
    s.thread([r] { r->acquire(second, 1); });
    s.finally([r] {
      r->acquire(second, 2);
      require(r->acquire(6 * second, 2).permit.is == m::grant::kind::probe, "the slot is free when the lease is over");
      usable(r, 30 * second);
    });
  });
}

TEST_F(machine_interleavings, a_thread_that_stops_while_it_settles_a_probe_blocks_for_one_lease_at_most) {
  for (const verdict v : {verdict::success, verdict::failure, verdict::ignored, verdict::abandoned}) {
    explore_stopped([v](scenario& s) {
      const auto r = make(s, probing(1, 1));
      r->call(verdict::failure, 0);
      const m::grant g = r->acquire(second).permit;
      s.thread([r, g, v] { r->settle(g, v, second, 0); });
      s.thread([r] { r->acquire(second, 1); });
      s.finally([r] { usable(r, 6 * second); });
    });
  }
}

TEST_F(machine_interleavings, an_operator_that_stops_leaves_a_block_that_works) {
  enum class action { reset, trip, release, forced, disabled };
  for (const action what : {action::reset, action::trip, action::release, action::forced, action::disabled}) {
    explore_stopped([what](scenario& s) {
      const auto r = make(s, probing(1, 1));
      bool ignored = false;
      if (what == action::release) r->note(r->block.machine().override_with(state::forced_open, -1, 0, ignored));
      if (what == action::reset) r->call(verdict::failure, 0);
      s.thread([r, what] {
        bool renewed = false;
        auto machine = r->block.machine();
        switch (what) {
          case action::reset:
            r->note(machine.reset(5));
            break;
          case action::trip:
            r->note(machine.trip(5));
            break;
          case action::release:
            r->note(machine.release(5));
            break;
          case action::forced:
            r->note(machine.override_with(state::forced_open, 100, 5, renewed));
            break;
          case action::disabled:
            r->note(machine.override_with(state::disabled, 100, 5, renewed));
            break;
        }
      });
      s.thread([r] { r->acquire(6, 1); });
      s.finally([r] {
        r->acquire(7, 2);
        r->block.machine().release(8);
        usable(r, 6 * second);
      });
    });
  }
}

TEST_F(machine_interleavings, a_thread_that_stops_in_a_window_costs_at_most_its_own_verdict) {
  for (const bool timed : {false, true}) {
    explore_stopped([timed](scenario& s) {
      const auto r = make(s, {.failure_threshold = 0,
                              .window = timed ? sg::last(200ms) : sg::calls(3),
                              .window_buckets = 2,
                              .failure_count_threshold = 2,
                              .open_duration = 1s,
                              .success_threshold = 1});
      const m::grant a = r->acquire(0).permit, b = r->acquire(0).permit, c = r->acquire(0).permit;
      s.thread([r, a] { r->settle(a, verdict::failure, 5, 0); });
      s.thread([r, b, c] {
        r->settle(b, verdict::failure, 5, 1);
        r->settle(c, verdict::failure, 5, 1);
      });
      s.finally([r] {
        require(r->word().state() == state::open && r->word().generation() == 1, "the two failures of the other fire");
        require(r->acquire(6, 2).rejection.reason == sg::rejection_reason::open, "rejected at once");
        require(r->acquire(6 + second, 2).permit.is == m::grant::kind::probe, "a probe after the open duration");
      });
    });
  }
}

}  // namespace
